"""A picture in halving sizes, so that painting never reads more pixels than the screen can show."""

from functools import partial

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage

from app.services.background import LatestTask

SMALLEST_SIDE_PX = 64
_PLAIN, _CLEAR = QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32_Premultiplied


class MipLevels(QObject):
    """Level 0 is the picture itself, level k has 1/2^k of its sides. Levels are made in a thread, when first needed."""

    levels_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._levels: tuple[QImage, ...] = ()
        self._is_complete = False
        self._key = 0
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_finished)

    @property
    def levels(self) -> tuple[QImage, ...]:
        """The levels that are there."""
        return self._levels

    def holds(self, image: QImage | None) -> bool:
        """Whether this is the picture that was given last."""
        return self._key == (image.cacheKey() if image is not None else 0)

    def set_image(self, image: QImage | None) -> None:
        """Another picture; its smaller levels come later."""
        if self.holds(image):
            return
        self._key = image.cacheKey() if image is not None else 0
        self._task.drop()
        self._levels = () if image is None or image.isNull() else (image,)
        self._is_complete = False

    def level_for(self, scale: float) -> QImage | None:
        """The smallest level with at least one pixel per device pixel at `scale` device pixels per picture pixel.

        If it is still being made, the best that is there.
        """
        if not self._levels:
            return None
        wanted = level_number(self._levels[0].size(), scale)
        if not self._is_complete and (wanted > 0 or self._levels[0].format() not in (_PLAIN, _CLEAR)):
            self._make()
        return self._levels[min(wanted, len(self._levels) - 1)]

    def _make(self) -> None:
        self._is_complete = True
        self._task.start(partial(make_levels, self._levels[0]))

    def _on_finished(self, levels: tuple[QImage, ...]) -> None:
        self._levels = levels
        self.levels_changed.emit()


def level_number(size: QSize, scale: float) -> int:
    """Which level serves `scale` device pixels per picture pixel."""
    level, shorter = 0, min(size.width(), size.height())
    while scale * 2 ** (level + 1) <= 1.0 and shorter >> (level + 1) >= SMALLEST_SIDE_PX:
        level += 1
    return level


def make_levels(image: QImage) -> tuple[QImage, ...]:
    """The picture in the format that is painted quickest, its half, its quarter, and so on."""
    levels = [image.convertToFormat(_CLEAR if image.hasAlphaChannel() else _PLAIN)]
    mode, any_shape = Qt.TransformationMode.SmoothTransformation, Qt.AspectRatioMode.IgnoreAspectRatio
    while min(levels[-1].width(), levels[-1].height()) >= 2 * SMALLEST_SIDE_PX:
        last = levels[-1]
        levels.append(last.scaled((last.width() + 1) // 2, (last.height() + 1) // 2, any_shape, mode))
    return tuple(levels)
