"""The names of the series, each a button that hides or shows its own."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import TYPE
from app.ui.widgets.chart.palette import series_colour
from app.ui.widgets.chart.series import Series, Style
from app.ui.widgets.flow_layout import FlowLayout

SWATCH_PX, HEIGHT_PX, MAX_PX = 16, 20, 260


class Legend(QWidget):
    """Hidden while there is only one series: the title names it."""

    toggled = Signal(object)  # tuple[int, bool]: which series, whether it is to be seen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys: list[LegendKey] = []
        self._shown: object = ((), ())
        self._layout = FlowLayout(4, self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    @property
    def keys(self) -> list["LegendKey"]:
        """One per series."""
        return self._keys

    def set_series(self, series: tuple[Series, ...], is_visible: list[bool]) -> None:
        """Show these names; the same ones cost nothing."""
        shown = tuple((each.name, each.colour, each.style, each.is_dashed) for each in series), tuple(is_visible)
        if shown == self._shown:
            return
        self._shown = shown
        while len(self._keys) > len(series):
            key = self._keys.pop()
            key.hide()
            key.deleteLater()
        while len(self._keys) < len(series):
            key = LegendKey(len(self._keys), self)
            key.toggled.connect(self._on_toggled)
            self._layout.addWidget(key)
            self._keys.append(key)
            key.show()
        for key, each, visible in zip(self._keys, series, is_visible, strict=False):
            key.set_series(each, visible)
        self.setVisible(len(series) > 1)

    def _on_toggled(self, is_on: bool) -> None:
        key = self.sender()
        if isinstance(key, LegendKey):
            self.toggled.emit((key.index, is_on))


class LegendKey(QToolButton):
    """A stroke in the series' colour and its name; pale and struck through while it is hidden."""

    def __init__(self, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.index = index
        self._series: Series | None = None
        self.setCheckable(True)
        self.setChecked(True)
        self.setFont(font(TYPE.caption))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_series(self, series: Series, is_visible: bool) -> None:
        """Another series."""
        if self._series is not None and self._series.name != series.name:
            self.updateGeometry()
        self._series = series
        self.setText(series.name)
        self.setAccessibleName(self.tr("Show {name}").format(name=series.name))
        self.setToolTip(self.tr("{name}: click to hide or show").format(name=series.name))
        self.blockSignals(True)
        self.setChecked(is_visible)
        self.blockSignals(False)
        self.update()

    def sizeHint(self) -> QSize:
        """Stroke and name."""
        width = self.fontMetrics().horizontalAdvance(self.text()) + SWATCH_PX + 16
        return QSize(min(width, MAX_PX), HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """See the class."""
        if self._series is None:
            return
        c, painter = colours(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.hover))
            painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.hasFocus():
            painter.setPen(QPen(QColor(c.focus), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)
        self._paint_swatch(painter)
        painter.setPen(QColor(c.text if self.isChecked() else c.muted))
        written = self.font()
        written.setStrikeOut(not self.isChecked())
        painter.setFont(written)
        room = self.rect().adjusted(SWATCH_PX + 10, 0, -4, 0)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()

    def _paint_swatch(self, painter: QPainter) -> None:
        assert self._series is not None
        colour = QColor(self._series.colour or series_colour(self.index))
        if not self.isChecked():
            colour = QColor(colours().field_line)
        middle = self.height() / 2
        if self._series.style is Style.LINE:
            pen = QPen(colour, 2)
            if self._series.is_dashed:
                pen.setDashPattern([2.0, 1.5])
            painter.setPen(pen)
            painter.drawLine(QPointF(5, middle), QPointF(5 + SWATCH_PX, middle))
        elif self._series.style is Style.SCATTER:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(5 + SWATCH_PX / 2, middle), 4, 4)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        else:
            painter.fillRect(QRectF(5 + 3, middle - 5, 10, 10), colour)

    def changeEvent(self, event: QEvent) -> None:
        """The theme's colours."""
        super().changeEvent(event)
        self.update()
