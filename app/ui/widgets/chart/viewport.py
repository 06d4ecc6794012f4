"""Which part of the plane is in sight: as the data asks, or as a person has zoomed and moved. Knows no widget."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from app.ui.widgets.chart.curve import Curve
from app.ui.widgets.chart.scale import Floats, moved, zoomed
from app.ui.widgets.chart.series import Axis, AxisKind, Mark, Style, View

X_MARGIN, Y_MARGIN = 0.01, 0.06
EMPTY_RANGE, EMPTY_LOG_RANGE = (0.0, 1.0), (0.1, 10.0)


class Viewport:
    """Axes and the view. `is_fitted`: the view follows the data."""

    def __init__(self) -> None:
        self.x_axis, self.y_axis = Axis(), Axis()
        self.view = View(*EMPTY_RANGE, *EMPTY_RANGE)
        self.is_fitted = True

    def fit(self, curves: Iterable[Curve], marks: Iterable[Mark]) -> None:
        """Show everything that is visible."""
        curves, marks = [curve for curve in curves if curve.is_visible], [mark for mark in marks if mark.is_fitted]
        xs = [(curve.x, None) for curve in curves]
        ys = [part for curve in curves for part in _heights(curve)]
        has_bars = any(curve.series.style is Style.BARS for curve in curves)
        x_marks = [value for mark in marks for value in (mark.x, mark.x_end) if value is not None]
        y_marks = [value for mark in marks for value in (mark.y, mark.y_end) if value is not None]
        x_range = _limits(self.x_axis, [x for x, _ in xs], x_marks, 0.0 if not has_bars else 0.6)
        y_range = _limits(self.y_axis, ys, y_marks, 0.0)
        if has_bars and not self.y_axis.is_log:
            y_range = min(0.0, y_range[0]), max(0.0, y_range[1])
        x_margin = 0.0 if has_bars else X_MARGIN if not _is_cloud(curves) else Y_MARGIN
        self.view = View(
            *_widened(self.x_axis, x_range, x_margin), *_widened(self.y_axis, y_range, Y_MARGIN, at_zero=has_bars)
        )
        self.is_fitted = True

    def set_view(self, view: View) -> None:
        """Show a given part, if it is one."""
        is_whole = view.x_low < view.x_high and view.y_low < view.y_high and all(map(np.isfinite, _ends(view)))
        is_positive = not (self.x_axis.is_log and view.x_low <= 0) and not (self.y_axis.is_log and view.y_low <= 0)
        if is_whole and is_positive:
            self.view, self.is_fitted = view, False

    def zoom(self, factor: float, x: float | None, y: float | None) -> None:
        """Make the view `factor` times as wide around x and as high around y; None: that axis stays."""
        view = self.view
        if x is not None:
            low, high = zoomed(view.x_low, view.x_high, is_log=self.x_axis.is_log, at=x, factor=factor)
            view = replace(view, x_low=low, x_high=high)
        if y is not None:
            low, high = zoomed(view.y_low, view.y_high, is_log=self.y_axis.is_log, at=y, factor=factor)
            view = replace(view, y_low=low, y_high=high)
        self.set_view(view)

    def pan(self, x_share: float, y_share: float) -> None:
        """Move the view to the right and upwards, as it is seen, by shares of its width and height."""
        view = self.view
        x_share = -x_share if self.x_axis.is_reversed else x_share
        x_low, x_high = moved(view.x_low, view.x_high, is_log=self.x_axis.is_log, share=x_share)
        y_low, y_high = moved(view.y_low, view.y_high, is_log=self.y_axis.is_log, share=y_share)
        self.set_view(View(x_low, x_high, y_low, y_high))


def _heights(curve: Curve) -> list[Floats]:
    """All values that must be in sight, those behind a smoothed curve too: a spike is not to be hidden."""
    return [curve.y, *(edge for edge in (curve.low, curve.high) if edge is not None)]


def _limits(axis: Axis, parts: list[Floats], marks: list[float], margin: float) -> tuple[float, float]:
    """The range of the data and marks; for a logarithmic axis of what is above zero."""
    if axis.kind is AxisKind.NAMES:
        return -0.6, max(len(axis.names), 1) - 0.4
    lows, highs = [], []
    for part in [*parts, np.asarray(marks, dtype=np.float64)]:
        is_shown = np.isfinite(part) & (part > 0) if axis.is_log else np.isfinite(part)
        if is_shown.any():
            lows.append(float(np.min(part, where=is_shown, initial=np.inf)))
            highs.append(float(np.max(part, where=is_shown, initial=-np.inf)))
    if not lows:
        return EMPTY_LOG_RANGE if axis.is_log else EMPTY_RANGE
    return min(lows) - margin, max(highs) + margin


def _widened(axis: Axis, limits: tuple[float, float], margin: float, *, at_zero: bool = False) -> tuple[float, float]:
    """With a margin, and with a width where all values are the same; fixed ends of the axis win."""
    low, high = limits
    if axis.is_log:
        factor = (high / low) ** margin if high > low else 2.0
        low, high = low / factor, high * factor
    elif high > low:
        extra = (high - low) * margin
        low, high = low - (0.0 if at_zero and low == 0.0 else extra), high + (0.0 if at_zero and high == 0 else extra)
    else:
        extra = abs(low) * 0.1 or 0.5
        low, high = low - extra, high + extra
    fixed_low = axis.low if axis.low is not None and not (axis.is_log and axis.low <= 0) else None
    low = fixed_low if fixed_low is not None else low
    high = axis.high if axis.high is not None else high
    return (low, high) if low < high else (low, low * 2 if axis.is_log else low + 1.0)


def _is_cloud(curves: list[Curve]) -> bool:
    return any(curve.series.style is Style.SCATTER or curve.shade is not None for curve in curves)


def _ends(view: View) -> tuple[float, ...]:
    return view.x_low, view.x_high, view.y_low, view.y_high
