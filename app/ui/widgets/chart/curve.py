"""A series made ready for drawing: arrays, whether it runs from left to right, its extremes, its smoothed form."""

from functools import cached_property

import numpy as np

from app.ui.widgets.chart.pyramid import Pyramid
from app.ui.widgets.chart.scale import Floats
from app.ui.widgets.chart.series import Series, Style, Values
from app.ui.widgets.chart.smoothing import smoothed


class Curve:
    """What is computed once for a series. Its numbers must not change: a longer series is another series."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.x, self.y = _floats(series.x), _floats(series.y)
        if len(self.x) != len(self.y):
            raise ValueError(f"{series.name}: {len(self.x)} x values, but {len(self.y)} y values")
        self.low = _floats(series.low) if series.low is not None else None
        self.high = _floats(series.high) if series.high is not None else None
        self.shade = _floats(series.shade) if series.shade is not None else None
        self.is_visible = True
        self._smoothed: tuple[float, Floats, Pyramid] | None = None

    @cached_property
    def is_ascending(self) -> bool:
        """Whether x never falls, so that it can be searched."""
        return bool(np.all(np.diff(self.x) >= 0)) if np.isfinite(self.x).all() else False

    @cached_property
    def pyramid(self) -> Pyramid:
        """Extremes of y."""
        return Pyramid(self.y)

    @cached_property
    def band(self) -> tuple[Pyramid, Pyramid] | None:
        """Extremes of the band's lower and upper edge."""
        if self.low is None or self.high is None:
            return None
        return Pyramid(self.low), Pyramid(self.high)

    def is_smoothed(self, amount: float) -> bool:
        """Whether smoothing changes this series."""
        style = self.series.style
        return amount > 0.0 and self.series.is_smoothed and style is Style.LINE and self.shade is None

    def smooth(self, amount: float) -> tuple[Floats, Pyramid]:
        """The smoothed values and their extremes."""
        if self._smoothed is None or self._smoothed[0] != amount:
            values = smoothed(self.y, amount)
            self._smoothed = (amount, values, Pyramid(values))
        return self._smoothed[1], self._smoothed[2]

    def shown(self, amount: float) -> Floats:
        """The values that stand for the series: smoothed where it is."""
        return self.smooth(amount)[0] if self.is_smoothed(amount) else self.y

    def last(self, amount: float = 0.0) -> float:
        """The last value that is a number; NaN where there is none."""
        values = self.shown(amount)
        places = np.flatnonzero(np.isfinite(values[-1000:]))
        return float(values[-1000:][places[-1]]) if len(places) else float("nan")

    def nearest(self, x: float) -> int | None:
        """The point nearest in x among those with a value; only for ascending series."""
        if not self.is_ascending or not len(self.x):
            return None
        place = int(np.searchsorted(self.x, x))
        near = [each for each in range(place - 40, place + 40) if 0 <= each < len(self.x) and np.isfinite(self.y[each])]
        return min(near, key=lambda each: abs(float(self.x[each]) - x)) if near else None


def _floats(values: Values) -> Floats:
    return np.asarray(values, dtype=np.float64)
