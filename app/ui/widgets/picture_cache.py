"""Pictures of the results, scaled for the screen and kept for the next paint."""

from collections import OrderedDict
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap

from app.models.results import Tile
from app.services.late_images import LateImages
from app.services.media import image_of, load_image

MAX_ENTRIES = 200


@dataclass(frozen=True)
class _Key:
    job_id: str
    index: int
    width: int
    height: int
    is_crisp: bool
    frame: int | None


class PictureCache:
    """Newest used stay, the others go. A tile with new pixels replaces its old entry."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self.late = LateImages()
        self._entries: OrderedDict[_Key, tuple[object, QPixmap]] = OrderedDict()

    def scaled(
        self, tile: Tile, size: QSize, ratio: float, *, is_crisp: bool, frame: int | None = None
    ) -> QPixmap | None:
        """The tile's picture (of a clip in memory: this frame) fitted into `size` logical pixels; None if it has none
        (any more)."""
        if tile.clip is None:
            frame = None
        room = QSize(round(size.width() * ratio), round(size.height() * ratio))
        key = _Key(tile.job_id, tile.index, room.width(), room.height(), is_crisp, frame)
        source: object = tile.pixels or tile.path
        found = self._entries.get(key)
        if found is not None and found[0] is source:
            self._entries.move_to_end(key)
            return found[1]
        image = self._image(tile) if frame is None else _frame_image(tile, frame)
        if image is None:
            return None
        pixmap = QPixmap.fromImage(fit(image, room, is_crisp=is_crisp))
        pixmap.setDevicePixelRatio(ratio)
        self._entries[key] = (source, pixmap)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
        return pixmap

    def _image(self, tile: Tile) -> QImage | None:
        """The full picture, from memory or, once it has been decoded, from its file."""
        if tile.pixels is not None:
            return image_of(tile.pixels)
        return self.late.image(tile.path) if tile.path else None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


def _frame_image(tile: Tile, frame: int) -> QImage | None:
    return image_of(tile.clip.frames[frame % len(tile.clip.frames)]) if tile.clip is not None else None


def tile_image(tile: Tile) -> QImage | None:
    """The full picture of a tile, from memory or from its file."""
    if tile.pixels is not None:
        return image_of(tile.pixels)
    return load_image(tile.path) if tile.path else None


def fit(image: QImage, room: QSize, *, is_crisp: bool) -> QImage:
    """`image` as large as `room` allows. Crisp enlarging uses whole factors: all pixels come out the same size."""
    factor = min(room.width() / image.width(), room.height() / image.height())
    if is_crisp and factor >= 1.0:
        whole = int(factor)
        return image.scaled(image.width() * whole, image.height() * whole)
    mode = Qt.TransformationMode.SmoothTransformation
    return image.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, mode)
