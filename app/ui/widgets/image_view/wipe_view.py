"""One view of two pictures: A up to a line that can be moved and B behind it, or one in place of the other."""

from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.image_view import painting
from app.ui.widgets.image_view.geometry import Geometry
from app.ui.widgets.image_view.image_view import ImageView
from app.ui.widgets.image_view.legend_bar import Scale, paint_legend
from app.ui.widgets.image_view.mip_levels import MipLevels
from app.ui.widgets.image_view.view_state import ViewState

STEP = 0.02
"""Part of the view that one key press moves the line by."""
_GRIP_PX = 8
_KNOB_PX = 13


class WipeView(ImageView):
    """The line is dragged, or moved with comma and full stop; Home and End take it to the edges."""

    wipe_moved = Signal(object)  # float: share of the view's width that A has

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._second = MipLevels(self)
        self._cover = MipLevels(self)
        self._pair_labels = ("A", "B")
        self._cover_label = ""
        self._cover_scale: Scale | None = None
        self._wipe = 0.5
        self._is_wiping = True
        self._is_swapped = False
        self._is_covered = False
        self._is_moving = False
        for levels in (self._second, self._cover):
            levels.levels_changed.connect(self.update)

    @property
    def wipe(self) -> float:
        """Share of the view's width that A has."""
        return self._wipe

    @property
    def is_swapped(self) -> bool:
        """Whether B stands in A's place."""
        return self._is_swapped

    def set_pair(self, first: QImage | None, second: QImage | None, first_label: str, second_label: str) -> None:
        """Two other pictures."""
        self._pair_labels = (first_label, second_label)
        self.set_image(first)
        self._second.set_image(second)
        self.update()

    def set_wiping(self, is_wiping: bool) -> None:
        """Show both with the line between them, or only one."""
        self._is_wiping = is_wiping
        self._describe()
        self.update()

    def set_swapped(self, is_swapped: bool) -> None:
        """B in A's place and A in B's."""
        if is_swapped != self._is_swapped:
            self._is_swapped = is_swapped
            self._describe()
            self.update()

    def set_covered(self, is_covered: bool) -> None:
        """Show the cover (a difference) in place of both."""
        self._is_covered = is_covered
        if not is_covered:
            self.set_cover(None, "")

    @property
    def cover_scale(self) -> Scale | None:
        """What the colours of the cover mean."""
        return self._cover_scale if self._is_covered else None

    def set_cover(self, image: QImage | None, label: str, scale: Scale | None = None) -> None:
        """The picture that covers both, what it is, and what its colours mean."""
        self._cover.set_image(image)
        self._cover_label, self._cover_scale = label, scale
        self._describe()
        self.update()

    def _describe(self) -> None:
        """Which pictures these are, for screen readers too."""
        super()._describe()
        if self.image is not None:
            self.setAccessibleDescription(f"{self._spoken()}, {self.accessibleDescription()}")

    def _spoken(self) -> str:
        names = tuple(reversed(self._pair_labels)) if self._is_swapped else self._pair_labels
        if self._is_covered and self._cover_label:
            return self._cover_label
        return (
            self.tr("{name} left, {other} right").format(name=names[0], other=names[1]) if self._has_line else names[0]
        )

    def set_wipe(self, share: float) -> None:
        """Move the line."""
        share = min(max(share, 0.0), 1.0)
        if share != self._wipe:
            self._wipe = share
            self.wipe_moved.emit(share)
            self.update()

    # ---- paint ----------------------------------------------------------------------------------------------------

    @property
    def _has_line(self) -> bool:
        return self._is_wiping and not self._is_covered and bool(self._second.levels)

    def paint_content(self, painter: QPainter, geometry: Geometry) -> None:
        """The cover, one of the two, or both with the line between them."""
        if self._is_covered and not self._is_swapped:
            self._paint_one(painter, self._cover, geometry)
            self._paint_cover_label(painter)
            return
        front, back = (self._second, self._levels) if self._is_swapped else (self._levels, self._second)
        name, other = reversed(self._pair_labels) if self._is_swapped else self._pair_labels
        room = (self.width() - 3 * SPACING.s) / (2 if self._has_line else 1)
        if self._has_line:
            x = self._line_x()
            self._paint_clipped(painter, front, geometry, QRectF(0, 0, x, self.height()))
            self._paint_clipped(painter, back, geometry, QRectF(x, 0, self.width() - x, self.height()))
            self._paint_line(painter, x)
            corner = QPointF(self.width() - SPACING.s, SPACING.s)
            painting.paint_label(painter, other, corner, room, is_right=True)
        else:
            self._paint_one(painter, front, geometry)
        painting.paint_label(painter, name, QPointF(SPACING.s, SPACING.s), room)

    def _paint_cover_label(self, painter: QPainter) -> None:
        """In the corner over a picture; alone, in the middle."""
        room = self.width() - 2 * SPACING.s
        if self._cover.levels:
            painting.paint_label(painter, self._cover_label, QPointF(SPACING.s, SPACING.s), room)
            if self._cover_scale is not None:
                paint_legend(painter, self._cover_scale, QPointF(SPACING.s, self.height() - SPACING.s), room)
        elif self._cover_label:
            middle = QPointF(self.width() / 2, self.height() / 2)
            painting.paint_label(painter, self._cover_label, middle, room, is_middle=True)

    def _paint_one(self, painter: QPainter, levels: MipLevels, geometry: Geometry) -> None:
        painting.paint_picture(painter, levels, geometry, is_crisp=self.state.is_crisp)
        if self._overlay is not None and levels is not self._cover:
            painting.paint_overlay(painter, self._overlay, geometry, self._opacity)
        if self.state.is_crisp and not self.state.is_fitted:
            painting.paint_pixel_grid(painter, geometry)

    def _paint_clipped(self, painter: QPainter, levels: MipLevels, geometry: Geometry, area: QRectF) -> None:
        painter.save()
        painter.setClipRect(area)
        self._paint_one(painter, levels, geometry)
        painter.restore()

    def _paint_line(self, painter: QPainter, x: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255), 1.0)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        knob = self._knob()
        painter.setBrush(QColor(12, 13, 16, 215))
        painter.setPen(QPen(QColor(255, 255, 255), 1.5))
        painter.drawEllipse(knob)
        middle = knob.center()
        for side in (-1, 1):
            tip = middle + QPointF(side * 8, 0)
            painter.drawPolyline([tip + QPointF(-side * 4, -4), tip, tip + QPointF(-side * 4, 4)])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _line_x(self) -> float:
        return float(round(self._wipe * self.width()))

    def _knob(self) -> QRectF:
        middle = QPointF(self._line_x(), self.height() / 2)
        return QRectF(middle - QPointF(_KNOB_PX, _KNOB_PX), middle + QPointF(_KNOB_PX, _KNOB_PX))

    # ---- hands ----------------------------------------------------------------------------------------------------

    def _is_at_line(self, point: QPointF) -> bool:
        near = abs(point.x() - self._line_x()) <= _GRIP_PX or self._knob().contains(point)
        return self._has_line and near

    def mousePressEvent(self, event: Any) -> None:
        """Take hold of the line, or of the picture."""
        if event.button() is Qt.MouseButton.LeftButton and self._is_at_line(event.position()):
            self._is_moving = True
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: Any) -> None:
        """Move the line; elsewhere as in every view."""
        if self._is_moving:
            self.set_wipe(event.position().x() / max(1, self.width()))
            self.probed.emit(self.probe_at(event.position()))
            return
        super().mouseMoveEvent(event)
        if not event.buttons():
            self._show_cursor(event.position())

    def mouseReleaseEvent(self, event: Any) -> None:
        """Let go."""
        if self._is_moving:
            self._is_moving = False
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """On the line: back to the middle."""
        if self._is_at_line(event.position()):
            self.set_wipe(0.5)
        else:
            super().mouseDoubleClickEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is elsewhere."""
        super().leaveEvent(event)
        self.unsetCursor()

    def keyPressEvent(self, event: Any) -> None:
        """Comma and full stop move the line; Home and End take it to the edges."""
        moves = {Qt.Key.Key_Comma: self._wipe - STEP, Qt.Key.Key_Period: self._wipe + STEP}
        moves |= {Qt.Key.Key_Home: 0.0, Qt.Key.Key_End: 1.0}
        if self._has_line and event.key() in moves and not event.modifiers():
            self.set_wipe(moves[event.key()])
        else:
            super().keyPressEvent(event)

    def _show_cursor(self, point: QPointF) -> None:
        if self._is_at_line(point):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.unsetCursor()
