"""When each frame of a clip is shown, and which frames are on screen at another rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ul_engine.media.rates import Ticks, estimate_rate

Numbers = npt.NDArray[np.int64]
"""Numbers of frames in a file, from 0, in the order they are shown."""


@dataclass(frozen=True)
class Timeline:
    """Presentation times of all frames of a clip."""

    ticks: Ticks
    tick_s: Fraction
    """Seconds per tick of the file's clock."""
    fps: Fraction
    is_variable: bool
    duration_s: Fraction

    @classmethod
    def of(cls, ticks: Ticks, tick_s: Fraction, last_ticks: int | None, hints: Sequence[Fraction] = ()) -> "Timeline":
        """From increasing times (the first is taken as 0), how long the last frame stands, and rates the file claims.

        `last_ticks` None: the last frame stands as long as one before it does on average (a lone frame: 1 / hint).
        """
        ticks = ticks - ticks[0]
        if last_ticks is None or last_ticks <= 0:
            last_ticks = _mean_interval(ticks, tick_s, hints)
        fps, is_variable = estimate_rate(ticks, tick_s, last_ticks, hints)
        duration_s = (int(ticks[-1]) + last_ticks) * tick_s if is_variable else len(ticks) / fps
        return cls(ticks, tick_s, fps, is_variable, duration_s)

    @classmethod
    def even(cls, num_frames: int, fps: Fraction) -> "Timeline":
        """A constant rate without doubt."""
        return cls(np.arange(num_frames, dtype=np.int64), 1 / fps, fps, False, num_frames / fps)

    def __len__(self) -> int:
        return len(self.ticks)

    def first(self, num_frames: int) -> "Timeline":
        """Only the first frames; the rate stays what the whole clip says."""
        if num_frames == len(self):
            return self
        end_s = int(self.ticks[num_frames]) * self.tick_s if self.is_variable else num_frames / self.fps
        return Timeline(self.ticks[:num_frames], self.tick_s, self.fps, self.is_variable, end_s)

    def numbers_at(self, fps: Fraction | None) -> Numbers:
        """Numbers of the frames on screen at 0, 1/fps, 2/fps, ... until the clip ends; None: every frame once.

        At each of these times stands the latest frame that is due: frames are repeated or left out, never blended.
        There are round(duration * fps), at least 1. At a constant rate that is frame floor(j * own fps / fps), exact
        whatever the file's clock rounds; at a variable one the file's times decide, rounded by at most half a tick.
        """
        if fps is None or (fps == self.fps and not self.is_variable):
            return np.arange(len(self), dtype=np.int64)
        count = max(1, math.floor(self.duration_s * fps + Fraction(1, 2)))
        if not self.is_variable:
            ratio = self.fps / fps
            exact = [j * ratio.numerator // ratio.denominator for j in range(count)]
            return np.minimum(np.asarray(exact, dtype=np.int64), len(self) - 1)
        step = 1 / (fps * self.tick_s)
        due = [math.floor(j * step + Fraction(1, 2)) for j in range(count)]
        return np.searchsorted(self.ticks, np.asarray(due, dtype=np.int64), side="right").astype(np.int64) - 1


def _mean_interval(ticks: Ticks, tick_s: Fraction, hints: Sequence[Fraction]) -> int:
    if len(ticks) > 1:
        return max(1, round(int(ticks[-1]) / (len(ticks) - 1)))
    hint = next((hint for hint in hints if hint > 0), Fraction(1))
    return max(1, round(1 / (hint * tick_s)))
