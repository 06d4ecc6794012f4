"""Reads pictures and videos that are to be compared, and keeps what was pasted: in a thread, in order."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.pixels import Clip, Pixels, split_batch
<<<<<<< HEAD
from app.services.file_facts import FileProblem, keep_pasted, keep_smaller, refusal
=======
from app.services.file_facts import FileFacts, FileKind, FileProblem, keep_pasted, keep_smaller, look_at
>>>>>>> ecd054d (compare: files against files; pictures are looked at before they are read; measures along the ladder)
from app.services.in_order import InOrder
from app.services.media import pixels_of
from ul_engine.errors import DataError

MAX_FRAMES = 64
"""Of a video, from its beginning; as many as the engine takes."""
<<<<<<< HEAD
THUMBNAIL_PX = 96
=======
>>>>>>> ecd054d (compare: files against files; pictures are looked at before they are read; measures along the ladder)


@dataclass(frozen=True)
class InputRead:
    """A file was read. `clip` is what there is to see of it, at most so many frames as the engine takes."""

    facts: FileFacts
    clip: Clip
    thumbnail: Pixels


@dataclass(frozen=True)
class InputFailed:
    """A file cannot be read."""

    path: str
<<<<<<< HEAD
    message: str
    is_too_large: bool = False
    """A smaller copy would do."""


@dataclass(frozen=True)
class PastedKept:
    """A pasted picture, or a smaller copy of one, is in a file."""
=======
    sentence: str
    """Reads on after the file's name."""
    is_too_large: bool = False
    is_folder: bool = False


@dataclass(frozen=True)
class InputKept:
    """A picture of the clipboard, or a smaller copy of one that is too large, is in a file."""
>>>>>>> ecd054d (compare: files against files; pictures are looked at before they are read; measures along the ladder)

    path: str
    instead_of: str = ""


class InputFiles(QObject):
    """One thing at a time."""

    input_read = Signal(object)  # InputRead
    input_failed = Signal(object)  # InputFailed
    input_kept = Signal(object)  # InputKept

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = InOrder("input-files", self)
        self._work.finished.connect(self._on_finished)

    def read(self, path: str) -> None:
        """Read a file; ends in `input_read` or `input_failed`."""
        self._work.start(_read, path)

    def keep_pasted(self, image: QImage) -> None:
        """Give a picture of the clipboard a file; ends in `input_kept` or `input_failed`."""
        self._work.start(_keep_pasted, image.copy(), kept_dir() / "pasted")

    def keep_smaller(self, path: str) -> None:
        """Make a smaller copy of a picture; ends in `input_kept` or `input_failed`."""
        self._work.start(_keep_smaller, path, kept_dir() / "smaller")

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
            case InputKept():
                self.input_kept.emit(found)


def kept_dir() -> Path:
    """Folder of pictures that had no file."""
    from platformdirs import user_cache_path

    return user_cache_path("UL Studio", appauthor=False)


# ---- in the thread ------------------------------------------------------------------------------------------------


def _read(path: str) -> InputRead | InputFailed:
    from ul_engine.media.inputs import read_input
    from ul_engine.media.sequences import is_sequence

<<<<<<< HEAD
    refused = None if is_sequence(path) else refusal(path)
    if refused is not None:
        return InputFailed(path, refused.sentence, refused.is_too_large)
=======
    facts = look_at(path)
    if isinstance(facts, FileProblem):
        return _failed(facts)
    if facts.kind is FileKind.FOLDER or facts.thumbnail is None:
        return InputFailed(path, "is a folder", is_folder=True)
>>>>>>> ecd054d (compare: files against files; pictures are looked at before they are read; measures along the ladder)
    try:
        found = read_input(path, MAX_FRAMES)
    except DataError as error:
        return InputFailed(path, str(error).removeprefix(f"{path}: "))
    count, height, width, _ = found.frames.shape
    frames = split_batch((count, height, width, 3), found.frames.tobytes())
    return InputRead(facts, Clip(frames, found.fps if count > 1 else None), pixels_of(facts.thumbnail))


def _keep_pasted(image: QImage, folder: Path) -> InputKept | InputFailed:
    kept = keep_pasted(image, folder)
    return _failed(kept) if isinstance(kept, FileProblem) else InputKept(kept)


<<<<<<< HEAD
def _keep(image: QImage, folder: Path) -> PastedKept | InputFailed:
    return _kept(keep_pasted(image, folder))


def _smaller(path: str, folder: Path) -> PastedKept | InputFailed:
    return _kept(keep_smaller(path, folder))


def _kept(found: str | FileProblem) -> PastedKept | InputFailed:
    return InputFailed(found.path, found.sentence) if isinstance(found, FileProblem) else PastedKept(found)
=======
def _keep_smaller(path: str, folder: Path) -> InputKept | InputFailed:
    kept = keep_smaller(path, folder)
    return _failed(kept) if isinstance(kept, FileProblem) else InputKept(kept, instead_of=path)


def _failed(problem: FileProblem) -> InputFailed:
    return InputFailed(problem.path, problem.sentence, problem.is_too_large)
>>>>>>> ecd054d (compare: files against files; pictures are looked at before they are read; measures along the ladder)
