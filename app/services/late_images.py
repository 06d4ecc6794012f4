"""Pictures in files, decoded off the window's thread when a list first shows them."""

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.services.background import LatestTask
from app.services.media import load_image

MAX_KEPT = 48
"""More than a screen shows at once; whoever paints keeps its own, smaller ones."""
MAX_KEPT_BYTES = 256 * 2**20
"""Of large pictures fewer are kept, but never less than one batch."""
_BATCH = 4


class LateImages(QObject):
    """`image` answers at once; what is not there yet is told by `arrived`. What was asked for last comes first."""

    arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[str, QImage | None] = OrderedDict()
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._is_loading = False
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_loaded)

    def image(self, path: str) -> QImage | None:
        """The picture in a file; None if it is not there yet, or cannot be read."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        self._wanted[path] = None
        self._wanted.move_to_end(path)
        self._go_on()
        return None

    def _go_on(self) -> None:
        if self._is_loading or not self._wanted:
            return
        batch = [self._wanted.popitem(last=True)[0] for _ in range(min(_BATCH, len(self._wanted)))]
        while len(self._wanted) > MAX_KEPT:  # scrolled past long ago
            self._wanted.popitem(last=False)
        self._is_loading = True
        self._task.start(lambda: {path: load_image(path) for path in batch})

    def _on_loaded(self, images: dict[str, QImage | None]) -> None:
        self._is_loading = False
        self._kept.update(images)
        while len(self._kept) > _BATCH and (len(self._kept) > MAX_KEPT or self._num_bytes() > MAX_KEPT_BYTES):
            self._kept.popitem(last=False)
        self._go_on()
        self.arrived.emit()

    def _num_bytes(self) -> int:
        return sum(image.sizeInBytes() for image in self._kept.values() if image is not None)
