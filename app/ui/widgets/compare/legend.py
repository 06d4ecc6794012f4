"""What the colours of a map mean, with a mark at the value under the pointer."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent

from app.ui.theme.theme import colours
from app.ui.widgets.image_view.colour_maps import ColourMap
from app.ui.widgets.image_view.legend_bar import LegendBar, Scale

MARK_PX = 3
BAR_PX = 11


class ValueLegend(LegendBar):
    """The legend of one map."""

    _low, _high = 0.0, 1.0
    _value: float | None = None

    def set_range(self, colour_map: ColourMap, low: float, high: float, unit: str) -> None:
        """Other colours or numbers."""
        self._low, self._high = low, high
        self.set_scale(Scale(colour_map, f"{low:.3g}", f"{high:.3g}", unit=unit))

    def set_value(self, value: float | None) -> None:
        """Mark a value."""
        if value != self._value:
            self._value = value
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The strip, and the mark on it."""
        super().paintEvent(event)
        if self._value is None:
            return
        share = (self._value - self._low) / max(self._high - self._low, 1e-12)
        x = min(max(share, 0.0), 1.0) * (self.width() - MARK_PX)
        painter = QPainter(self)
        painter.fillRect(QRectF(x - 1, 0, MARK_PX + 2, BAR_PX), QColor(colours().window))
        painter.fillRect(QRectF(x, 0, MARK_PX, BAR_PX), QColor(colours().text))
        painter.end()
