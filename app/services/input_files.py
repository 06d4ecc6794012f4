"""Reads pictures and videos that are to be compared, and keeps what was pasted: in a thread, in order."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.pixels import Clip, Pixels, split_batch
from app.services.file_facts import FileProblem, keep_pasted, keep_smaller, refusal
from app.services.in_order import InOrder
from ul_engine.errors import DataError

MAX_FRAMES = 64
"""Of a video, from its beginning; as many as the engine takes."""
THUMBNAIL_PX = 96


@dataclass(frozen=True)
class InputRead:
    """A file was read."""

    path: str
    clip: Clip
    thumbnail: Pixels


@dataclass(frozen=True)
class InputFailed:
    """A file cannot be read."""

    path: str
    message: str
    is_too_large: bool = False
    """A smaller copy would do."""


@dataclass(frozen=True)
class PastedKept:
    """A pasted picture, or a smaller copy of one, is in a file."""

    path: str


class InputFiles(QObject):
    """One thing at a time."""

    input_read = Signal(object)  # InputRead
    input_failed = Signal(object)  # InputFailed
    pasted_kept = Signal(object)  # PastedKept

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = InOrder("input-files", self)
        self._work.finished.connect(self._on_finished)

    def read(self, path: str) -> None:
        """Read a file; ends in `input_read` or `input_failed`."""
        self._work.start(_read, path)

    def keep_pasted(self, image: QImage) -> None:
        """Write a picture of the clipboard to a file; ends in `pasted_kept` or `input_failed`."""
        self._work.start(_keep, image.copy(), pasted_dir())

    def keep_smaller(self, path: str) -> None:
        """Write a smaller copy of a picture; ends in `pasted_kept` or `input_failed`."""
        self._work.start(_smaller, path, pasted_dir())

    def close(self) -> None:
        """End the thread."""
        self._work.close()

    def _on_finished(self, found: object) -> None:
        match found:
            case InputRead():
                self.input_read.emit(found)
            case InputFailed():
                self.input_failed.emit(found)
            case PastedKept():
                self.pasted_kept.emit(found)


def pasted_dir() -> Path:
    """Folder of pasted pictures."""
    from platformdirs import user_cache_path

    return user_cache_path("UL Studio", appauthor=False) / "pasted"


# ---- in the thread ------------------------------------------------------------------------------------------------


def _read(path: str) -> InputRead | InputFailed:
    from ul_engine.media.inputs import read_input
    from ul_engine.media.sequences import is_sequence

    refused = None if is_sequence(path) else refusal(path)
    if refused is not None:
        return InputFailed(path, refused.sentence, refused.is_too_large)
    try:
        found = read_input(path, MAX_FRAMES)
    except DataError as error:
        return InputFailed(path, str(error).removeprefix(f"{path}: "))
    count, height, width, _ = found.frames.shape
    frames = split_batch((count, height, width, 3), found.frames.tobytes())
    clip = Clip(frames, found.fps if count > 1 else None)
    return InputRead(path, clip, _thumbnail(clip.poster))


def _thumbnail(pixels: Pixels) -> Pixels:
    from PIL import Image

    picture = Image.frombytes("RGB", (pixels.width_px, pixels.height_px), pixels.data)
    picture.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), reducing_gap=2.0)
    return Pixels(picture.width, picture.height, picture.tobytes())


def _keep(image: QImage, folder: Path) -> PastedKept | InputFailed:
    return _kept(keep_pasted(image, folder))


def _smaller(path: str, folder: Path) -> PastedKept | InputFailed:
    return _kept(keep_smaller(path, folder))


def _kept(found: str | FileProblem) -> PastedKept | InputFailed:
    return InputFailed(found.path, found.sentence) if isinstance(found, FileProblem) else PastedKept(found)
