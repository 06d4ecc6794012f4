"""What lies behind and around the series: the plot's place, grid, ticks, titles, reference marks."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING, TYPE
from app.ui.widgets.chart.drawing import Canvas
from app.ui.widgets.chart.palette import reference_colour
from app.ui.widgets.chart.scale import Scale
from app.ui.widgets.chart.series import Axis, Mark, View
from app.ui.widgets.chart.ticks import Tick, ticks

X_TICK_PX, Y_TICK_PX = 72, 42
MIN_PLOT_PX = 24
STRIPE_OPACITY = 0.10
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class Frame:
    """The plot's place with its scales and ticks."""

    plot: QRectF
    x: Scale
    y: Scale
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def frame(size: QRectF, x_axis: Axis, y_axis: Axis, view: View) -> Frame:
    """Lay the plot out within `size`: the texts of the ticks get the room they need."""
    metrics = QFontMetricsF(font(TYPE.caption, has_even_digits=True))
    bottom = size.bottom() - metrics.height() - SPACING.xs - (metrics.height() if title_of(x_axis) else 0)
    top = size.top() + metrics.height() + SPACING.xs if title_of(y_axis) else size.top() + metrics.height() / 2
    height = max(bottom - top, MIN_PLOT_PX)
    count = int(height / Y_TICK_PX)
    y_ticks = tuple(ticks(y_axis, view.y_low, view.y_high, is_log=y_axis.is_log, count=count))
    gutter = max((metrics.horizontalAdvance(tick.text) for tick in y_ticks), default=0.0) + SPACING.s
    right = size.right() - SPACING.m
    left = min(math.ceil(size.left() + max(gutter, 28.0)), right - MIN_PLOT_PX)
    plot = QRectF(QPointF(left, math.floor(top)), QPointF(math.floor(right), math.floor(top + height)))
    x_ticks = tuple(ticks(x_axis, view.x_low, view.x_high, is_log=x_axis.is_log, count=int(plot.width() / X_TICK_PX)))
    begin, end = (plot.right(), plot.left()) if x_axis.is_reversed else (plot.left(), plot.right())
    x = Scale(view.x_low, view.x_high, x_axis.is_log, begin, end)
    return Frame(plot, x, Scale(view.y_low, view.y_high, y_axis.is_log, plot.bottom(), plot.top()), x_ticks, y_ticks)


def title_of(axis: Axis) -> str:
    """Title and unit."""
    return f"{axis.title} ({axis.unit})" if axis.title and axis.unit else axis.title or axis.unit


def draw_ground(painter: QPainter, found: Frame, x_axis: Axis, y_axis: Axis) -> None:
    """Grid lines, the texts of ticks, the titles of the axes."""
    c, plot = colours(), found.plot
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(font(TYPE.caption, has_even_digits=True))
    columns = [(round(found.x.px_of(tick.value)), bool(tick.text)) for tick in found.x_ticks]
    rows = [(round(found.y.px_of(tick.value)), bool(tick.text)) for tick in found.y_ticks]
    for is_major, colour in ((False, _mixed(c.line, c.panel)), (True, QColor(c.line))):
        lines = [QLineF(x, plot.top(), x, plot.bottom()) for x, is_it in columns if is_it is is_major]
        lines += [QLineF(plot.left(), y, plot.right(), y) for y, is_it in rows if is_it is is_major]
        painter.setPen(QPen(colour, 1))
        painter.drawLines(lines)
    painter.setPen(QPen(QColor(c.field_line), 1))
    painter.drawLine(QLineF(plot.left(), plot.bottom(), plot.right(), plot.bottom()))
    painter.setPen(QColor(c.muted))
    _draw_texts(painter, found)
    _draw_titles(painter, found, x_axis, y_axis)


