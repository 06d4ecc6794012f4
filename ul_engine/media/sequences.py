"""A clip as a folder of pictures, or as files whose names follow a pattern, one picture per frame."""

import os
import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Self

from PIL import Image

from ul_engine.errors import ConfigError, DataError
from ul_engine.media.broken import BrokenFrame
from ul_engine.media.clips import Frame, VideoInfo
from ul_engine.media.pictures import read_picture
from ul_engine.media.png_chunks import png_texts
from ul_engine.media.rates import as_rate
from ul_engine.media.timeline import Timeline

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
DEFAULT_FPS = Fraction(24)
"""Of pictures that state no rate (this program's PNG sequences do, in a text chunk)."""

FPS_NAME = "fps"
_NUMBER = re.compile(r"%0?(\d*)d")
_DIGITS = re.compile(r"(\d+)")


def is_sequence(path: str) -> bool:
    """Whether `path` means many pictures: a folder, or a name with ``%d``, ``%05d``, ``*`` or ``?`` in it."""
    return os.path.isdir(path) or (
        not os.path.exists(path) and bool(_NUMBER.search(Path(path).name) or set("*?") & set(Path(path).name))
    )


def sequence_files(path: str) -> list[Path]:
    """The pictures of a folder or a pattern in their order: by number where the pattern has one, else by name, with
    numbers in names compared as numbers (``2.png`` before ``10.png``). Raises DataError: none there, one missing.
    """
    place = Path(path)
    if _NUMBER.search(place.name) and not place.is_dir():
        return _numbered(place)
    folder, pattern = (place, "*") if place.is_dir() else (place.parent, place.name)
    try:
        found = [file for file in folder.glob(pattern) if _is_picture(file)]
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from error
    if not found:
        raise DataError(f"no pictures ({', '.join(SUFFIXES)}) are there", path=path)
    return sorted(found, key=_natural)


def pattern_parts(name: str) -> tuple[str, int, str]:
    """What stands before the number in ``shot_%04d.png``, how many digits it has at least, and what stands behind.

    Raises ValueError for a name without such a place, or with two.
    """
    before, *numbers, after = _NUMBER.split(name)
    if len(numbers) != 1:
        raise ValueError(f"{name!r} does not have one %d (or %05d) for the number")
    return before, int(numbers[0] or 0), after


class SequenceFrames:
    """Random access to the pictures of a sequence."""

    def __init__(self, path: str, fps: Fraction | None = None) -> None:
        """`fps` None: what the first picture states, else `DEFAULT_FPS`."""
        self._files = sequence_files(path)
        self.timeline = Timeline.even(len(self._files), fps or stated_fps(self._files[0]) or DEFAULT_FPS)
        self.info = _info(path, self._files, self.timeline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return

    def frame(self, number: int) -> Frame:
        """Picture `number`, uint8 `[H, W, 3]`; raises BrokenFrame for one that is broken or of another size."""
        path = self._files[number]
        try:
            picture = read_picture(path)
        except DataError as error:
            raise BrokenFrame(number, str(error).removeprefix(f"{path}: "), str(path)) from error
        height, width = picture.shape[:2]
        if (width, height) != (self.info.width_px, self.info.height_px):
            reason = f"is {width} x {height} pixels, the first one {self.info.width_px} x {self.info.height_px}"
            raise BrokenFrame(number, reason, str(path))
        return picture


def stated_fps(picture: Path) -> Fraction | None:
    """The rate that this program writes into the pictures of a PNG sequence; None where there is none."""
    if picture.suffix.lower() != ".png":
        return None
    try:
        text = png_texts(picture).get(FPS_NAME)
        return None if text is None else as_rate(text)
    except (DataError, ConfigError, OSError):
        return None


def _info(path: str, files: Sequence[Path], timeline: Timeline) -> VideoInfo:
    try:
        with Image.open(files[0]) as picture:
            width, height = picture.size
            is_turned = picture.getexif().get(0x0112, 1) >= 5
            kind, mode = (picture.format or "").lower(), picture.mode
            has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"is no picture this program can read ({error})", path=files[0]) from error
    if is_turned:
        width, height = height, width
    return VideoInfo(
        path=path,
        codec=f"{kind} sequence",
        num_frames=len(files),
        fps=timeline.fps,
        is_variable=False,
        duration_s=timeline.duration_s,
        width_px=width,
        height_px=height,
        bit_depth=16 if mode.startswith("I") else 8,
        has_alpha=has_alpha,
    )


def _numbered(pattern: Path) -> list[Path]:
    try:
        before, num_digits, after = pattern_parts(pattern.name)
    except ValueError as error:
        raise DataError(str(error), path=pattern) from error
    name = re.compile(re.escape(before) + rf"(\d{{{max(1, num_digits)},}})" + re.escape(after))
    try:
        files = {int(found[1]): file for file in pattern.parent.iterdir() if (found := name.fullmatch(file.name))}
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=pattern) from error
    if not files:
        raise DataError("no file has such a name", path=pattern)
    numbers = sorted(files)
    missing = next((n for n, follower in pairwise(numbers) if follower != n + 1), None)
    if missing is not None:
        raise DataError(f"picture {missing + 1} of {numbers[0]} to {numbers[-1]} is missing", path=pattern)
    return [files[number] for number in numbers]


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _natural(file: Path) -> tuple[list[str | int], str]:
    parts = _DIGITS.split(file.name.lower())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], file.name
