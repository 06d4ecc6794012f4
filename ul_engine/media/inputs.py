"""The files that comparisons are made of: pictures, and the first frames of videos. No torch."""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, UnidentifiedImageError

from ul_engine.errors import DataError
from ul_engine.media.clips import Frames
from ul_engine.media.pictures import read_picture
from ul_engine.media.reading import probe, read_clip
from ul_engine.media.sequences import is_sequence, sequence_files

VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"))
ANIMATED_FORMATS = frozenset(("GIF", "PNG", "WEBP"))
"""Other formats hold several pictures too, but not to be played: pages (TIFF), layers (PSD), a phone's extra views."""


@dataclass(frozen=True)
class Input:
    """Frames uint8 `[T, H, W, 3]` of a file, and their rate; None of a picture."""

    frames: Frames
    fps: float | None = None


def read_input(path: str, max_frames: int) -> Input:
    """The picture, or the first frames of the video, at `path`. Raises DataError."""
    kind = _kind(path)
    if kind == "picture":
        return Input(read_picture(path)[None])
    try:
        clip = read_clip(path, num_frames=min(max_frames, probe(path).num_frames))
        return Input(clip.frames, float(clip.fps))
    except DataError as error:
        if kind == "clip" or Path(path).suffix.lower() in VIDEO_SUFFIXES:
            raise
        reason = str(error).removeprefix(f"{path}: ")
        raise DataError(f"is no picture, and as a video it {reason}", path=path) from error


def open_frames(path: str, max_frames: int) -> Frames:
    """The frames of `read_input` alone."""
    return read_input(path, max_frames).frames


def identity_of(path: str) -> Hashable:
    """What changes when the content at `path` does: place, size and time of writing, of a sequence those of each file.
    A file that is missing has one too: reading it will say so."""
    files = sequence_files(path) if is_sequence(path) else [Path(path)]
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> tuple[str, int, int]:
    try:
        found = file.stat()
    except OSError:
        return str(file), -1, -1
    return str(file), found.st_size, found.st_mtime_ns


def _kind(path: str) -> Literal["picture", "clip", "unknown"]:
    """What `path` looks like; a file that no picture reader knows may be a film. What is wrong with a picture is for
    its reader to say."""
    if not Path(path).is_file():
        return "clip" if is_sequence(path) else "picture"
    try:
        with Image.open(path) as picture:
            return "clip" if picture.format in ANIMATED_FORMATS and getattr(picture, "n_frames", 1) > 1 else "picture"
    except UnidentifiedImageError:
        return "unknown"
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return "picture"