def _mixed(first: str, second: str) -> QColor:
    """Half of each: opaque, for lines that are blended cost ten times as much."""
    a, b = QColor(first), QColor(second)
    return QColor((a.red() + b.red()) // 2, (a.green() + b.green()) // 2, (a.blue() + b.blue()) // 2)


def _draw_texts(painter: QPainter, found: Frame) -> None:
    plot, metrics = found.plot, QFontMetricsF(painter.font())
    height, free_from = metrics.height(), -math.inf
    for tick in sorted(found.x_ticks, key=lambda tick: found.x.px_of(tick.value)):
        width = metrics.horizontalAdvance(tick.text)
        middle = found.x.px_of(tick.value)
        left = min(max(middle - width / 2, 0.0), plot.right() + SPACING.m - width)
        if tick.text and left >= free_from:
            painter.drawText(QRectF(left, plot.bottom() + SPACING.xs, width + 1, height), _CENTRE, tick.text)
            free_from = left + width + SPACING.s
    for tick in found.y_ticks:
        if tick.text:
            y = found.y.px_of(tick.value)
            painter.drawText(QRectF(0, y - height / 2, plot.left() - 6, height), _RIGHT, tick.text)


def _draw_titles(painter: QPainter, found: Frame, x_axis: Axis, y_axis: Axis) -> None:
    plot, metrics = found.plot, QFontMetricsF(painter.font())
    if title_of(y_axis):
        text = metrics.elidedText(title_of(y_axis), Qt.TextElideMode.ElideRight, plot.right())
        painter.drawText(QPointF(2, plot.top() - SPACING.xs - metrics.descent()), text)
    if title_of(x_axis):
        text = metrics.elidedText(title_of(x_axis), Qt.TextElideMode.ElideRight, plot.width())
        top = plot.bottom() + SPACING.xs + metrics.height()
        painter.drawText(QRectF(plot.left(), top, plot.width(), metrics.height()), _RIGHT, text)


def draw_stripe(canvas: Canvas, mark: Mark) -> None:
    """The area of a mark that has an end."""
    if mark.x_end is None and mark.y_end is None:
        return
    plot, colour = canvas.plot, QColor(mark.colour or reference_colour())
    colour.setAlphaF(STRIPE_OPACITY)
    left = canvas.x.px_of(mark.x) if mark.x is not None and mark.x_end is not None else plot.left()
    right = canvas.x.px_of(mark.x_end) if mark.x_end is not None else plot.right()
    top = canvas.y.px_of(mark.y) if mark.y is not None and mark.y_end is not None else plot.top()
    bottom = canvas.y.px_of(mark.y_end) if mark.y_end is not None else plot.bottom()
    canvas.painter.fillRect(QRectF(QPointF(left, top), QPointF(right, bottom)).normalized(), colour)


def mark_place(canvas: Canvas, mark: Mark) -> QRectF | None:
    """Where a reference point is drawn; None for lines and stripes."""
    if mark.x is None or mark.y is None or mark.x_end is not None or mark.y_end is not None:
        return None
    at = QPointF(canvas.x.px_of(mark.x), canvas.y.px_of(mark.y))
    return QRectF(at - QPointF(5, 5), at + QPointF(5, 5)) if _is_near(canvas.plot, at) else None


def draw_mark(canvas: Canvas, mark: Mark, taken: list[QRectF]) -> None:
    """A reference point or line with its label, which keeps clear of those already there."""
    painter, plot = canvas.painter, canvas.plot
    colour = QColor(mark.colour or reference_colour())
    pen = QPen(colour, 1)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    spot = mark_place(canvas, mark)
    if spot is not None:
        at = spot.center()
        painter.setPen(pen)
        painter.setBrush(QColor(colours().panel))
        painter.drawPolygon(QPolygonF([at + QPointF(*way) for way in ((0, -5), (5, 0), (0, 5), (-5, 0))]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        _draw_label(painter, mark.label, at + QPointF(8, 0), plot, taken)
        return
    pen.setDashPattern([4.0, 4.0])
    painter.setPen(pen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if mark.x is not None and mark.y is None:
        x = min(canvas.x.px_of(each) for each in (mark.x, mark.x_end) if each is not None)
        if plot.left() <= x <= plot.right():
            if mark.x_end is None:
                painter.drawLine(QLineF(round(x), plot.top(), round(x), plot.bottom()))
            _draw_label(painter, mark.label, QPointF(x + 4, plot.top() + 9), plot, taken)
    elif mark.y is not None and mark.x is None:
        y = canvas.y.px_of(mark.y)
        if plot.top() <= y <= plot.bottom():
            if mark.y_end is None:
                painter.drawLine(QLineF(plot.left(), round(y), plot.right(), round(y)))
            _draw_label(painter, mark.label, QPointF(plot.left() + 6, y - 9), plot, taken)


def _draw_label(painter: QPainter, text: str, at: QPointF, plot: QRectF, taken: list[QRectF]) -> None:
    """The text right of a point, else left of it, above or below; left out where there is no room at all."""
    metrics = QFontMetricsF(painter.font())
    width, height = metrics.horizontalAdvance(text) + 2, metrics.height()
    beside, left, middle = (0.0, 0.0), -width - 16, -8 - width / 2
    below, above = (0.0, height * 0.8), (0.0, -height * 0.8)
    for dx, dy in (beside, (left, 0.0), (middle, -height), (middle, height), below, above, (0.0, -2 * height)):
        place = QRectF(at.x() + dx, at.y() - height / 2 + dy, width, height)
        if plot.adjusted(-1, -1, 1, 1).contains(place) and not any(place.intersects(other) for other in taken):
            taken.append(place)
            painter.setPen(QColor(colours().muted))
            painter.drawText(place, _CENTRE, text)
            return


def _is_near(plot: QRectF, at: QPointF) -> bool:
    is_number = math.isfinite(at.x()) and math.isfinite(at.y())
    return is_number and plot.adjusted(-6, -6, 6, 6).contains(at)
