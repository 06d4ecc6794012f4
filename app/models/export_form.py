"""What is exported, as what, and how far it is: the state behind the export dialog."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.progress import grouped
from app.pixels import Clip
from ul_engine.metadata import EmbeddedRequest

SCALES = (1, 2, 4, 8)
MAX_SIDE_PX = 16_384


class ExportFormat(StrEnum):
    """Kinds of files; the value is the suffix."""

    MP4 = "mp4"
    WEBM = "webm"
    GIF = "gif"
    WEBP = "webp"
    PNG = "png"
    JPEG = "jpg"


CLIP_FORMATS = (ExportFormat.MP4, ExportFormat.WEBM, ExportFormat.GIF, ExportFormat.WEBP, ExportFormat.PNG)
PICTURE_FORMATS = (ExportFormat.PNG, ExportFormat.WEBP, ExportFormat.JPEG)
WITH_QUALITY = (ExportFormat.MP4, ExportFormat.WEBM, ExportFormat.WEBP, ExportFormat.JPEG)
MAX_FPS = {ExportFormat.GIF: 50.0, ExportFormat.WEBP: 90.0}
"""Viewers show faster ones slowly."""


@dataclass(frozen=True)
class ExportSubject:
    """A picture or a clip that is to be written anew."""

    name: str
    """Of the file, without its suffix."""
    size_px: tuple[int, int]
    num_frames: int = 1
    fps: float | None = None
    """None: a picture."""
    clip: Clip | None = None
    """The frames, while they are in memory; else `path` holds them."""
    path: str = ""
    embedded: EmbeddedRequest | None = None
    """How it was made; None: as its file says, if it says anything."""

    @property
    def is_moving(self) -> bool:
        """Whether it is a clip."""
        return self.fps is not None


@dataclass(frozen=True)
class ExportSettings:
    """How it is to be written."""

    format: ExportFormat = ExportFormat.MP4
    quality: int = 80
    fps: float = 24.0
    scale: int = 1
    is_ping_pong: bool = False
    keeps_request: bool = True


@dataclass(frozen=True)
class ExportWish:
    """A person wants this written there."""

    subject: ExportSubject
    settings: ExportSettings
    path: str


@dataclass(frozen=True)
class ExportProgress:
    """How far it is."""

    line: str = ""
    fraction: float = 0.0


@dataclass(frozen=True)
class PlaceNote:
    """What is to be said of the place that was chosen."""

    path: str
    problem: str = ""
    warning: str = ""


class ExportForm(QObject):
    """One export at a time. Knows what each format can do; whether a place is good is told by whoever looks."""

    form_changed = Signal()
    place_changed = Signal(object)  # str: somebody should look whether it is good
    progress_changed = Signal(object)  # ExportProgress, or None when nothing runs
    export_requested = Signal(object)  # ExportWish
    cancel_requested = Signal()
    finished = Signal()
    """The file is written."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._subject = ExportSubject("", (1, 1))
        self._settings = ExportSettings()
        self._liked = {True: ExportFormat.MP4, False: ExportFormat.PNG}
        self._folder = Path.home()
        self._path = ""
        self._note = PlaceNote("")
        self._progress: ExportProgress | None = None

    # ---- what is ---------------------------------------------------------------------------------------------------

    @property
    def subject(self) -> ExportSubject:
        """What is exported."""
        return self._subject

    @property
    def settings(self) -> ExportSettings:
        """How."""
        return self._settings

    @property
    def path(self) -> str:
        """Where to: a file, or a folder for the pictures of a clip."""
        return self._path

    @property
    def warning(self) -> str:
        """What will happen there that one should know."""
        return self._note.warning if self._note.path == self._path else ""

    @property
    def progress(self) -> ExportProgress | None:
        """Of the export that runs."""
        return self._progress

    @property
    def formats(self) -> tuple[ExportFormat, ...]:
        """What the subject can be written as."""
        return CLIP_FORMATS if self._subject.is_moving else PICTURE_FORMATS

    @property
    def has_quality(self) -> bool:
        """Whether the format can be better or smaller."""
        return self._settings.format in WITH_QUALITY

    @property
    def makes_folder(self) -> bool:
        """Whether a folder of pictures comes of it."""
        return self._subject.is_moving and self._settings.format is ExportFormat.PNG

    @property
    def num_frames(self) -> int:
        """Frames that are written."""
        count = self._subject.num_frames
        return 2 * count - 2 if self._settings.is_ping_pong and count > 2 else count

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height that are written; H.264 takes even ones only, so one row or column may be repeated."""
        width, height = (side * self._settings.scale for side in self._subject.size_px)
        if self._settings.format is ExportFormat.MP4:
            return width + width % 2, height + height % 2
        return width, height

    @property
    def summary(self) -> str:
        """What will come of it, in a line."""
        width, height = self.size_px
        parts = [self.tr("{width} × {height} px").format(width=grouped(width), height=grouped(height))]
        if self._subject.is_moving:
            seconds = self.num_frames / self._settings.fps
            parts.insert(0, self.tr("{count} frames").format(count=grouped(self.num_frames)))
            parts.append(self.tr("{seconds} s").format(seconds=f"{seconds:.2f}"))
        return " · ".join(parts)

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by field."""
        found: dict[str, str] = {}
        most = MAX_FPS.get(self._settings.format)
        if self._subject.is_moving and most is not None and self._settings.fps > most:
            found["fps"] = self.tr("This kind of file plays at most {fps} frames per second.").format(fps=f"{most:g}")
        if max(self.size_px) > MAX_SIDE_PX:
            found["scale"] = self.tr("Too large: at most {side} px a side.").format(side=grouped(MAX_SIDE_PX))
        if not self._path.strip():
            found["path"] = self.tr("Choose where to write it.")
        elif self._note.path == self._path and self._note.problem:
            found["path"] = self._note.problem
        return found

    # ---- what changes it -------------------------------------------------------------------------------------------

    def begin(self, subject: ExportSubject, *, keeps_request: bool = True) -> bool:
        """Prepare to export something, into the folder of the last time; False while another export is running."""
        if self._progress is not None:
            return False
        chosen = self._liked[subject.is_moving]
        fps = subject.fps or self._settings.fps
        self._subject = subject
        self._settings = replace(self._settings, format=chosen, fps=fps, scale=1, is_ping_pong=False)
        self._settings = replace(self._settings, keeps_request=keeps_request)
        self._set_path(str(self._folder / self._file_name()))
        return True

    def update(self, **changes: Any) -> None:
        """Set some of the settings."""
        before = self._settings
        self._settings = replace(before, **changes)
        if self._settings.format is not before.format:
            self._liked[self._subject.is_moving] = self._settings.format
            self._set_path(str(self._with_suffix(Path(self._path))) if self._path else "")
        elif self._settings != before:
            self.form_changed.emit()

    def set_path(self, path: str) -> None:
        """Write it there; a known suffix also chooses the format."""
        suffix = Path(path).suffix.lower().removeprefix(".").replace("jpeg", "jpg")
        if suffix in [str(each) for each in self.formats] and suffix != self._settings.format:
            self._settings = replace(self._settings, format=ExportFormat(suffix))
            self._liked[self._subject.is_moving] = self._settings.format
        self._set_path(path)

    def set_note(self, note: PlaceNote) -> None:
        """Somebody looked at the place."""
        self._note = note
        self.form_changed.emit()

    def request(self) -> None:
        """Write it, if nothing is wrong."""
        if not self.errors and self._progress is None:
            path = self._path if self.makes_folder else str(self._with_suffix(Path(self._path)))
            self._folder = Path(path).parent
            self.export_requested.emit(ExportWish(self._subject, self._settings, path))

    def cancel(self) -> None:
        """Stop the export that runs."""
        if self._progress is not None:
            self.cancel_requested.emit()

    def set_progress(self, progress: ExportProgress | None) -> None:
        """It has come so far; None: it is over."""
        self._progress = progress
        self.progress_changed.emit(progress)

    def finish(self) -> None:
        """It is written."""
        self.set_progress(None)
        self.finished.emit()

    def _file_name(self) -> str:
        return str(self._with_suffix(Path(self._subject.name or "export")))

    def _with_suffix(self, path: Path) -> Path:
        """The path with the suffix of the format; a folder of pictures has none."""
        known = {str(each) for each in ExportFormat} | {"jpeg"}
        stem = path.with_suffix("") if path.suffix.lower().removeprefix(".") in known else path
        return stem if self.makes_folder else stem.with_name(f"{stem.name}.{self._settings.format}")

    def _set_path(self, path: str) -> None:
        self._path = path
        self.form_changed.emit()
        self.place_changed.emit(path)
