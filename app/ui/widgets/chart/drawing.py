"""Series, bands, bars and marks with a painter: at most two points per pixel, pens of one pixel."""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from PySide6.QtCore import QByteArray, QDataStream, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app.ui.theme.theme import colours
from app.ui.widgets.chart.curve import Curve
from app.ui.widgets.chart.pyramid import Indices, Pyramid, columns
from app.ui.widgets.chart.scale import Floats, Scale

RAW_OPACITY, BAND_OPACITY = 0.28, 0.18
MAX_CLOUD = 20_000
FAR_PX = 20_000.0
DOT_PX = 2.6
LINE_PX = 1.4
NUM_SHADES = 32
"""Tints of a trail from pale to full: more could not be told apart."""


@dataclass(frozen=True)
class Canvas:
    """Where and how to draw."""

    painter: QPainter
    x: Scale
    y: Scale
    plot: QRectF


def draw_line(canvas: Canvas, curve: Curve, smoothing: float, colour: QColor) -> None:
    """The curve; a smoothed one with its raw form faintly behind it."""
    if curve.is_smoothed(smoothing):
        values, pyramid = curve.smooth(smoothing)
        _draw_values(canvas, curve, curve.y, curve.pyramid, _faded(colour, RAW_OPACITY))
        _draw_values(canvas, curve, values, pyramid, colour)
    else:
        _draw_values(canvas, curve, curve.y, curve.pyramid, colour)
    if curve.series.has_dots:
        draw_dots(canvas, curve, colour)


def _draw_values(canvas: Canvas, curve: Curve, y: Floats, pyramid: Pyramid, colour: QColor) -> None:
    if curve.is_ascending:
        xs, ys, is_dense = thinned(curve.x, y, pyramid, canvas)
    else:
        xs, ys, is_dense = canvas.x.to_px(curve.x[:MAX_CLOUD]), canvas.y.to_px(y[:MAX_CLOUD]), False
    width = 1.0 if is_dense or colour.alphaF() < 1.0 else LINE_PX
    for run in runs(xs, ys):
        stroke(canvas.painter, run, colour, width, is_dashed=curve.series.is_dashed, is_fine=not is_dense)


def stroke(
    painter: QPainter,
    points: QPolygonF,
    colour: QColor,
    width: float = LINE_PX,
    *,
    is_dashed: bool = False,
    is_fine: bool = True,
) -> None:
    """A line through points, made wide by drawing it side by side with pens of one dot: a restless line of six hundred
    points takes a millisecond so, and a hundred with one pen of its width, whose outline crosses itself everywhere."""
    pen = QPen(colour, 1.0)
    pen.setCosmetic(True)
    if is_dashed:
        pen.setDashPattern([5.0, 4.0])
    painter.setPen(pen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, is_fine)
    ratio = painter.device().devicePixelRatio()
    spread = max(width * ratio - 1.0, 0.0) if is_fine else 0.0
    num_lines = 1 + ceil(spread)
    for place in range(num_lines):
        shift = spread * (place / (num_lines - 1) - 0.5) / ratio if num_lines > 1 else 0.0
        moved = points.translated(shift, shift) if shift else points
        if points.size() > 1:
            painter.drawPolyline(moved)
        else:
            painter.drawPoints(moved)


def thinned(x: Floats, y: Floats, pyramid: Pyramid, canvas: Canvas) -> tuple[Floats, Floats, bool]:
    """Pixels of what is in sight of a curve with ascending x: its points, or where they are denser than pixels the
    smallest and largest value of each column; and whether that was so."""
    scale = canvas.x
    begin = max(0, int(np.searchsorted(x, scale.low)) - 1)
    end = min(len(x), int(np.searchsorted(x, scale.high, side="right")) + 1)
    width = abs(scale.end_px - scale.start_px)
    if end - begin <= 2 * width:
        return scale.to_px(x[begin:end]), canvas.y.to_px(y[begin:end]), False
    middles, starts, stops = columns(x, scale)
    low, high = pyramid.extremes(starts, stops)
    xs = np.repeat(middles, 2)
    ys = np.empty(2 * len(middles))
    ys[0::2], ys[1::2] = low, high
    ys[2::4], ys[3::4] = high[1::2], low[1::2]  # every other column downwards, so that columns join at their near ends
    return xs, canvas.y.to_px(ys), True


