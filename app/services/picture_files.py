"""Reads and writes files of pictures and clips in a thread of its own, so that a slow disk never stalls the window."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.pixels import Clip
from app.services.gallery.place import find_place
from app.services.gallery.stars import write_stars
from app.services.worker_thread import raise_bugs
from ul_engine.errors import DataError, EngineError
from ul_engine.metadata import EmbeddedRequest, read_request
from ul_engine.outputs import explained, save_clip, save_picture
from ul_engine.requests import GenerateRequest, InterpolateRequest

BEGINNING_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff", ".mp4", ".webm", ".mkv", ".mov")
)


@dataclass(frozen=True)
class ResultToSave:
    """One finished picture or clip of a job."""

    job_id: str
    index: int
    clip: Clip
    request: GenerateRequest | InterpolateRequest
    """What made it, and is kept in its file: as result `number` of this."""
    number: int
    model_name: str
    keeps_request: bool = True


@dataclass(frozen=True)
class PictureSaved:
    """A picture is on the disk."""

    job_id: str
    index: int
    path: str


@dataclass(frozen=True)
class SaveFailed:
    """A picture could not be written; it lives in memory only."""

    job_id: str
    index: int
    message: str


@dataclass(frozen=True)
class SettingsRead:
    """A file told how it was made."""

    path: str
    embedded: EmbeddedRequest


@dataclass(frozen=True)
class Starred:
    """A result has a star now, or none any more."""

    path: str
    is_starred: bool


@dataclass(frozen=True)
class FileProblem:
    """A file could not be read or written."""

    path: str
    message: str
    is_readable: bool = False
    """It is a picture or clip all the same, only without settings."""


class PictureFiles(QObject):
    """The queue in front of the disk: one thing at a time, in order."""

    picture_saved = Signal(object)  # PictureSaved
    save_failed = Signal(object)  # SaveFailed
    settings_read = Signal(object)  # SettingsRead
    read_failed = Signal(object)  # FileProblem
    starred = Signal(object)  # Starred
    star_failed = Signal(object)  # FileProblem

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.root = root
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="picture-files")

    def save(self, task: ResultToSave) -> None:
        """Write a finished picture or clip under the outputs folder."""
        self._submit(self._save, task, self.root)

    def set_starred(self, path: str, is_starred: bool) -> None:
        """Star a result, or take its star, where the library finds it."""
        self._submit(self._set_starred, path, is_starred, self.root)

    def read_settings(self, path: str) -> None:
        """Find out how a picture file was made."""
        self._submit(self._read_settings, path)

    def close(self) -> None:
        """Finish what is queued (a few pictures at most) and end the thread."""
        self._executor.shutdown(wait=True)

    def _submit(self, work: Callable[..., None], *args: object) -> None:
        self._executor.submit(work, *args).add_done_callback(raise_bugs)

    # ---- in the thread; signals are queued to their receivers -----------------------------------------------------

    def _save(self, task: ResultToSave, root: Path) -> None:
        try:
            path = _save_clip(task, root) if task.clip.fps is not None else _save_picture(task, root)
        except EngineError as error:
            self.save_failed.emit(SaveFailed(task.job_id, task.index, str(error)))
        else:
            self.picture_saved.emit(PictureSaved(task.job_id, task.index, str(path)))

    def _set_starred(self, path: str, is_starred: bool, root: Path) -> None:
        try:
            with explained(root):
                place = find_place(root)
            name = Path(path).relative_to(place.root).as_posix()
            write_stars(place.stars, (name,), is_starred=is_starred)
        except ValueError:
            self.star_failed.emit(FileProblem(path, "lies outside the folder of results"))
        except EngineError as error:
            self.star_failed.emit(FileProblem(path, str(error)))
        else:
            self.starred.emit(Starred(path, is_starred))

    def _read_settings(self, path: str) -> None:
        try:
            embedded = read_request(path)
        except DataError as error:
            self.read_failed.emit(FileProblem(path, str(error), is_readable=is_picture_or_clip(path)))
        else:
            self.settings_read.emit(SettingsRead(path, embedded))


def is_picture_or_clip(path: str) -> bool:
    """Whether a file is of a kind that a picture or clip can begin with, by its name; looking closer comes later."""
    return Path(path).suffix.lower() in BEGINNING_SUFFIXES and Path(path).is_file()


def _save_picture(task: ResultToSave, root: Path) -> Path:
    pixels = task.clip.poster
    return save_picture(
        pixels.data,
        task.request,
        task.number,
        root,
        shape=pixels.shape,
        model_name=task.model_name,
        keeps_request=task.keeps_request,
    )


def _save_clip(task: ResultToSave, root: Path) -> Path:
    assert task.clip.fps is not None
    data, shape = task.clip.packed()
    written = save_clip(
        memoryview(data).cast("B", shape),
        task.request,
        task.number,
        root,
        fps=task.clip.fps,
        model_name=task.model_name,
        keeps_request=task.keeps_request,
    )
    return written.path
