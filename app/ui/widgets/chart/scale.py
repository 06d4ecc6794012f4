"""Between the values of an axis and pixels, linear or logarithmic."""

from dataclasses import dataclass
from math import log10, nan

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """Maps [low, high] to [start_px, end_px]; `end_px` may be the smaller one. A logarithmic one needs low > 0."""

    low: float
    high: float
    is_log: bool
    start_px: float
    end_px: float

    def to_px(self, values: Floats) -> Floats:
        """Pixels of values; NaN where a logarithm does not exist."""
        begin, end = self._ends()
        if self.is_log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.where(values > 0, np.log10(values), np.nan)
        result: Floats = self.start_px + (values - begin) * ((self.end_px - self.start_px) / (end - begin))
        return result

    def px_of(self, value: float) -> float:
        """The pixel of one value; asked for so often that it goes without arrays."""
        begin, end = self._ends()
        if self.is_log:
            value = log10(value) if value > 0 else nan
        return self.start_px + (value - begin) * ((self.end_px - self.start_px) / (end - begin))

    def values_at(self, px: Floats) -> Floats:
        """Values at pixels."""
        begin, end = self._ends()
        values: Floats = begin + (px - self.start_px) * ((end - begin) / (self.end_px - self.start_px))
        return np.power(10.0, values) if self.is_log else values

    def value_at(self, px: float) -> float:
        """The value at one pixel."""
        return float(self.values_at(np.array([px], dtype=np.float64))[0])

    @property
    def span_px(self) -> tuple[float, float]:
        """The smaller and the larger end in pixels."""
        return min(self.start_px, self.end_px), max(self.start_px, self.end_px)

    def _ends(self) -> tuple[float, float]:
        if not self.is_log:
            return self.low, self.high
        return log10(self.low), log10(self.high)


def zoomed(low: float, high: float, *, is_log: bool, at: float, factor: float) -> tuple[float, float]:
    """A range `factor` times as wide that keeps the value `at` in its place; the same range where floats end."""
    begin, end, middle = _plain(low, is_log), _plain(high, is_log), _plain(at, is_log)
    begin, end = middle + (begin - middle) * factor, middle + (end - middle) * factor
    smallest = max(abs(begin), abs(end), 1e-300) * 1e-12
    if not smallest < end - begin < 1e300 or (is_log and (begin < -300 or end > 300)):
        return low, high
    return _back(begin, is_log), _back(end, is_log)


def moved(low: float, high: float, *, is_log: bool, share: float) -> tuple[float, float]:
    """A range moved by a share of its width."""
    begin, end = _plain(low, is_log), _plain(high, is_log)
    shift = (end - begin) * share
    if is_log and not (begin + shift > -300 and end + shift < 300):
        return low, high
    return _back(begin + shift, is_log), _back(end + shift, is_log)


def _plain(value: float, is_log: bool) -> float:
    return float(np.log10(value)) if is_log else value


def _back(value: float, is_log: bool) -> float:
    return float(10.0**value) if is_log else value
