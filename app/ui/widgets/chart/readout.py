"""The values under the pointer: which they are, and the box that shows them."""

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS, SPACING, TYPE
from app.ui.widgets.chart.curve import Curve
from app.ui.widgets.chart.drawing import Canvas
from app.ui.widgets.chart.scale import Scale
from app.ui.widgets.chart.series import Axis, Style
from app.ui.widgets.chart.ticks import number_text, text_of

REACH_PX = 28.0
MAX_ROWS = 14
GAP_PX = 14
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class ReadoutRow:
    """One series at the pointer."""

    curve: Curve
    point: int
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Readout:
    """What the pointer is at. `x` is where the crosshair stands."""

    x: float
    title: str
    rows: tuple[ReadoutRow, ...]


def read_at(curves: list[Curve], x: Scale, y: Scale, axes: tuple[Axis, Axis], at: QPointF) -> Readout | None:
    """The values of all visible curves nearest to a point of the plot; of clouds only a point within reach."""
    lines = [curve for curve in curves if curve.is_visible and not _is_cloud(curve)]
    clouds = [curve for curve in curves if curve.is_visible and _is_cloud(curve)]
    rows = [row for curve in lines if (row := _row_of_line(curve, x, axes, at)) is not None]
    found = [
        (distance, row)
        for curve in clouds
        if (pair := _row_of_cloud(curve, x, y, axes, at))
        for distance, row in [pair]
    ]
    if found:
        rows.append(min(found, key=lambda pair: pair[0])[1])
    if not rows:
        return None
    nearest = min(rows, key=lambda row: abs(x.px_of(row.x) - at.x()))
    return Readout(nearest.x, _title(axes[0], nearest), tuple(rows[:MAX_ROWS]))


def _is_cloud(curve: Curve) -> bool:
    return curve.series.style is Style.SCATTER or curve.shade is not None or not curve.is_ascending


def _row_of_line(curve: Curve, x: Scale, axes: tuple[Axis, Axis], at: QPointF) -> ReadoutRow | None:
    point = curve.nearest(x.value_at(at.x()))
    if point is None:
        return None
    px = x.px_of(float(curve.x[point]))
    first, last = x.span_px
    if not first - 2 <= px <= last + 2:
        return None
    return _row(curve, point, axes)


def _row_of_cloud(
    curve: Curve, x: Scale, y: Scale, axes: tuple[Axis, Axis], at: QPointF
) -> tuple[float, ReadoutRow] | None:
    if not len(curve.x):
        return None
    distance = np.hypot(x.to_px(curve.x) - at.x(), y.to_px(curve.y) - at.y())
    if not np.isfinite(distance).any():
        return None
    point = int(np.nanargmin(distance))
    return (float(distance[point]), _row(curve, point, axes)) if distance[point] <= REACH_PX else None


def _row(curve: Curve, point: int, axes: tuple[Axis, Axis]) -> ReadoutRow:
    x, y = float(curve.x[point]), float(curve.y[point])
    labels = curve.series.labels
    text = f"{text_of(axes[1], y)} {axes[1].unit}".strip()
    if curve.low is not None and curve.high is not None:
        text += f"  ({number_text(float(curve.low[point]), 3)} … {number_text(float(curve.high[point]), 3)})"
    if point < len(labels):
        text += f"  {labels[point]}"
    return ReadoutRow(curve, point, x, y, text)


def _title(axis: Axis, row: ReadoutRow) -> str:
    return f"{axis.title} {text_of(axis, row.x)} {axis.unit}".strip()


def draw_readout(canvas: Canvas, found: Readout, inks: dict[int, QColor], at: QPointF) -> None:
    """Crosshair, a ring on each value, and the box beside the pointer. `inks` are colours by identity of curves."""
    painter, x, y, plot = canvas.painter, canvas.x, canvas.y, canvas.plot
    c, px = colours(), x.px_of(found.x)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(QColor(c.muted), 1))
    painter.drawLine(QLineF(round(px), plot.top(), round(px), plot.bottom()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    for row in found.rows:
        spot = QPointF(x.px_of(row.x), y.px_of(row.y))
        if math.isfinite(spot.x()) and math.isfinite(spot.y()) and plot.adjusted(-1, -1, 1, 1).contains(spot):
            painter.setPen(QPen(inks[id(row.curve)], 1.6))
            painter.setBrush(QColor(c.panel))
            painter.drawEllipse(spot, 3.6, 3.6)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _draw_box(painter, found, plot, inks, at)


def _draw_box(painter: QPainter, found: Readout, plot: QRectF, inks: dict[int, QColor], at: QPointF) -> None:
    c, texts = colours(), font(TYPE.caption, has_even_digits=True)
    metrics = QFontMetricsF(texts)
    height = metrics.height()
    names = [row.curve.series.name for row in found.rows]
    names_px = min(max(metrics.horizontalAdvance(name) for name in names), 220.0)
    values_px = max(metrics.horizontalAdvance(row.text) for row in found.rows)
    width = max(14 + names_px + SPACING.m + values_px, metrics.horizontalAdvance(found.title)) + 2 * SPACING.s
    whole = QRectF(0, 0, width, (len(names) + 1) * (height + 1) + SPACING.s)
    left = at.x() + GAP_PX if at.x() + GAP_PX + width <= plot.right() + SPACING.s else at.x() - GAP_PX - width
    top = min(max(at.y() - whole.height() / 2, plot.top()), max(plot.bottom() - whole.height(), 0.0))
    whole.moveTopLeft(QPointF(max(left, 2.0), top))
    painter.setPen(QPen(QColor(c.field_line), 1))
    painter.setBrush(QColor(c.raised))
    painter.drawRoundedRect(whole, RADIUS - 2, RADIUS - 2)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setFont(texts)
    line = QRectF(whole.left() + SPACING.s, whole.top() + SPACING.xs, width - 2 * SPACING.s, height)
    painter.setPen(QColor(c.muted))
    painter.drawText(line, _LEFT, found.title)
    for row, name in zip(found.rows, names, strict=True):
        line.translate(0, height + 1)
        painter.fillRect(QRectF(line.left(), line.center().y() - 4, 8, 8), inks[id(row.curve)])
        painter.setPen(QColor(c.text))
        short = metrics.elidedText(name, Qt.TextElideMode.ElideRight, names_px)
        painter.drawText(line.adjusted(14, 0, 0, 0), _LEFT, short)
        painter.drawText(line, _RIGHT, row.text)
