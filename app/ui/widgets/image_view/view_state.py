"""What part of a picture is seen, and how large: one object, shared by all views that move together."""

from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QPointF, QSize, QSizeF, Signal

MAX_ZOOM = 64.0
MIN_ZOOM = 0.05
STEP = 1.25


class ViewState(QObject):
    """Zoom in device pixels per picture pixel, and the picture's point that stands in the middle.

    Views that share a state may show pictures of different sizes: each is stretched to `size`, so that the same place
    of the scene stands in the same place of each view.
    """

    view_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._size = QSize()
        self._zoom = 1.0
        self._centre = QPointF()
        self._is_fitted = True
        self._is_crisp = True
        self._rooms: WeakKeyDictionary[QObject, QSizeF] = WeakKeyDictionary()

    @property
    def size(self) -> QSize:
        """Width and height of the picture space, in picture pixels; empty without a picture."""
        return self._size

    @property
    def zoom(self) -> float:
        """Device pixels per picture pixel."""
        return self._zoom

    @property
    def centre(self) -> QPointF:
        """The point of the picture in the middle of the view."""
        return QPointF(self._centre)

    @property
    def is_fitted(self) -> bool:
        """Whether the whole picture is shown as large as it can be."""
        return self._is_fitted

    @property
    def is_crisp(self) -> bool:
        """Hard pixel edges, or smooth ones."""
        return self._is_crisp

    def set_size(self, size: QSize) -> None:
        """Another picture: if it has another size, all of it is shown."""
        if size != self._size:
            self._size = QSize(size)
            self.fit()

    def set_crisp(self, is_crisp: bool) -> None:
        """Hard pixel edges, or smooth."""
        if is_crisp != self._is_crisp:
            self._is_crisp = is_crisp
            if self._is_fitted:
                self._fit()
            self.view_changed.emit()

    def set_room(self, view: QObject, room: QSizeF | None) -> None:
        """How much room, in device pixels, one of the views has for the picture; None when it is gone."""
        before = self._rooms.get(view)
        if room is None:
            self._rooms.pop(view, None)
        else:
            self._rooms[view] = QSizeF(room)
        if room != before and self._is_fitted:
            self.fit()

    # ---- moving ---------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """As large as the smallest of the views allows; crisp enlarging goes by whole factors."""
        self._is_fitted = True
        self._fit()
        self.view_changed.emit()

    def zoom_to(self, zoom: float, anchor: QPointF | None = None, offset: QPointF | None = None) -> None:
        """Zoom; the picture's point `anchor` (None: the middle) stays `offset` device pixels from the middle."""
        if self._size.isEmpty():
            return
        self._is_fitted = False
        self._zoom = min(max(zoom, min(MIN_ZOOM, self._fitting_zoom())), MAX_ZOOM)
        if anchor is not None:
            self._centre = anchor - (offset or QPointF()) / self._zoom
        self._keep_in_sight()
        self.view_changed.emit()

    def pan_by(self, offset: QPointF) -> None:
        """Move the view by `offset` picture pixels."""
        self.centre_on(self._centre + offset)

    def centre_on(self, point: QPointF) -> None:
        """Bring a point of the picture to the middle."""
        if not self._size.isEmpty():
            self._is_fitted = False
            self._centre = QPointF(point)
            self._keep_in_sight()
            self.view_changed.emit()

    def _fit(self) -> None:
        self._centre = QPointF(self._size.width() / 2, self._size.height() / 2)
        self._zoom = self._fitting_zoom()

    def _fitting_zoom(self) -> float:
        rooms = [room for room in self._rooms.values() if not room.isEmpty()]
        if self._size.isEmpty() or not rooms:
            return 1.0
        factor = min(min(room.width() / self._size.width(), room.height() / self._size.height()) for room in rooms)
        return min(float(int(factor)) if self._is_crisp and factor >= 1.0 else factor, MAX_ZOOM)

    def _keep_in_sight(self) -> None:
        x = min(max(self._centre.x(), 0.0), float(self._size.width()))
        y = min(max(self._centre.y(), 0.0), float(self._size.height()))
        self._centre = QPointF(x, y)
