"""The picture under the brush."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.widgets.image_view.image_view import ImageView
from app.ui.widgets.mask_editor.mask_painting import Brush, MaskPainting

OPACITY = 0.55
_ARROWS = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}


class MaskCanvas(ImageView):
    """The left button paints, the middle one moves the picture, the wheel zooms. Arrows move the brush by half its
    width, Space puts it down."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.brush = Brush()
        self._painting: MaskPainting | None = None
        self._at: QPointF | None = None
        self._is_painting = False
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Picture to paint the mask on"))

    def set_painting(self, image: QImage, painting: MaskPainting) -> None:
        """The picture, and the mask over it."""
        self._painting = painting
        self.set_image(image)
        self.set_overlay(painting.overlay, OPACITY)
        painting.mask_changed.connect(self._on_mask_changed)

    def set_brush(self, brush: Brush) -> None:
        """Paint with this."""
        self.brush = brush
        self.update()

    def _on_mask_changed(self) -> None:
        if self._painting is not None:
            self.set_overlay(self._painting.overlay, OPACITY)

    # ---- hands ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the brush down."""
        if event.button() is not Qt.MouseButton.LeftButton or self._painting is None:
            super().mousePressEvent(event)
            return
        self._is_painting = True
        self._painting.begin_stroke(self._place(event), self.brush)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw, or only show where the brush is."""
        self._at = self._place(event)
        if self._is_painting and self._painting is not None:
            self._painting.go_on(self._at, self.brush)
        else:
            super().mouseMoveEvent(event)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lift the brush."""
        if self._is_painting and event.button() is Qt.MouseButton.LeftButton and self._painting is not None:
            self._is_painting = False
            self._painting.end_stroke()
            return
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Two dabs, no zoom."""
        self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        key = Qt.Key(event.key())
        if self._painting is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in _ARROWS:
            self._move_by(_ARROWS[key])
        elif key == Qt.Key.Key_Space:
            self._painting.begin_stroke(self._cursor(), self.brush)
            self._painting.end_stroke()
        else:
            super().keyPressEvent(event)

    def _move_by(self, direction: QPointF) -> None:
        assert self._painting is not None
        at = self._cursor() + direction * self._painting.diameter_px(self.brush) / 2
        size = self.state.size
        self._at = QPointF(min(max(at.x(), 0.0), size.width()), min(max(at.y(), 0.0), size.height()))
        self.update()

    def _cursor(self) -> QPointF:
        size = self.state.size
        return self._at if self._at is not None else QPointF(size.width() / 2, size.height() / 2)

    def _place(self, event: QMouseEvent) -> QPointF:
        return self.geometry_now().to_picture(event.position())

    # ---- looks ----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture as everywhere, and the rim of the brush: light in dark, so that it shows on anything."""
        super().paintEvent(event)
        if self._painting is None or (self._at is None and not self.hasFocus()):
            return
        geometry = self.geometry_now()
        radius = self._painting.diameter_px(self.brush) / 2 * geometry.scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = geometry.to_widget(self._cursor())
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255), 1.25)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(middle, radius, radius)
        painter.end()
