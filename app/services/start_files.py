"""What pictures and clips begin with: looks at files off the window's thread, and keeps pictures that have none."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

from app.pixels import Pixels
from app.services.background import LatestTask
from app.services.json_file import write_whole
from ul_engine.errors import DataError, EngineError
from ul_engine.metadata import encode_png

THUMBNAIL_PX = 192


@dataclass(frozen=True)
class Beginning:
    """A picture or clip that can be begun with."""

    path: str
    is_clip: bool
    size_px: tuple[int, int]
    num_frames: int = 1
    thumbnail: QImage | None = None


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
    """What a file holds. Pictures are read by their content, clips by their container."""
    if not Path(path).is_file():
        return BeginningProblem(path, "is no longer there")
    reader = QImageReader(path)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    if reader.canRead() and reader.imageCount() <= 1:
        return _picture(path, reader)
    return _clip(path)


def _picture(path: str, reader: QImageReader) -> Beginning | BeginningProblem:
    size = reader.size()
    reader.setScaledSize(
        size.scaled(QSize(THUMBNAIL_PX, THUMBNAIL_PX), Qt.AspectRatioMode.KeepAspectRatio)
        if size.isValid()
        else QSize()
    )
    image = reader.read()
    if image.isNull():
        return BeginningProblem(path, "cannot be read as a picture; it may be damaged or cut short")
    if not size.isValid():
        size = image.size()
    if reader.transformation().value & 4:  # turned by a quarter
        size.transpose()
    return Beginning(path, False, (size.width(), size.height()), thumbnail=image)


def _clip(path: str) -> Beginning | BeginningProblem:
    from app.services.media import image_of
    from ul_engine.media.reading import open_clip

    try:
        with open_clip(path) as clip:
            info = clip.info
            frame = clip.frame(info.num_frames - 1)
    except DataError as error:
        return BeginningProblem(path, str(error).removeprefix(f"{path}: "))
    height, width = frame.shape[:2]
    image = image_of(Pixels(width, height, frame.tobytes()))
    small = image.scaled(
        THUMBNAIL_PX, THUMBNAIL_PX, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    return Beginning(path, info.num_frames > 1, (width, height), info.num_frames, small)


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
