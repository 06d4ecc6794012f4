"""Frame rates as exact fractions: read from what a person writes, or found from the times at which frames are shown."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ul_engine.errors import ConfigError

Ticks = npt.NDArray[np.int64]
"""Presentation times in units of a file's clock, one per frame, increasing from 0."""

MIN_FPS, MAX_FPS = Fraction(1, 100), Fraction(1000)

_WHOLE = (1, 2, 5, 6, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 144, 240)
_FILM = (24, 30, 48, 60, 120, 240)
USUAL_FPS = (*(Fraction(n) for n in _WHOLE), *(Fraction(n * 1000, 1001) for n in _FILM))
"""Rates that files mean when rounding hid the exact number; the rates of NTSC are n * 1000 / 1001."""


def as_rate(fps: Fraction | float | str) -> Fraction:
    """Frames per second as a fraction: ``24``, ``12.5``, ``"30000/1001"``; raises ConfigError outside 0.01 to 1000.

    A float becomes the nearest fraction whose denominator is at most 1001, so that 23.976023976 is 24000/1001 while
    23.976 stays 2997/125.
    """
    try:
        rate = Fraction(fps)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise ConfigError(f"{fps!r} is no frame rate; write 24, 12.5 or 30000/1001", field="fps") from error
    if isinstance(fps, float):
        rate = rate.limit_denominator(1001)
    if not MIN_FPS <= rate <= MAX_FPS:
        raise ConfigError(f"must be between 0.01 and 1000 frames per second, not {fps}", field="fps")
    return rate


def estimate_rate(
    ticks: Ticks, tick_s: Fraction, last_ticks: int, hints: Sequence[Fraction] = ()
) -> tuple[Fraction, bool]:
    """Frames per second and whether the rate varies.

    The rate is constant if some rate puts every frame k within one tick of ``k / fps``: clocks of 1 or 10 ms round
    30 frames per second to 33, 33, 34 ms, and that is no change of rate. `hints` (what the file claims) are tried
    first, then one even interval, then the three usual rates nearest to the mean, whole ones before those of NTSC
    (which a short GIF cannot tell apart). A rate that varies is stated by its mean: frames / (time of the last one +
    `last_ticks`).
    """
    num_frames = len(ticks)
    mean = num_frames / (Fraction(int(ticks[-1]) + last_ticks) * tick_s)
    if num_frames == 1:
        return _usual(next((hint for hint in hints if hint > 0), mean)), False
    is_even = bool((np.diff(ticks) == ticks[1]).all())
    spread = (num_frames - 1) / (Fraction(int(ticks[-1])) * tick_s)
    nearest = sorted(USUAL_FPS, key=lambda rate: abs(rate - spread))[:3]
    plain_first = sorted(nearest, key=lambda rate: rate.denominator)
    for rate in (*(_usual(hint) for hint in hints if hint > 0), *((spread,) if is_even else plain_first), spread):
        if fits(ticks, tick_s, rate):
            return rate, False
    return mean, True


def fits(ticks: Ticks, tick_s: Fraction, rate: Fraction) -> bool:
    """Whether every frame k stands within one tick of ``k / rate``."""
    step = 1 / (rate * tick_s)
    error = ticks - np.arange(len(ticks)) * float(step)
    return bool(np.abs(error).max() <= 1.0 + 1e-6)


def rounded_times(num_frames: int, fps: Fraction, per_second: int) -> list[int]:
    """``round(k * per_second / fps)`` for k = 0 to `num_frames`: times on a coarse clock whose errors never add up."""
    return [math.floor(Fraction(k * per_second) / fps + Fraction(1, 2)) for k in range(num_frames + 1)]


def _usual(rate: Fraction) -> Fraction:
    """The usual rate within one part in a million (the rounding of a Matroska frame duration), else the same rate."""
    return next((usual for usual in USUAL_FPS if abs(rate / usual - 1) < Fraction(1, 10**6)), rate)
