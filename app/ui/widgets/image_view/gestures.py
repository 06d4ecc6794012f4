"""What hands can do to a view: wheel, drag, double click, pinch and keys."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

if TYPE_CHECKING:
    from app.ui.widgets.image_view.image_view import ImageView

PAN_SHARE = 0.1
"""Part of the view that one arrow moves it by."""
_CLICK_PX = 4
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class Gestures:
    """The hands of one view."""

    def __init__(self, view: "ImageView") -> None:
        self._view = view
        self._drag_from: QPointF | None = None
        self._pressed_at = QPointF()

    def on_wheel(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        notches = event.angleDelta().y() / 120
        if notches:
            self._view.zoom_by(notches, event.position())
        event.accept()

    def on_press(self, event: QMouseEvent) -> None:
        """Take hold."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag_from = self._pressed_at = event.position()
            self._view.setCursor(Qt.CursorShape.ClosedHandCursor)

    def on_move(self, event: QMouseEvent) -> None:
        """Pull, or point."""
        view = self._view
        if self._drag_from is not None:
            moved = event.position() - self._drag_from
            self._drag_from = event.position()
            if not moved.isNull():
                view.state.pan_by(-moved / view.geometry_now().scale)
        view.probed.emit(view.probe_at(event.position()))

    def on_release(self, event: QMouseEvent) -> None:
        """Let go; a press that moved nothing was a click."""
        was_held, self._drag_from = self._drag_from is not None, None
        self._view.unsetCursor()
        is_left = event.button() is Qt.MouseButton.LeftButton
        if was_held and is_left and (event.position() - self._pressed_at).manhattanLength() < _CLICK_PX:
            self._view.clicked.emit()

    def on_double_click(self, event: QMouseEvent) -> None:
        """From all of it to one for one, and back."""
        state = self._view.state
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if state.is_fitted:
            self._view.zoom_to(1.0 if state.zoom != 1.0 else 2.0, event.position())
        else:
            self._view.fit()

    def on_pinch(self, event: Any) -> bool:
        """Two fingers on a touch pad or screen; False if the event is something else."""
        if event.type() is QEvent.Type.NativeGesture:
            if event.gestureType() is not Qt.NativeGestureType.ZoomNativeGesture:
                return False
            self._view.zoom_to(self._view.zoom * (1.0 + event.value()), event.position())
            return True
        pinch = event.gesture(Qt.GestureType.PinchGesture)
        if pinch is None:
            return False
        at = QPointF(self._view.mapFromGlobal(pinch.centerPoint().toPoint()))
        self._view.zoom_to(self._view.zoom * pinch.scaleFactor(), at)
        event.accept(pinch)
        return True

    def on_key(self, event: QKeyEvent) -> bool:
        """Plus, minus, 0, and arrows where there is something to move to; False for all others."""
        view, key = self._view, event.key()
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            view.zoom_by(1)
        elif key == Qt.Key.Key_Minus:
            view.zoom_by(-1)
        elif key == Qt.Key.Key_0:
            view.fit()
        elif key in _ARROWS and not view.state.is_fitted:
            across, down = _ARROWS[Qt.Key(key)]
            share = QPointF(across * view.width(), down * view.height()) * PAN_SHARE
            view.state.pan_by(share / view.geometry_now().scale)
        else:
            return False
        return True
