"""A card over the veiled window; a click beside it or Esc takes it away, and the focus goes back where it was."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING

_TOP_SHARE = 0.12
VEIL_ALPHA = 150


class Overlay(QWidget):
    """Covers its parent, whatever size that takes. Subclasses fill `card_layout`."""

    closed = Signal()

    def __init__(self, width_px: int, height_px: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._size_px = (width_px, height_px)
        self._focus_before: QWidget | None = None
        self.card = QFrame(self)
        self.card.setProperty("role", "overlay")
        self.card_layout = QVBoxLayout(self.card)
        self.card_layout.setContentsMargins(0, 0, 0, 0)
        self.card_layout.setSpacing(0)
        parent.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Lie over the window and take the keyboard."""
        if self.isHidden():
            self._focus_before = QApplication.focusWidget()
        self._cover()
        self.show()
        self.raise_()

    def dismiss(self) -> None:
        """Go away; the keyboard goes back to where it was."""
        if self.isHidden():
            return
        self.hide()
        before, self._focus_before = self._focus_before, None
        if before is not None and _is_alive(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        self.closed.emit()

    def set_height(self, height_px: int) -> None:
        """The card becomes as high as its content."""
        self._size_px = (self._size_px[0], height_px)
        self._cover()

    def _cover(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        self.setGeometry(parent.rect())
        width = min(self._size_px[0], self.width() - 2 * SPACING.l)
        top = round(self.height() * _TOP_SHARE)
        height = min(self._size_px[1], self.height() - top - SPACING.l)
        self.card.setGeometry((self.width() - width) // 2, top, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Another size of the window."""
        if event.type() == QEvent.Type.Resize and watched is self.parent() and self.isVisible():
            self._cover()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes; nothing else reaches the window below."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Beside the card means away."""
        if not self.card.geometry().contains(event.position().toPoint()):
            self.dismiss()

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """The keyboard stays on the card."""
        stops = [w for w in self.card.findChildren(QWidget) if w.isVisible() and w.focusPolicy() & _TAB]
        if not stops:
            return False
        focus = QApplication.focusWidget()
        here = stops.index(focus) if focus in stops else -1
        stops[(here + (1 if is_next else -1)) % len(stops)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """The veil."""
        veil = QColor(colours().shadow)
        veil.setAlpha(VEIL_ALPHA if colours().name == "dark" else VEIL_ALPHA // 2)
        QPainter(self).fillRect(self.rect(), veil)


_TAB = Qt.FocusPolicy.TabFocus


def _is_alive(widget: QWidget) -> bool:
    import shiboken6

    return bool(shiboken6.isValid(widget))
