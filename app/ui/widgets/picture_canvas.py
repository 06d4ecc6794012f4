"""One picture to zoom and pan."""

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING

MAX_ZOOM = 64.0
MIN_ZOOM = 0.05
STEP = 1.25


class PictureCanvas(QWidget):
    """Fits the picture until the person zooms; the wheel zooms at the pointer, dragging pans, a double click fits."""

    zoom_changed = Signal(object)  # float: device pixels per picture pixel

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._is_crisp = True
        self._is_fitted = True
        self._zoom = 1.0
        self._centre = QPointF()
        self._drag_from: QPointF | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 160)

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """Device pixels per picture pixel."""
        return self._zoom

    def set_image(self, image: QImage | None) -> None:
        """Another picture; the view stays if it has the same size."""
        is_same_size = image is not None and self._image is not None and image.size() == self._image.size()
        self._image = image
        if not is_same_size:
            self.fit()
        self.update()

    def set_crisp(self, is_crisp: bool) -> None:
        """Hard pixel edges, or smooth."""
        self._is_crisp = is_crisp
        if self._is_fitted:
            self.fit()
        self.update()

    def fit(self) -> None:
        """As large as the room allows; crisp enlarging goes by whole factors."""
        self._is_fitted = True
        if self._image is not None:
            ratio = self.devicePixelRatioF()
            room = QSizeF(self.width() - 2 * SPACING.l, self.height() - 2 * SPACING.l) * ratio
            factor = min(room.width() / self._image.width(), room.height() / self._image.height())
            zoom = float(int(factor)) if self._is_crisp and factor >= 1.0 else factor
            self._centre = QPointF(self._image.width() / 2, self._image.height() / 2)
            self._set_zoom(max(zoom, MIN_ZOOM))

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom, keeping the point `at` (middle if None) where it is."""
        if self._image is None:
            return
        self._is_fitted = False
        anchor = at if at is not None else QPointF(self.rect().center())
        before = self._to_picture(anchor)
        self._set_zoom(min(max(zoom, MIN_ZOOM), MAX_ZOOM))
        self._centre += before - self._to_picture(anchor)
        self._keep_in_sight()
        self.update()

    def zoom_by(self, steps: float) -> None:
        """Zoom in (positive) or out around the middle."""
        self.zoom_to(self._zoom * STEP**steps)

    def _set_zoom(self, zoom: float) -> None:
        self._zoom = zoom
        self.zoom_changed.emit(zoom)
        self.update()

    # ---- geometry -------------------------------------------------------------------------------------------------

    def _scale(self) -> float:
        """Logical pixels per picture pixel."""
        return self._zoom / self.devicePixelRatioF()

    def _to_picture(self, point: QPointF) -> QPointF:
        middle = QPointF(self.width() / 2, self.height() / 2)
        return self._centre + (point - middle) / self._scale()

    def _place(self) -> QRectF:
        """Where the picture is painted, on whole device pixels."""
        assert self._image is not None
        scale, ratio = self._scale(), self.devicePixelRatioF()
        x = self.width() / 2 - self._centre.x() * scale
        y = self.height() / 2 - self._centre.y() * scale
        size = QSizeF(self._image.width() * scale, self._image.height() * scale)
        return QRectF(QPointF(round(x * ratio) / ratio, round(y * ratio) / ratio), size)

    def _keep_in_sight(self) -> None:
        assert self._image is not None
        width, height = self._image.width(), self._image.height()
        self._centre = QPointF(min(max(self._centre.x(), 0), width), min(max(self._centre.y(), 0), height))

    # ---- events ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The canvas and the picture."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours().canvas))
        if self._image is not None:
            is_smooth = not self._is_crisp or self._zoom < 1.0
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smooth)
            painter.drawImage(self._place(), self._image)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A fitted picture stays fitted."""
        super().resizeEvent(event)
        if self._is_fitted:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoom_to(self._zoom * STEP**notches, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pull it."""
        if self._drag_from is not None and self._image is not None:
            self._is_fitted = False
            self._centre -= (event.position() - self._drag_from) / self._scale()
            self._drag_from = event.position()
            self._keep_in_sight()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._drag_from = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit, or from there to one pixel for one."""
        if self._is_fitted:
            self.zoom_to(1.0 if self._zoom != 1.0 else 2.0, event.position())
        else:
            self.fit()
