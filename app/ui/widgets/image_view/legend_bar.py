"""What the colours of a map mean."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import TYPE
from app.ui.widgets.image_view.colour_maps import NUM_COLOURS, ColourMap, table

_BAR_PX = 10
_WIDTH_PX = 220
_PLATE_PX = 160


@dataclass(frozen=True)
class Scale:
    """A colour map with the numbers at its ends, as people read them."""

    colour_map: ColourMap
    low: str
    high: str
    middle: str = ""
    unit: str = ""


class LegendBar(QWidget):
    """A strip of colours with its numbers below."""

    def __init__(self, scale: Scale | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = scale
        self._describe()

    def set_scale(self, scale: Scale | None) -> None:
        """Other colours or numbers; None: nothing to explain."""
        if scale != self._scale:
            self._scale = scale
            self._describe()
            self.update()

    def sizeHint(self) -> QSize:
        """A strip and a line of small text."""
        return QSize(_WIDTH_PX, _BAR_PX + 4 + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """Narrower it tells nothing."""
        return QSize(_WIDTH_PX // 2, self.sizeHint().height())

    def _describe(self) -> None:
        scale = self._scale
        self.setVisible(scale is not None)
        if scale is not None:
            text = self.tr("Colours from {low} to {high} {unit}")
            self.setAccessibleName(text.format(low=scale.low, high=scale.high, unit=scale.unit).rstrip())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The strip, its frame, its numbers."""
        scale = self._scale
        if scale is None:
            return
        c = colours()
        painter = QPainter(self)
        paint_scale(painter, scale, QRectF(self.rect()), text=QColor(c.muted), frame=QColor(c.field_line))
        painter.end()


def paint_scale(painter: QPainter, scale: Scale, area: QRectF, *, text: QColor, frame: QColor) -> None:
    """A strip of colours at the top of `area`, its numbers below."""
    bar = QRectF(area.x() + 0.5, area.y() + 0.5, area.width() - 1, _BAR_PX)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for place, (red, green, blue) in enumerate(table(scale.colour_map).tolist()):
        gradient.setColorAt(place / (NUM_COLOURS - 1), QColor(red, green, blue))
    painter.setPen(QPen(frame, 1))
    painter.setBrush(gradient)
    painter.drawRect(bar)
    painter.setPen(text)
    painter.setFont(font(TYPE.caption, has_even_digits=True))
    below = area.adjusted(0, _BAR_PX + 3, 0, 0)
    high = f"{scale.high} {scale.unit}".rstrip()
    for words, side in (
        (scale.low, Qt.AlignmentFlag.AlignLeft),
        (scale.middle, Qt.AlignmentFlag.AlignHCenter),
        (high, Qt.AlignmentFlag.AlignRight),
    ):
        painter.drawText(below, int(side | Qt.AlignmentFlag.AlignTop), words)


def paint_legend(painter: QPainter, scale: Scale, corner: QPointF, room: float) -> None:
    """A scale on a dark plate over a picture; `corner` is the plate's lower left one."""
    size = QSizeF(min(_PLATE_PX, room), _BAR_PX + 34)
    plate = QRectF(corner - QPointF(0, size.height()), size)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(12, 13, 16, 215))
    painter.drawRoundedRect(plate, 5, 5)
    inner = plate.adjusted(10, 9, -10, -4)
    paint_scale(painter, scale, inner, text=QColor(240, 242, 245), frame=QColor(255, 255, 255, 120))
    painter.restore()
