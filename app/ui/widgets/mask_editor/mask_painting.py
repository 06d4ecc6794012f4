"""A mask as strokes paint it: where it is opaque, a picture is made anew; the rest is kept."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.pixels import Pixels
from app.services.media import pixels_of

MAX_SIDE_PX = 1024
"""Masks of larger pictures are painted smaller and enlarged in the end: they follow a brush, not pixels."""
MAX_UNDO = 40
_INK_RGB = (214, 60, 255)


@dataclass(frozen=True)
class Brush:
    """What a stroke paints with. `size` is the diameter as a share of the picture's longer side."""

    size: float = 0.12
    is_eraser: bool = False


def ink() -> QColor:
    """The colour of what is made anew, in both palettes: it lies over pictures."""
    return QColor(*_INK_RGB)


class MaskPainting(QObject):
    """Positions are in pixels of the picture that the mask belongs to."""

    mask_changed = Signal()

    def __init__(self, picture_px: QSize, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._picture_px = QSize(picture_px)
        side = max(picture_px.width(), picture_px.height())
        self._scale = min(1.0, MAX_SIDE_PX / side)
        size = QSize(max(1, round(picture_px.width() * self._scale)), max(1, round(picture_px.height() * self._scale)))
        self._image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        self._image.fill(Qt.GlobalColor.transparent)
        self._undo: list[QImage] = []
        self._last: QPointF | None = None

    # ---- what it is -----------------------------------------------------------------------------------------------

    @property
    def overlay(self) -> QImage:
        """The mask as ink over the picture; it goes on changing while it is painted."""
        return self._image

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._undo)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be made anew."""
        return not any(bytes(self._image.constBits()))

    def diameter_px(self, brush: Brush) -> float:
        """The brush on the picture, in its pixels."""
        return max(1.0, brush.size * max(self._picture_px.width(), self._picture_px.height()))

    def pixels(self) -> Pixels:
        """The mask as large as its picture: white is made anew, black is kept."""
        mask = QImage(self._image.size(), QImage.Format.Format_RGB32)
        mask.fill(Qt.GlobalColor.black)
        painter = QPainter(mask)
        painter.drawImage(0, 0, self._white())
        painter.end()
        if mask.size() != self._picture_px:
            smooth = Qt.TransformationMode.SmoothTransformation
            mask = mask.scaled(self._picture_px, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        return pixels_of(mask)

    def _white(self) -> QImage:
        """The ink in white."""
        white = QImage(self._image)
        painter = QPainter(white)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(white.rect(), Qt.GlobalColor.white)
        painter.end()
        return white

    # ---- what changes it ------------------------------------------------------------------------------------------

    def begin_stroke(self, at: QPointF, brush: Brush) -> None:
        """Put the brush down."""
        self._remember()
        self._last = at
        self._draw(at, at, brush)

    def go_on(self, at: QPointF, brush: Brush) -> None:
        """Draw on to here."""
        if self._last is not None:
            self._draw(self._last, at, brush)
            self._last = at

    def end_stroke(self) -> None:
        """Lift the brush."""
        self._last = None

    def clear(self) -> None:
        """Keep everything."""
        self._remember()
        self._image.fill(Qt.GlobalColor.transparent)
        self.mask_changed.emit()

    def invert(self) -> None:
        """Swap what is kept and what is made anew."""
        self._remember()
        painter = QPainter(self._image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOut)
        painter.fillRect(self._image.rect(), ink())
        painter.end()
        self.mask_changed.emit()

    def undo(self) -> None:
        """Take the last step back."""
        if self._undo:
            self._image = self._undo.pop()
            self.mask_changed.emit()

    def load(self, mask: QImage) -> None:
        """Go on with a mask of an earlier time."""
        grey = mask.convertToFormat(QImage.Format.Format_Grayscale8).scaled(self._image.size())
        layer = QImage(grey.size(), QImage.Format.Format_ARGB32_Premultiplied)
        layer.fill(ink())
        layer.setAlphaChannel(grey)
        self._image = layer.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        self._undo.clear()
        self.mask_changed.emit()

    def _remember(self) -> None:
        self._undo.append(self._image.copy())
        del self._undo[:-MAX_UNDO]

    def _draw(self, first: QPointF, last: QPointF, brush: Brush) -> None:
        width = max(1.0, self.diameter_px(brush) * self._scale)
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        modes = QPainter.CompositionMode
        painter.setCompositionMode(
            modes.CompositionMode_DestinationOut if brush.is_eraser else modes.CompositionMode_SourceOver
        )
        painter.setPen(QPen(ink(), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        begin, end = first * self._scale, last * self._scale
        if begin == end:
            end = QPointF(end.x() + 0.01, end.y())  # a line without length is not painted
        painter.drawLine(begin, end)
        painter.end()
        self.mask_changed.emit()
