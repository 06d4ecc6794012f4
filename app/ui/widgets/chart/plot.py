"""The plot itself: paints into a picture that is kept while only the pointer moves, and follows mouse and keys."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import TYPE
from app.ui.widgets.chart.curve import Curve
from app.ui.widgets.chart.drawing import Canvas, draw_band, draw_bars, draw_dots, draw_line, draw_trail
from app.ui.widgets.chart.ground import Frame, draw_ground, draw_mark, draw_stripe, frame, mark_place
from app.ui.widgets.chart.palette import series_colour
from app.ui.widgets.chart.readout import Readout, draw_readout, read_at
from app.ui.widgets.chart.series import Mark, Style, View
from app.ui.widgets.chart.viewport import Viewport

ZOOM_STEP, KEY_SHARE = 1.25, 0.1
SMALLEST_BOX_PX = 5
_BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class PlotArea(QWidget):
    """Wheel zooms at the pointer (over an axis only that one), dragging moves, Shift and dragging zooms into a box, a
    double click or R shows everything, arrows move, plus and minus zoom, Shift and left or right walk over the values.
    """

    readout_changed = Signal(object)  # Readout | None
    view_changed = Signal(object)  # View
    picked = Signal(object)  # Readout

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport_ = Viewport()
        self.curves: list[Curve] = []
        self.marks: tuple[Mark, ...] = ()
        self.smoothing = 0.0
        self.empty_text = ""
        self.is_wheel_shared = False
        self.is_for_file = False
        """While it is painted into a file: as fine as that, and without the pointer."""
        self._picture: QPixmap | None = None
        self._frame: Frame | None = None
        self._readout: Readout | None = None
        self._pointer: QPointF | None = None
        self._cursor_x: float | None = None
        self._drag_from: QPointF | None = None
        self._has_dragged = False
        self._box: QRectF | None = None
        self._shows_focus = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 90)

    def sizeHint(self) -> QSize:
        """It takes what it gets."""
        return QSize(360, 200)

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def readout(self) -> Readout | None:
        """The values on show."""
        return self._readout

    @property
    def frame(self) -> Frame:
        """Where the plot is, with its scales."""
        if self._frame is None:
            v = self.viewport_
            self._frame = frame(QRectF(self.rect()), v.x_axis, v.y_axis, v.view)
        return self._frame

    def refresh(self) -> None:
        """Data, marks, smoothing or axes are others; a view that was not chosen follows."""
        if self.viewport_.is_fitted:
            self.viewport_.fit(self.curves, self.marks)
        self._invalidate()
        self._read()

    def fit(self) -> None:
        """Show everything."""
        self.viewport_.fit(self.curves, self.marks)
        self._after_move()

    def set_view(self, view: View) -> None:
        """Show a given part."""
        self.viewport_.set_view(view)
        self._after_move()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom around a point; over the texts of an axis only along it."""
        plot = self.frame.plot
        spot = at if at is not None else plot.center()
        x = self.frame.x.value_at(spot.x()) if spot.x() >= plot.left() else None
        y = self.frame.y.value_at(spot.y()) if spot.y() <= plot.bottom() else None
        self.viewport_.zoom(factor, x, y)
        self._after_move()

    def set_cursor(self, x: float | None) -> None:
        """A thin line at x, which follows the pointer over another chart."""
        if x != self._cursor_x:
            self._cursor_x = x
            self.update()

    def ink(self, curve: Curve) -> QColor:
        """The colour of a curve."""
        return QColor(curve.series.colour or series_colour(self.curves.index(curve)))

    def _after_move(self) -> None:
        self._invalidate()
        self._read()
        self.view_changed.emit(self.viewport_.view)

    def _invalidate(self) -> None:
        self._picture = self._frame = None
        self.update()

    # ---- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The kept picture, and what follows the pointer."""
        if self.is_for_file:
            painter = QPainter(self)
            self.draw(painter)
            painter.end()
            return
        if self._picture is None:
            ratio = self.devicePixelRatioF()
            self._picture = QPixmap(self.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(QColor(colours().panel))
            painter = QPainter(self._picture)
            self.draw(painter)
            painter.end()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        self._draw_pointer(painter)
        painter.end()

    def draw(self, painter: QPainter) -> None:
        """Everything but the pointer."""
        found, v = self.frame, self.viewport_
        canvas = Canvas(painter, found.x, found.y, found.plot)
        for mark in self.marks:
            draw_stripe(canvas, mark)
        draw_ground(painter, found, v.x_axis, v.y_axis)
        painter.save()
        painter.setClipRect(found.plot.adjusted(-4, -4, 4, 1))
        self._draw_curves(canvas)
        painter.restore()
        painter.setFont(font(TYPE.caption))
        taken = [spot for mark in self.marks if (spot := mark_place(canvas, mark)) is not None]
        for mark in self.marks:
            draw_mark(canvas, mark, taken)
        if self.empty_text and not any(curve.is_visible and _has_values(curve) for curve in self.curves):
            painter.setPen(QColor(colours().muted))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(found.plot.adjusted(8, 0, -8, 0), flags, self.empty_text)

    def _draw_curves(self, canvas: Canvas) -> None:
        visible = [curve for curve in self.curves if curve.is_visible]
        bars = [curve for curve in visible if curve.series.style is Style.BARS]
        for curve in visible:
            if curve.series.style is not Style.BARS:
                draw_band(canvas, curve, self.ink(curve))
        for curve in visible:
            colour = self.ink(curve)
            if curve.series.style is Style.BARS:
                draw_bars(canvas, curve, colour, (bars.index(curve), len(bars)))
            elif curve.series.style is Style.SCATTER:
                draw_dots(canvas, curve, colour)
            elif curve.shade is not None:
                draw_trail(canvas, curve, colour)
            else:
                draw_line(canvas, curve, self.smoothing, colour)

    def _draw_pointer(self, painter: QPainter) -> None:
        plot, c = self.frame.plot, colours()
        if self.hasFocus() and self._shows_focus:
            painter.setPen(QPen(QColor(c.focus), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        if self._box is not None:
            tint = QColor(c.focus)
            tint.setAlphaF(0.15)
            painter.fillRect(self._box, tint)
            painter.setPen(QPen(QColor(c.focus), 1))
            painter.drawRect(self._box)
        elif self._readout is not None and self._pointer is not None:
            inks = {id(row.curve): self.ink(row.curve) for row in self._readout.rows}
            canvas = Canvas(painter, self.frame.x, self.frame.y, plot)
            draw_readout(canvas, self._readout, inks, self._pointer)
        elif self._cursor_x is not None:
            px = self.frame.x.px_of(self._cursor_x)
            if plot.left() <= px <= plot.right():
                painter.setPen(QPen(QColor(c.field_line), 1, Qt.PenStyle.DashLine))
                painter.drawLine(QPointF(round(px), plot.top()), QPointF(round(px), plot.bottom()))

    # ---- reading values -------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """The values under the pointer, told where they have changed."""
        found = None
        if self._pointer is not None and self._drag_from is None:
            inside = self.frame.plot.adjusted(-2, -2, 2, 2).contains(self._pointer)
            v = self.viewport_
            axes = v.x_axis, v.y_axis
            found = read_at(self.curves, self.frame.x, self.frame.y, axes, self._pointer) if inside else None
        if found is not None or self._readout is not None:
            self._readout = found
            self.readout_changed.emit(found)
            self.update()

    def _walk(self, way: int) -> None:
        """To the next value left or right of the pointer, as it is seen."""
        way = -way if self.viewport_.x_axis.is_reversed else way
        curve = next((each for each in self.curves if each.is_visible and each.is_ascending and len(each.x)), None)
        if curve is None:
            return
        x, plot = self.frame.x, self.frame.plot
        here = x.value_at(self._pointer.x()) if self._pointer is not None else x.value_at(plot.center().x())
        point = curve.nearest(here)
        if point is None:
            return
        point = min(max(point + way, 0), len(curve.x) - 1)
        px = min(max(x.px_of(float(curve.x[point])), plot.left()), plot.right())
        self._pointer = QPointF(px, plot.center().y())
        self._read()

    # ---- mouse ----------------------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; in a page that scrolls only after a click into the plot, or with Ctrl."""
        has_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.is_wheel_shared and not self.hasFocus() and not has_ctrl:
            event.ignore()
            return
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoom(ZOOM_STEP**-notches, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the plot, or of the corner of a box."""
        self._pointer = event.position()
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag_from, self._has_dragged = event.position(), False
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._box = QRectF(event.position(), event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the plot, draw the box, or read the values."""
        at = event.position()
        self._pointer = at
        if self._box is not None and self._drag_from is not None:
            self._box = QRectF(self._drag_from, at).normalized().intersected(self.frame.plot)
            self.update()
        elif self._drag_from is not None:
            shift, plot = at - self._drag_from, self.frame.plot
            if self._has_dragged or shift.manhattanLength() > SMALLEST_BOX_PX:
                self._has_dragged = True
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self._drag_from = at
                self.viewport_.pan(-shift.x() / plot.width(), shift.y() / plot.height())
                self._after_move()
        else:
            self._read()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go: the box becomes the view; a click without dragging picks what is under the pointer."""
        box, self._box = self._box, None
        was_click = self._drag_from is not None and not self._has_dragged and box is None
        self._drag_from = None
        self.unsetCursor()
        if box is not None and min(box.width(), box.height()) > SMALLEST_BOX_PX:
            x, y = self.frame.x, self.frame.y
            left, right = sorted(map(x.value_at, (box.left(), box.right())))
            self.set_view(View(left, right, *map(y.value_at, (box.bottom(), box.top()))))
        self._read()
        self.update()
        if was_click and self._readout is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(self._readout)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show everything."""
        self.fit()

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer comes."""
        self._pointer = event.position()
        self._read()

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer goes."""
        self._pointer = None
        self._read()
        self.update()

    # ---- keys, size, theme ----------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        key, has_shift = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        ways = {
            Qt.Key.Key_Left: (-KEY_SHARE, 0.0),
            Qt.Key.Key_Right: (KEY_SHARE, 0.0),
            Qt.Key.Key_Up: (0.0, KEY_SHARE),
            Qt.Key.Key_Down: (0.0, -KEY_SHARE),
        }
        if has_shift and key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._walk(-1 if key is Qt.Key.Key_Left else 1)
        elif key in ways:
            self.viewport_.pan(*ways[key])
            self._after_move()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(1 / ZOOM_STEP)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom(ZOOM_STEP)
        elif key in (Qt.Key.Key_R, Qt.Key.Key_Home) and not event.modifiers():
            self.fit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who comes by keys must see where."""
        self._shows_focus = event.reason() in _BY_KEYS
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Gone."""
        super().focusOutEvent(event)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another size, another picture."""
        super().resizeEvent(event)
        self._invalidate()

    def changeEvent(self, event: QEvent) -> None:
        """Another theme, another picture."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "_picture"):
            self._invalidate()


def _has_values(curve: Curve) -> bool:
    return bool(np.isfinite(curve.y).any())
