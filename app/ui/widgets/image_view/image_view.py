"""One picture to look at closely."""

import math
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.image_view import painting
from app.ui.widgets.image_view.geometry import Geometry
from app.ui.widgets.image_view.gestures import Gestures
from app.ui.widgets.image_view.marks import NO_MARKS, Marks, Probe
from app.ui.widgets.image_view.mip_levels import MipLevels
from app.ui.widgets.image_view.view_state import STEP, ViewState

_BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class ImageView(QWidget):
    """Fits the picture until the person zooms.

    The wheel or a pinch zooms at the pointer, dragging or arrows pan, plus and minus zoom, 0 fits, a double click goes
    from the fitted picture to one pixel for one and back. Views with the same `state` move together.
    """

    probed = Signal(object)  # Probe, or None when the pointer has left the picture
    clicked = Signal()
    zoom_changed = Signal(object)  # float: device pixels per picture pixel

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state or ViewState(self)
        self._is_alone = state is None
        self._levels = MipLevels(self)
        self._overlay: QImage | None = None
        self._opacity = 1.0
        self._marks = NO_MARKS
        self._crosshair: Probe | None = None
        self._label = ""
        self._message = ""
        self._zoom = 0.0
        self._shows_focus = False
        self._gestures = Gestures(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 96)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Picture"))
        self.grabGesture(Qt.GestureType.PinchGesture)
        self._levels.levels_changed.connect(self.update)
        self.state.view_changed.connect(self._on_view_changed)

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def image(self) -> QImage | None:
        """The picture on show."""
        return self._levels.levels[0] if self._levels.levels else None

    @property
    def levels(self) -> MipLevels:
        """The picture in the sizes it is painted from."""
        return self._levels

    @property
    def zoom(self) -> float:
        """Device pixels per picture pixel."""
        return self.state.zoom

    @property
    def is_crisp(self) -> bool:
        """Whether pixels have hard edges."""
        return self.state.is_crisp

    def set_image(self, image: QImage | None) -> None:
        """Another picture; the view stays if it has the same size."""
        self._levels.set_image(image)
        if image is not None and (self._is_alone or self.state.size.isEmpty()):
            self.state.set_size(image.size())
        self._describe()
        self.update()

    def set_overlay(self, overlay: QImage | None, opacity: float = 0.6) -> None:
        """Lay a map over the picture, stretched to all of it; None takes it away."""
        self._overlay, self._opacity = overlay, opacity
        self.update()

    def set_marks(self, marks: Marks | None) -> None:
        """Frames and grid lines over the picture."""
        self._marks = marks or NO_MARKS
        self.update()

    def set_crosshair(self, probe: Probe | None) -> None:
        """Point at a pixel, as another view is pointed at."""
        if probe != self._crosshair:
            self._crosshair = probe
            self.update()

    def set_label(self, text: str) -> None:
        """Words in the upper left corner that say which picture this is."""
        self._label = text
        self._describe()
        self.update()

    def set_message(self, text: str) -> None:
        """Words in the middle, for want of a picture."""
        self._message = text
        self._describe()
        self.update()

    def set_crisp(self, is_crisp: bool) -> None:
        """Hard pixel edges, or smooth."""
        self.state.set_crisp(is_crisp)

    def colour_at(self, probe: Probe) -> QColor | None:
        """The colour of this view's picture at a place of the picture space; None outside."""
        image, space = self.image, self.state.size
        if image is None or space.isEmpty() or not (0 <= probe.x < space.width() and 0 <= probe.y < space.height()):
            return None
        x = int((probe.x + 0.5) * image.width() / space.width())
        y = int((probe.y + 0.5) * image.height() / space.height())
        return image.pixelColor(x, y)

    # ---- moving ---------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """As large as the room allows; crisp enlarging goes by whole factors."""
        self._report_room()
        self.state.fit()

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom, keeping the picture's point under `at` (middle if None) where it is."""
        geometry = self.geometry_now()
        point = at if at is not None else QPointF(self.width() / 2, self.height() / 2)
        self.state.zoom_to(zoom, geometry.to_picture(point), geometry.offset(point))

    def zoom_by(self, steps: float, at: QPointF | None = None) -> None:
        """Zoom in (positive) or out."""
        self.zoom_to(self.state.zoom * STEP**steps, at)

    def geometry_now(self) -> Geometry:
        """Where everything is at this moment."""
        state = self.state
        return Geometry(QSizeF(self.size()), self.devicePixelRatioF(), state.zoom, state.centre, state.size)

    def probe_at(self, point: QPointF) -> Probe | None:
        """The pixel under a point of the widget; None outside the picture."""
        at, size = self.geometry_now().to_picture(point), self.state.size
        x, y = math.floor(at.x()), math.floor(at.y())
        return Probe(x, y) if 0 <= x < size.width() and 0 <= y < size.height() else None

    def _on_view_changed(self) -> None:
        if self._zoom != self.state.zoom:
            self._zoom = self.state.zoom
            self.zoom_changed.emit(self._zoom)
        self.update()

    def _report_room(self) -> None:
        ratio = self.devicePixelRatioF()
        room = QSizeF(self.width() - 2 * SPACING.l, self.height() - 2 * SPACING.l) * ratio
        self.state.set_room(self, room if self.isVisible() or self._is_alone else None)

    def _describe(self) -> None:
        image = self.image
        size = f"{image.width()} × {image.height()}" if image is not None else self._message or self.tr("no picture")
        self.setAccessibleDescription(", ".join(part for part in (self._label, size) if part))

    # ---- events ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The canvas, the picture, and what lies over it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours().canvas))
        geometry = self.geometry_now()
        if self.image is not None:
            self.paint_content(painter, geometry)
            painting.paint_marks(painter, self._marks, geometry)
            if self._crosshair is not None:
                painting.paint_crosshair(painter, self._crosshair, geometry)
        if self._label:
            painting.paint_label(painter, self._label, QPointF(SPACING.s, SPACING.s), self.width() - 2 * SPACING.s)
        if self._message and self.image is None:
            middle = QPointF(self.width() / 2, self.height() / 2)
            painting.paint_label(painter, self._message, middle, self.width() - 2 * SPACING.s, is_middle=True)
        if self._shows_focus and self.hasFocus():
            painting.paint_focus(painter, QRectF(self.rect()))
        painter.end()

    def paint_content(self, painter: QPainter, geometry: Geometry) -> None:
        """The picture with its overlay and the edges of its pixels."""
        painting.paint_picture(painter, self._levels, geometry, is_crisp=self.state.is_crisp)
        if self._overlay is not None:
            painting.paint_overlay(painter, self._overlay, geometry, self._opacity)
        if self.state.is_crisp and not self.state.is_fitted:
            painting.paint_pixel_grid(painter, geometry)

    def event(self, event: QEvent) -> bool:
        """Pinches come this way."""
        if event.type() in (QEvent.Type.NativeGesture, QEvent.Type.Gesture) and self._gestures.on_pinch(event):
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A fitted picture stays fitted."""
        super().resizeEvent(event)
        self._report_room()

    def showEvent(self, event: QShowEvent) -> None:
        """From now on its room counts."""
        super().showEvent(event)
        self._report_room()

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden view does not hold the others back."""
        super().hideEvent(event)
        self._report_room()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keyboard is."""
        super().focusInEvent(event)
        self._show_focus(event.reason() in _BY_KEYS)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """It went elsewhere."""
        super().focusOutEvent(event)
        self.update()

    def _show_focus(self, is_shown: bool) -> None:
        """The frame is for those who use keys; who points with the mouse knows where they are."""
        self._shows_focus = is_shown
        self.update()

    def wheelEvent(self, event: Any) -> None:
        """Zoom at the pointer."""
        self._gestures.on_wheel(event)

    def mousePressEvent(self, event: Any) -> None:
        """Take hold of the picture."""
        self._show_focus(False)
        self._gestures.on_press(event)

    def mouseMoveEvent(self, event: Any) -> None:
        """Pull it, or point at a pixel."""
        self._gestures.on_move(event)

    def mouseReleaseEvent(self, event: Any) -> None:
        """Let go."""
        self._gestures.on_release(event)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Fit, or from there to one pixel for one."""
        self._gestures.on_double_click(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer points at nothing any more."""
        super().leaveEvent(event)
        self.probed.emit(None)

    def keyPressEvent(self, event: Any) -> None:
        """See the class; what has no meaning here is for the parent."""
        self._show_focus(True)
        if not self.take_key(event):
            super().keyPressEvent(event)

    def take_key(self, event: QKeyEvent) -> bool:
        """Do what a key means to a picture; False if it means nothing. For parents that get keys first."""
        return self._gestures.on_key(event)
