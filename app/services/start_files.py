"""What pictures and clips begin with: looks at files off the window's thread, and keeps pictures that have none."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.pixels import Pixels
from app.services import file_facts
from app.services.background import LatestTask
from app.services.file_facts import FileKind, FileProblem
from app.services.json_file import write_whole
from ul_engine.errors import DataError, EngineError
from ul_engine.metadata import encode_png, read_request


@dataclass(frozen=True)
class Beginning:
    """A picture or clip that can be begun with."""

    path: str
    is_clip: bool
    size_px: tuple[int, int]
    num_frames: int = 1
    thumbnail: QImage | None = None
    notes: tuple[str, ...] = ()
    """What one should know of it; each reads on after the file's name."""
    prompt: str = ""
    """What a clip that this program made was asked for."""


@dataclass(frozen=True)
class BeginningProblem:
    """Why a file is no beginning."""

    path: str
    sentence: str


class StartFiles(QObject):
    """Of several wishes in a row only the last one counts."""

    looked = Signal(object)  # Beginning | BeginningProblem
    mask_kept = Signal(object)  # str | BeginningProblem

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._look = LatestTask(self)
        self._mask = LatestTask(self)
        self._look.finished.connect(self.looked)
        self._mask.finished.connect(self.mask_kept)

    def look(self, path: str) -> None:
        """Find out what a file holds."""
        self._look.start(lambda: look_at(path))

    def keep(self, pixels: Pixels) -> None:
        """Give a picture without a file one, and look at it."""
        self._look.start(lambda: _kept_and_looked(pixels, self._folder))

    def keep_mask(self, mask: Pixels) -> None:
        """Give a painted mask a file; white is made anew."""
        self._mask.start(lambda: _kept(mask, self._folder))


def look_at(path: str) -> Beginning | BeginningProblem:
    """What a file holds; of a clip its last frame is shown, for there it goes on."""
    found = file_facts.look_at(path, shows_end=True)
    if isinstance(found, FileProblem):
        return BeginningProblem(path, found.sentence)
    if found.kind is FileKind.FOLDER:
        return BeginningProblem(path, "is a folder; choose a picture or a clip in it")
    is_clip = found.kind is FileKind.CLIP
    prompt = _prompt_of(path) if is_clip else ""
    return Beginning(path, is_clip, found.size_px, found.num_frames, found.thumbnail, found.notes, prompt)


def _prompt_of(path: str) -> str:
    try:
        return read_request(path).request.prompt
    except DataError:  # made by another program, or cut short: a clip to go on from all the same
        return ""


def _kept_and_looked(pixels: Pixels, folder: Path) -> Beginning | BeginningProblem:
    kept = _kept(pixels, folder)
    return kept if isinstance(kept, BeginningProblem) else look_at(kept)


def _kept(pixels: Pixels, folder: Path) -> str | BeginningProblem:
    """A file named by its content, so that the same picture is kept once."""
    digest = hashlib.sha256(f"{pixels.width_px}x{pixels.height_px}".encode() + pixels.data).hexdigest()[:20]
    path = folder / f"{digest}.png"
    try:
        if not path.is_file():
            data = encode_png(pixels.data, width_px=pixels.width_px, height_px=pixels.height_px, texts={})
            write_whole(path, data)
    except EngineError as error:
        return BeginningProblem(str(path), str(error))
    return str(path)