def runs(xs: Floats, ys: Floats) -> list[QPolygonF]:
    """Stretches of points without gaps."""
    is_there = np.isfinite(xs) & np.isfinite(ys)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_there, [False])).astype(np.int8)))
    xs, ys = np.clip(xs, -FAR_PX, FAR_PX), np.clip(ys, -FAR_PX, FAR_PX)
    return [polygon(xs[start:stop], ys[start:stop]) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def polygon(xs: Floats, ys: Floats) -> QPolygonF:
    """Points as Qt wants them: through its own binary form, five times faster than point by point."""
    points = np.empty((len(xs), 2), dtype=">f8")
    points[:, 0], points[:, 1] = xs, ys
    result = QPolygonF()
    stream = QDataStream(QByteArray(len(xs).to_bytes(4, "big") + points.tobytes()))
    _ = stream >> result
    return result


def draw_band(canvas: Canvas, curve: Curve, colour: QColor) -> None:
    """The area between the lower and the upper edge."""
    if curve.band is None or curve.low is None or curve.high is None or not curve.is_ascending:
        return
    x_low, low, is_dense = thinned(curve.x, curve.low, curve.band[0], canvas)
    x_high, high, _ = thinned(curve.x, curve.high, curve.band[1], canvas)
    if is_dense:
        x_low, low = x_low[::2], np.fmax(low[0::2], low[1::2])  # in pixels the larger one is lower
        x_high, high = x_high[::2], np.fmin(high[0::2], high[1::2])
    floor = canvas.y.start_px
    is_there = np.isfinite(high)
    xs = np.concatenate((x_high[is_there], x_low[is_there][::-1]))
    ys = np.concatenate((high[is_there], np.where(np.isfinite(low), low, floor)[is_there][::-1]))
    canvas.painter.setPen(Qt.PenStyle.NoPen)
    canvas.painter.setBrush(_faded(colour, BAND_OPACITY))
    canvas.painter.drawPolygon(polygon(np.clip(xs, -FAR_PX, FAR_PX), np.clip(ys, -FAR_PX, FAR_PX)))
    canvas.painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_dots(canvas: Canvas, curve: Curve, colour: QColor) -> None:
    """A dot on every point in sight."""
    xs, ys, shades = in_sight(canvas, curve)
    painter = canvas.painter
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    for place, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True)):
        painter.setBrush(shaded(colour, float(shades[place])) if shades is not None else colour)
        painter.drawEllipse(QPointF(x, y), DOT_PX, DOT_PX)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def in_sight(canvas: Canvas, curve: Curve) -> tuple[Floats, Floats, Floats | None]:
    """Pixels of the points within the plot, thinned evenly where they are too many; of those that cover each other the
    last."""
    stride = max(1, len(curve.x) // MAX_CLOUD)
    xs, ys = canvas.x.to_px(curve.x[::stride]), canvas.y.to_px(curve.y[::stride])
    plot = canvas.plot
    with np.errstate(invalid="ignore"):
        is_inside = (xs >= plot.left() - 4) & (xs <= plot.right() + 4) & (ys >= plot.top() - 4)
        is_inside &= ys <= plot.bottom() + 4
    seen = np.flatnonzero(is_inside)[_last_of_each(xs[is_inside], ys[is_inside])]
    shades = shares(curve.shade)[::stride][seen] if curve.shade is not None else None
    return xs[seen], ys[seen], shades


def _last_of_each(xs: Floats, ys: Floats) -> Indices:
    """Places of the points that no later one covers, in their order."""
    cells = np.round(ys).astype(np.int64) * (1 << 32) + np.round(xs).astype(np.int64)
    _, from_end = np.unique(cells[::-1], return_index=True)
    return np.sort(len(cells) - 1 - from_end)


def draw_trail(canvas: Canvas, curve: Curve, colour: QColor) -> None:
    """A line whose colour tells how far along it is, with dots on its points."""
    assert curve.shade is not None
    stride = max(1, len(curve.x) // MAX_CLOUD)
    xs, ys = canvas.x.to_px(curve.x[::stride]), canvas.y.to_px(curve.y[::stride])
    is_there = np.isfinite(xs) & np.isfinite(ys)
    xs, ys = np.clip(xs[is_there], -FAR_PX, FAR_PX), np.clip(ys[is_there], -FAR_PX, FAR_PX)
    tints = np.round(shares(curve.shade)[::stride][is_there] * (NUM_SHADES - 1)).astype(np.intp)
    starts = [1, *(np.flatnonzero(np.diff(tints[1:])) + 2).tolist(), len(tints)]
    for start, stop in pairwise(starts if len(tints) > 1 else ()):  # a stretch of one tint, from the point before it
        tint = shaded(colour, float(tints[start]) / (NUM_SHADES - 1))
        stroke(canvas.painter, polygon(xs[start - 1 : stop], ys[start - 1 : stop]), tint)
    draw_dots(canvas, curve, colour)


def shares(shade: Floats) -> Floats:
    """Shades as shares from 0 (smallest) to 1 (largest)."""
    low, high = np.nanmin(shade, initial=np.inf), np.nanmax(shade, initial=-np.inf)
    if not high > low:
        return np.ones_like(shade)
    result: Floats = np.nan_to_num((shade - low) / (high - low), nan=1.0)
    return result


def shaded(colour: QColor, share: float) -> QColor:
    """The colour, the paler the smaller the share."""
    return _faded(colour, 0.25 + 0.75 * share)


def draw_bars(canvas: Canvas, curve: Curve, colour: QColor, place: tuple[int, int]) -> None:
    """Bars from zero, with their error range as a whisker; `place` is (which, of how many) rows share each x."""
    index, count = place
    spacing = float(np.min(np.diff(np.unique(curve.x)), initial=np.inf)) if len(curve.x) > 1 else 1.0
    spacing = spacing if np.isfinite(spacing) else 1.0
    share = 0.8 * spacing / count
    floor = canvas.y.px_of(0.0) if not canvas.y.is_log else canvas.y.start_px
    painter = canvas.painter
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for number, (x, y) in enumerate(zip(curve.x.tolist(), curve.y.tolist(), strict=True)):
        top = canvas.y.px_of(y)
        if np.isfinite(top):
            left = x - 0.4 * spacing + share * index
            rect = QRectF(QPointF(canvas.x.px_of(left), top), QPointF(canvas.x.px_of(left + share * 0.94), floor))
            painter.fillRect(rect.normalized(), colour)
            _draw_whisker(canvas, curve, number, rect.center().x())


def _draw_whisker(canvas: Canvas, curve: Curve, number: int, x: float) -> None:
    """A bar's error range; none where it is smaller than can be seen."""
    if curve.low is None or curve.high is None:
        return
    low, high = (canvas.y.px_of(float(edge[number])) for edge in (curve.low, curve.high))
    if np.isfinite(low) and np.isfinite(high) and low - high > 1.0:
        canvas.painter.setPen(QPen(QColor(colours().text), 1))
        for first, second in (((x, low), (x, high)), *(((x - 3, y), (x + 3, y)) for y in (low, high))):
            canvas.painter.drawLine(QPointF(*first), QPointF(*second))


def _faded(colour: QColor, opacity: float) -> QColor:
    result = QColor(colour)
    result.setAlphaF(opacity * colour.alphaF())
    return result
