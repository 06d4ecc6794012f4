"""Sizes and shapes of many pictures, counted in bars. No torch."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from trainer.data.check.report import Bar, SizesFound, Spread

SIDES_PX = (0, 32, 64, 128, 256, 512, 1024, 2048)
ASPECTS = ("1:3", "1:2", "9:16", "2:3", "3:4", "4:5", "1:1", "5:4", "4:3", "3:2", "16:9", "2:1", "3:1")
"""Usual shapes, width to height; every picture counts to the nearest, on a scale of ratios."""


def spread_of(values: Sequence[float]) -> Spread:
    """Least, median and greatest of at least one value."""
    return Spread(least=min(values), median=float(np.median(values)), greatest=max(values))


def sizes_of(sizes: Sequence[tuple[int, int]]) -> SizesFound:
    """Of (width, height) in pixels, at least one."""
    shorter = [float(min(size)) for size in sizes]
    return SizesFound(
        shorter_px=spread_of(shorter),
        longer_px=spread_of([float(max(size)) for size in sizes]),
        shorter=side_bars(shorter),
        aspects=aspect_bars([width / height for width, height in sizes]),
    )


def side_bars(sides_px: Sequence[float]) -> tuple[Bar, ...]:
    """Bars between the edges of `SIDES_PX`; the last has no end."""
    edges = (*map(float, SIDES_PX), math.inf)
    names = [f"under {SIDES_PX[1]}", *(f"{low} - {high - 1}" for low, high in pairwise(SIDES_PX[1:]))]
    return _bars(sides_px, edges, (*names, f"from {SIDES_PX[-1]}"))


def aspect_bars(aspects: Sequence[float]) -> tuple[Bar, ...]:
    """A bar for each of `ASPECTS`; the edges are the geometric means of neighbours."""
    ratios = [int(width) / int(height) for width, height in (name.split(":") for name in ASPECTS)]
    edges = (0.0, *(math.sqrt(low * high) for low, high in pairwise(ratios)), math.inf)
    return _bars(aspects, edges, ASPECTS)


def _bars(values: Sequence[float], edges: Sequence[float], labels: Sequence[str]) -> tuple[Bar, ...]:
    places = np.searchsorted(edges, np.asarray(values, np.float64), side="right") - 1
    counts = np.bincount(places, minlength=len(labels))
    return tuple(
        Bar(low=low, high=None if math.isinf(high) else high, label=label, count=int(count))
        for (low, high), label, count in zip(pairwise(edges), labels, counts, strict=True)
    )
