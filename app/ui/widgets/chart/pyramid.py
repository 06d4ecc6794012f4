"""Smallest and largest values of stretches of a curve, at several finenesses: a million points cost what a screen
shows."""

import numpy as np
from numpy.typing import NDArray

from app.ui.widgets.chart.scale import Floats, Scale

BRANCH = 8
FINENESS = 4
"""A stretch is looked up in blocks of which it holds at least so many: its ends are off by a quarter pixel at most."""
Indices = NDArray[np.intp]


class Pyramid:
    """Minima and maxima of `y` [N] in blocks of 1, 8, 64 … points. Values that are not finite count as absent."""

    def __init__(self, y: Floats) -> None:
        is_there = np.isfinite(y)
        self._lows = [_ended(np.where(is_there, y, np.inf), np.inf)]
        self._highs = [_ended(np.where(is_there, y, -np.inf), -np.inf)]
        while len(self._lows[-1]) > BRANCH * FINENESS:
            self._lows.append(_ended(_blocks(self._lows[-1][:-1], np.inf, np.minimum), np.inf))
            self._highs.append(_ended(_blocks(self._highs[-1][:-1], -np.inf, np.maximum), -np.inf))

    def extremes(self, starts: Indices, stops: Indices) -> tuple[Floats, Floats]:
        """Minimum and maximum of each stretch of points [start, stop); NaN where it holds none."""
        low, high = np.full(len(starts), np.inf), np.full(len(starts), -np.inf)
        counts, block = stops - starts, 1
        for level in range(len(self._lows)):
            is_last = level == len(self._lows) - 1
            is_here = (counts > 0) & (counts >= block * FINENESS if level else True)
            if not is_last:
                is_here &= counts < block * BRANCH * FINENESS
            if is_here.any():
                ends = np.stack((starts[is_here] // block, -(-stops[is_here] // block)), axis=1).ravel()
                low[is_here] = np.minimum.reduceat(self._lows[level], ends)[::2]
                high[is_here] = np.maximum.reduceat(self._highs[level], ends)[::2]
            block *= BRANCH
        is_empty = low > high
        low[is_empty] = high[is_empty] = np.nan
        return low, high

    def range(self) -> tuple[float, float]:
        """Smallest and largest value of all; NaN where there is none."""
        low, high = float(self._lows[-1].min()), float(self._highs[-1].max())
        return (low, high) if low <= high else (np.nan, np.nan)


def columns(x: Floats, scale: Scale) -> tuple[Floats, Indices, Indices]:
    """Pixel columns of an axis over ascending `x`: middles in pixels, and the stretch of points in each; columns
    without points are left out."""
    first, last = scale.span_px
    edges_px = np.arange(np.floor(first), np.ceil(last) + 1.0)
    places = np.searchsorted(x, scale.values_at(edges_px))
    starts, stops = np.minimum(places[:-1], places[1:]), np.maximum(places[:-1], places[1:])
    is_filled = stops > starts
    return edges_px[:-1][is_filled] + 0.5, starts[is_filled], stops[is_filled]


def _ended(values: Floats, absent: float) -> Floats:
    """With one absent value at the end, so that a stretch may end where the values do."""
    return np.append(values, absent)


def _blocks(values: Floats, absent: float, choose: np.ufunc) -> Floats:
    """The chosen value of every block of `BRANCH`; by halves, which is ten times faster than along short rows."""
    rest = -len(values) % BRANCH
    chosen = np.append(values, np.full(rest, absent)) if rest else values
    for _ in range(BRANCH.bit_length() - 1):
        chosen = choose(chosen[0::2], chosen[1::2])
    return chosen
