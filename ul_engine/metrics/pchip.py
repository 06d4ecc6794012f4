"""Piecewise cubic interpolation that never overshoots its points (PCHIP).

Source: Fritsch and Butland, "A method for constructing local monotone piecewise cubic interpolants" (1984), with the
three-point end slopes of Moler, "Numerical Computing with MATLAB", section 3.6.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Pchip:
    """The curve through `(x, y)`, x strictly increasing, at least two points; monotone wherever the points are."""

    def __init__(self, x: npt.ArrayLike, y: npt.ArrayLike) -> None:
        self._x, self._y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        assert len(self._x) == len(self._y) >= 2
        assert (np.diff(self._x) > 0).all()
        self._steps = np.diff(self._x)
        self._slopes = _slopes(self._steps, np.diff(self._y) / self._steps)

    def __call__(self, x: float) -> float:
        """Value at `x`, which must lie within the points' range."""
        return self._cubic(x, integrated=False)

    def integral(self, start: float, end: float) -> float:
        """Exact integral from `start` to `end`, both within the points' range."""
        return self._from_first(end) - self._from_first(start)

    def _from_first(self, x: float) -> float:
        """Integral from the first point to `x`."""
        whole = self._steps * (self._y[:-1] + self._y[1:]) / 2 + self._steps**2 * -np.diff(self._slopes) / 12
        return float(whole[: self._piece(x)].sum()) + self._cubic(x, integrated=True)

    def _cubic(self, x: float, *, integrated: bool) -> float:
        """Hermite's cubic of the piece that holds `x`, there; or its integral from the piece's start to `x`."""
        i = self._piece(x)
        step, left, right = self._steps[i], self._slopes[i], self._slopes[i + 1]
        rise = (self._y[i + 1] - self._y[i]) / step
        powers = np.array([self._y[i], left, (3 * rise - 2 * left - right) / step, (left + right - 2 * rise) / step**2])
        offset, orders = x - self._x[i], np.arange(4)
        if integrated:
            return float((powers * offset ** (orders + 1) / (orders + 1)).sum())
        return float((powers * offset**orders).sum())

    def _piece(self, x: float) -> int:
        return int(np.clip(np.searchsorted(self._x, x, side="right") - 1, 0, len(self._steps) - 1))


def _slopes(steps: Floats, rises: Floats) -> Floats:
    """Slope at each point: a weighted harmonic mean of its neighbours' rises, 0 where they differ in sign."""
    if len(rises) == 1:
        return np.repeat(rises, 2)
    before, after = rises[:-1], rises[1:]
    weight_before, weight_after = 2 * steps[1:] + steps[:-1], steps[1:] + 2 * steps[:-1]
    agree = before * after > 0
    inner = np.zeros_like(before)
    inverse = weight_before[agree] / before[agree] + weight_after[agree] / after[agree]
    inner[agree] = (weight_before + weight_after)[agree] / inverse
    return np.concatenate(([_end_slope(steps, rises)], inner, [_end_slope(steps[::-1], rises[::-1])]))


def _end_slope(steps: Floats, rises: Floats) -> float:
    """Three-point estimate at the first point, held back so that the curve keeps its shape."""
    slope = ((2 * steps[0] + steps[1]) * rises[0] - steps[0] * rises[1]) / (steps[0] + steps[1])
    if slope * rises[0] <= 0:
        return 0.0
    if rises[0] * rises[1] <= 0 and abs(slope) > 3 * abs(rises[0]):
        return float(3 * rises[0])
    return float(slope)
