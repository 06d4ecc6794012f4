"""From values to places along an axis, with round numbers as ticks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NUM_TICKS = 5
EMPTY_SHARE = 0.08
"""Part of the axis left free beyond the first and the last value."""


@dataclass(frozen=True)
class Scale:
    """`low` and `high` are the values at both ends of the axis."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis `value` lies: 0 at `low`, 1 at `high`."""
        low, high, at = (self._moved(each) for each in (self.low, self.high, value))
        return (at - low) / (high - low)

    def _moved(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    @property
    def ticks(self) -> tuple[float, ...]:
        """Round values inside, about five of them."""
        if not self.is_log:
            return _linear_ticks(self.low, self.high)
        steps = next((found for found in map(self._decades, ((1, 2, 5), (1, 3), (1,))) if len(found) <= 8), ())
        return steps if len(steps) >= 2 else _linear_ticks(self.low, self.high)

    def _decades(self, factors: Sequence[int]) -> tuple[float, ...]:
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = (factor * 10.0**exponent for exponent in exponents for factor in factors)
        return tuple(value for value in values if self.low <= value <= self.high)


def scale_for(values: Iterable[float], *, is_log: bool = False) -> Scale:
    """A scale that holds all `values` with some room; 0 to 1 (or 0.1 to 1) where there are none."""
    found = list(values)
    if not found:
        return Scale(0.1 if is_log else 0.0, 1.0, is_log)
    low, high = min(found), max(found)
    if is_log:
        room = max(high / low, 1.5) ** EMPTY_SHARE
        return Scale(low / room, high * room, is_log=True)
    room = EMPTY_SHARE * ((high - low) or abs(high) or 1.0)
    keeps_sign = low >= 0.0 and low - room < 0.0
    return Scale(0.0 if keeps_sign else low - room, high + room)


def tick_texts(scale: Scale) -> list[str]:
    """Ticks as text: on a linear scale all with the same decimals, as few as tell them apart."""
    ticks = scale.ticks
    decimals = next((count for count in range(9) if all(_is_exact(tick, count) for tick in ticks)), None)
    if scale.is_log or decimals is None:
        return [f"{tick:g}" for tick in ticks]
    return [f"{tick:.{decimals}f}" for tick in ticks]


def _is_exact(value: float, decimals: int) -> bool:
    return abs(round(value, decimals) - value) <= 1e-9 * max(1e-9, abs(value))


def _linear_ticks(low: float, high: float) -> tuple[float, ...]:
    step = _round_step((high - low) / NUM_TICKS)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(number * step, 12) for number in range(first, last + 1))


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, the nearest at or above `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1.0 - 1e-9))
