"""Reads pictures and videos that are to be compared, and keeps what was pasted: in a thread, in order."""

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.pixels import Clip, Pixels, split_batch
from app.services.file_facts import FileFacts, FileKind, FileProblem, keep_pasted, keep_smaller, look_at, thumbnail_of
from app.services.in_order import InOrder
from app.services.media import image_of, pixels_of
from ul_engine.errors import DataError

MAX_FRAMES = 64
"""Of a video, from its beginning; as many as the engine takes."""


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
    sentence: str
    """Reads on after the file's name."""
    is_too_large: bool = False
    is_folder: bool = False
    is_sequence: bool = False
    """The folder's pictures could be the frames of a clip."""


@dataclass(frozen=True)
class InputKept:
    """A picture of the clipboard, or a smaller copy of one that is too large, is in a file."""

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
        """Read a file; ends in `input_read` or `input_failed`. A folder is refused: it may be meant in two ways."""
        self._work.start(_read, path)

    def read_frames(self, folder: str) -> None:
        """Read the pictures of a folder as the frames of a clip."""
        self._work.start(_read_frames, folder)

    def keep_pasted(self, image: QImage) -> None:
        """Give a picture of the clipboard a file; ends in `input_kept` or `input_failed`."""
        self._work.start(_keep_pasted, image.copy(), kept_dir() / "pasted")

    def keep_smaller(self, path: str) -> None:
        """Make a smaller copy of a picture; ends in `input_kept` or `input_failed`."""
        self._work.start(_keep_smaller, path, kept_dir() / "smaller")

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


def _read_frames(folder: str) -> InputRead | InputFailed:
    return _read(folder, is_clip=True)


def _read(path: str, *, is_clip: bool = False) -> InputRead | InputFailed:
    from ul_engine.media.inputs import read_input
    from ul_engine.media.sequences import is_sequence

    facts = look_at(path)
    if isinstance(facts, FileProblem):
        return _failed(facts)
    if facts.kind is FileKind.FOLDER and not is_clip:
        return InputFailed(path, "is a folder", is_folder=True, is_sequence=is_sequence(path))
    try:
        found = read_input(path, MAX_FRAMES)
    except DataError as error:
        return InputFailed(path, str(error).removeprefix(f"{path}: "))
    count, height, width, _ = found.frames.shape
    frames = split_batch((count, height, width, 3), found.frames.tobytes())
    clip = Clip(frames, found.fps if count > 1 else None)
    if facts.thumbnail is None:  # a folder of frames
        image = image_of(clip.poster)
        facts = replace(facts, kind=FileKind.CLIP, num_frames=count, fps=clip.fps, thumbnail=thumbnail_of(image))
    assert facts.thumbnail is not None
    return InputRead(facts, clip, pixels_of(facts.thumbnail))


def _keep_pasted(image: QImage, folder: Path) -> InputKept | InputFailed:
    kept = keep_pasted(image, folder)
    return _failed(kept) if isinstance(kept, FileProblem) else InputKept(kept)


def _keep_smaller(path: str, folder: Path) -> InputKept | InputFailed:
    kept = keep_smaller(path, folder)
    return _failed(kept) if isinstance(kept, FileProblem) else InputKept(kept, instead_of=path)


def _failed(problem: FileProblem) -> InputFailed:
    return InputFailed(problem.path, problem.sentence, problem.is_too_large)
