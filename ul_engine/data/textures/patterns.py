"""Regular patterns: stripes, checks, dots, bricks, weave; turned, a little bent, with the unevenness of real things."""

from collections.abc import Callable

import numpy as np

from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.colours import FloatArray, palette, picture_from_oklab
from ul_engine.data.textures.fields import Size, colour_noise, fractal_noise, turned
from ul_engine.data.textures.gradients import smooth_colours

_TABLE = 1021
"""Prime length of the table that gives neighbouring cells unlike colours."""

Cells = tuple[FloatArray, FloatArray]
"""Coordinates `[H, W]` in cells, along and across."""
Share = Callable[[Cells, float, np.random.Generator], tuple[FloatArray, Cells]]
"""Share of the second colour `[H, W]` in [0, 1] and the coordinates whose whole parts number the cells, from
coordinates and the width of a pixel in cells."""


def pattern(rng: np.random.Generator, size: Size) -> Uint8Array:
    """One of the patterns, cells of 3 pixels to a third of the picture, uint8 `[H, W, 3]`."""
    cell_px = float(np.exp(rng.uniform(np.log(3.0), np.log(max(4.0, min(size) / 3)))))
    along, across = turned(size, rng.uniform(0.0, 2.0 * np.pi))
    bend = fractal_noise(rng, size, exponent=2.0, channels=2) * np.float32(rng.choice([0.0, 0.1, 0.4]))
    share_of = _KINDS[int(rng.integers(len(_KINDS)))]
    u, v = along / cell_px + bend[0] + rng.random(), across / cell_px + bend[1] + rng.random()
    share, cells = share_of((u, v), 1.0 / cell_px, rng)
    colours = palette(rng, 3)
    colours[1, 0] = np.clip(colours[0, 0] + rng.choice([-1.0, 1.0]) * rng.uniform(0.08, 0.5), 0.05, 0.97)
    ground = smooth_colours(rng, size, np.stack((colours[0], colours[0] + 0.15 * (colours[2] - colours[0]))))
    lab = ground + share[..., None] * (colours[1] - colours[0]) + _unevenness(rng, cells)
    lab += colour_noise(rng, size, exponent=rng.uniform(0.4, 1.2)) * np.float32(rng.uniform(0.0, 0.04))
    return picture_from_oklab(lab.astype(np.float32))


def _unevenness(rng: np.random.Generator, cells: Cells) -> FloatArray:
    """What each cell is lighter or otherwise coloured than the rest, OKLab `[H, W, 3]`."""
    table = rng.standard_normal((_TABLE, 3)) * (1.0, 0.3, 0.3) * rng.choice([0.0, 0.02, 0.06])
    number = (np.floor(cells[0]).astype(np.int64) * 73 + np.floor(cells[1]).astype(np.int64) * 179) % _TABLE
    found: FloatArray = table.astype(np.float32)[number]
    return found


def _soft(distance: FloatArray, pixel: float) -> FloatArray:
    """1 inside (distance in cells above 0), 0 outside, over the width of a pixel."""
    inside: FloatArray = np.clip(distance / pixel + 0.5, 0.0, 1.0)
    return inside


def _from_middle(coordinate: FloatArray) -> FloatArray:
    """Distance from the middle of the cell, 0 to 0.5."""
    distance: FloatArray = np.abs(np.mod(coordinate, 1.0) - 0.5)
    return distance


def _stripes(cells: Cells, pixel: float, rng: np.random.Generator) -> tuple[FloatArray, Cells]:
    share = _soft(rng.uniform(0.1, 0.4) - _from_middle(cells[0]), pixel)
    return share, (cells[0], np.zeros_like(cells[1]))


def _checks(cells: Cells, pixel: float, rng: np.random.Generator) -> tuple[FloatArray, Cells]:
    """Squares, or crossing stripes that let each other through."""
    one, other = (_soft(0.25 - _from_middle(coordinate / 2.0), pixel / 2.0) for coordinate in cells)
    share = one + other - 2.0 * one * other if rng.random() < 0.5 else 0.5 * (one + other)
    return share, cells


def _dots(cells: Cells, pixel: float, rng: np.random.Generator) -> tuple[FloatArray, Cells]:
    distance = np.hypot(_from_middle(cells[0]), _from_middle(cells[1]))
    return _soft(rng.uniform(0.18, 0.42) - distance, pixel), cells


def _bricks(cells: Cells, pixel: float, rng: np.random.Generator) -> tuple[FloatArray, Cells]:
    """Rows of half the height, every other one shifted; the second colour is the mortar."""
    row = cells[1] * 2.0
    place = cells[0] + 0.5 * np.mod(np.floor(row), 2.0)
    mortar = rng.uniform(0.03, 0.1)
    inside = np.minimum(0.5 - _from_middle(place) - mortar, (0.5 - _from_middle(row)) / 2.0 - mortar)
    return 1.0 - _soft(inside, pixel), (place, row)


def _weave(cells: Cells, pixel: float, rng: np.random.Generator) -> tuple[FloatArray, Cells]:
    """Threads over and under each other, each round."""
    over = np.mod(np.floor(cells[0]) + np.floor(cells[1]), 2.0)
    across = np.where(over > 0.5, _from_middle(cells[0]), _from_middle(cells[1]))
    return 2.0 * across * rng.uniform(0.5, 1.0), cells


_KINDS: tuple[Share, ...] = (_stripes, _checks, _dots, _bricks, _weave)
