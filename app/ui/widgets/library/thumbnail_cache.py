"""Small pictures in memory, ready to be painted; those not there are wished for."""

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPixmap

from app.gallery import GalleryItem, GalleryKind
from app.services.gallery.thumbnails import Thumbnail, ThumbnailWish

MEMORY_BYTES = 128 * 2**20


class ThumbnailCache(QObject):
    """Least recently painted go first."""

    wished = Signal(object)  # ThumbnailWish
    filled = Signal(object)  # str: path

    def __init__(self, parent: QObject | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        super().__init__(parent)
        self._memory_bytes = memory_bytes
        self._num_bytes = 0
        self._pixmaps: OrderedDict[ThumbnailWish, QPixmap | None] = OrderedDict()
        self._newest: dict[str, ThumbnailWish] = {}
        self._wished: set[ThumbnailWish] = set()

    def pixmap(self, item: GalleryItem, side_px: int, ratio: float) -> QPixmap | None:
        """The picture of a result, for a longer side of `side_px` pixels of the screen.

        None if there is none, yet or at all; a picture of another size serves until the right one is there.
        """
        wish = ThumbnailWish(item.path, item.modified_s, side_px, item.kind is GalleryKind.CLIP)
        if wish in self._pixmaps:
            self._pixmaps.move_to_end(wish)
            return self._pixmaps[wish]
        if wish not in self._wished:
            self._wished.add(wish)
            self.wished.emit(wish)
        other = self._newest.get(item.path)
        return self._pixmaps.get(other) if other is not None else None

    def is_missing(self, item: GalleryItem, side_px: int) -> bool:
        """Whether it is known that there is no picture."""
        wish = ThumbnailWish(item.path, item.modified_s, side_px, item.kind is GalleryKind.CLIP)
        return wish in self._pixmaps and self._pixmaps[wish] is None

    @property
    def is_waiting(self) -> bool:
        """Whether a picture that was wished for is still to come."""
        return bool(self._wished)

    def set_thumbnail(self, news: Thumbnail) -> None:
        """A wish came true."""
        self._wished.discard(news.wish)
        pixmap = QPixmap.fromImage(news.image) if news.image is not None else None
        self._pixmaps[news.wish] = pixmap
        self._newest[news.wish.path] = news.wish
        self._num_bytes += _bytes_of(pixmap)
        while self._num_bytes > self._memory_bytes and len(self._pixmaps) > 1:
            old, gone = self._pixmaps.popitem(last=False)
            self._num_bytes -= _bytes_of(gone)
            if self._newest.get(old.path) == old:
                del self._newest[old.path]
        self.filled.emit(news.wish.path)

    def forget_wishes(self) -> None:
        """What was wished for may be wished for again: others came before it."""
        self._wished.clear()


def _bytes_of(pixmap: QPixmap | None) -> int:
    return pixmap.width() * pixmap.height() * 4 if pixmap is not None else 64
