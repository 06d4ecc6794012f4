"""Inputs that the mouse wheel cannot change by accident, with arrows in the palette's colours."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours

_ARROW_PX = 16
_SMALL_ARROW_PX = 12


class QuietComboBox(QComboBox):
    """A combo box that leaves the wheel to whatever scrolls around it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumContentsLength(4)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not for us."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The box as ever, and our arrow."""
        super().paintEvent(event)
        painter = QPainter(self)
        arrow = pixmap("chevron-down", _arrow_colour(self), _ARROW_PX)
        painter.drawPixmap(QPoint(self.width() - _ARROW_PX - 8, (self.height() - _ARROW_PX) // 2), arrow)
        painter.end()


class QuietSpinBox(QSpinBox):
    """A spin box for whole numbers that leaves the wheel alone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _quieten(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not for us."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The box as ever, and our arrows."""
        super().paintEvent(event)
        _paint_arrows(self)


class QuietDoubleSpinBox(QDoubleSpinBox):
    """A spin box for decimal numbers that leaves the wheel alone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _quieten(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not for us."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The box as ever, and our arrows."""
        super().paintEvent(event)
        _paint_arrows(self)


def _quieten(box: QAbstractSpinBox) -> None:
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(64)
    box.lineEdit().setTextMargins(7, 0, 18, 0)  # a style sheet's padding does not reach it


def _paint_arrows(box: QAbstractSpinBox) -> None:
    painter = QPainter(box)
    colour, middle, x = _arrow_colour(box), box.height() // 2, box.width() - _SMALL_ARROW_PX - 5
    painter.drawPixmap(QPoint(x, middle - _SMALL_ARROW_PX), _arrow("chevron-up", colour))
    painter.drawPixmap(QPoint(x, middle), _arrow("chevron-down", colour))
    painter.end()


def _arrow(name: str, colour: str) -> QPixmap:
    return pixmap(name, colour, _SMALL_ARROW_PX)


def _arrow_colour(widget: QWidget) -> str:
    return colours().muted if widget.isEnabled() else colours().disabled
