"""Where a picture stands in its widget: between device pixels, logical pixels, and pixels of the picture."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF


@dataclass(frozen=True)
class Geometry:
    """One moment of a view: a widget of `size` logical pixels on a screen with `ratio` device pixels to each."""

    size: QSizeF
    ratio: float
    zoom: float
    """Device pixels per picture pixel."""
    centre: QPointF
    picture: QSize

    @property
    def scale(self) -> float:
        """Logical pixels per picture pixel."""
        return self.zoom / self.ratio

    @property
    def place(self) -> QRectF:
        """Where the whole picture is painted, its corner on a whole device pixel."""
        x = self.size.width() / 2 - self.centre.x() * self.scale
        y = self.size.height() / 2 - self.centre.y() * self.scale
        corner = QPointF(round(x * self.ratio) / self.ratio, round(y * self.ratio) / self.ratio)
        return QRectF(corner, QSizeF(self.picture.width() * self.scale, self.picture.height() * self.scale))

    def to_picture(self, point: QPointF) -> QPointF:
        """The picture's point under a point of the widget."""
        return self.centre + self.offset(point) / self.zoom

    def offset(self, point: QPointF) -> QPointF:
        """How far a point of the widget is from its middle, in device pixels."""
        return (point - QPointF(self.size.width() / 2, self.size.height() / 2)) * self.ratio

    def to_widget(self, point: QPointF) -> QPointF:
        """Where a point of the picture is painted."""
        return self.place.topLeft() + point * self.scale

    @property
    def seen(self) -> QRectF:
        """The part of the picture that is on show, in picture pixels, grown to whole ones; empty if none is."""
        corner = self.place.topLeft()
        window = QRectF(-corner / self.scale, self.size / self.scale)
        shown = window.intersected(QRectF(QPointF(), QSizeF(self.picture)))
        return QRectF(shown.toAlignedRect()).intersected(QRectF(QPointF(), QSizeF(self.picture)))
