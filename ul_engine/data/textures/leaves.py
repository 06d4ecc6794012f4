"""Dead leaves: shapes of all sizes that cover each other, the simplest picture with the edges of photographs.

Source: Lee, Mumford, Huang, "Occlusion models for natural images" (2001): radii r have the density r^-3.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.colours import FloatArray, palette, picture_from_oklab
from ul_engine.data.textures.fields import Size, colour_noise, shrunk

FINE = 2
"""Sub-pixels along a side, which soften edges."""
NUM_CORNERS = 20


@dataclass(frozen=True)
class LeafLook:
    """How leaves look: `least_px` and `most_px` bound their radii; `pointed` is the share with two pointed ends,
    `angular` that of polygons, the rest are ellipses; `roughness` is the noise on them in OKLab."""

    least_px: float
    most_px: float
    pointed: float
    angular: float
    roughness: float


def dead_leaves(rng: np.random.Generator, size: Size) -> Uint8Array:
    """Leaves of a palette of their own, uint8 `[H, W, 3]`."""
    side = min(size)
    look = LeafLook(
        least_px=rng.uniform(0.8, 3.0),
        most_px=side * rng.uniform(0.15, 0.6),
        pointed=rng.choice([0.0, 0.4, 1.0]),
        angular=rng.choice([0.0, 0.5]),
        roughness=rng.uniform(0.0, 0.06),
    )
    return leaves(rng, size, look, palette(rng, int(rng.integers(3, 9))))


@dataclass(frozen=True)
class _Heap:
    """Leaves as they lie: which one is on top `[H, W]` int32 (0 is the ground), their middles `[N, 2]` (x, y) and radii
    `[N]` in sub-pixels."""

    number: npt.NDArray[np.int32]
    middle: FloatArray
    radius: FloatArray


def leaves(rng: np.random.Generator, size: Size, look: LeafLook, colours: FloatArray) -> Uint8Array:
    """Leaves whose colours vary around `colours` `[N, 3]` (OKLab), each lit from one side, uint8 `[H, W, 3]`."""
    fine = size[0] * FINE, size[1] * FINE
    radius = FINE * _radii(rng, size, look)
    middle = rng.uniform(0.0, 1.0, (len(radius), 2)) * (fine[1], fine[0])
    heap = _Heap(_numbers(fine, _outlines(rng, look, radius) + middle[:, None]), middle, radius)
    return shrunk(picture_from_oklab(_lit(rng, heap, colours, look.roughness)), size)


def _radii(rng: np.random.Generator, size: Size, look: LeafLook) -> FloatArray:
    """As many radii as cover the picture about twice, drawn with the density r^-3 between the bounds."""
    low, high = look.least_px**-2, max(look.most_px, 1.5 * look.least_px) ** -2
    mean_area = 2.0 * np.pi * np.log(high**-0.5 / low**-0.5) / (low - high) * 0.5
    count = int(np.clip(2.5 * size[0] * size[1] / mean_area, 12, 40_000))
    return (rng.uniform(high, low, count) ** -0.5).astype(np.float32)


def _outlines(rng: np.random.Generator, look: LeafLook, radius: FloatArray) -> FloatArray:
    """Corners `[N, NUM_CORNERS, 2]` around the middle of each leaf."""
    count = len(radius)
    kind = rng.random(count)
    is_pointed, is_angular = kind < look.pointed, (kind >= look.pointed) & (rng.random(count) < look.angular)
    angle = np.broadcast_to(np.linspace(0.0, 2.0 * np.pi, NUM_CORNERS, endpoint=False), (count, NUM_CORNERS)).copy()
    num_sides = rng.integers(3, 7, count)[is_angular, None]
    angle[is_angular] = np.floor(angle[is_angular] / (2.0 * np.pi) * num_sides) * (2.0 * np.pi / num_sides)
    slim = rng.uniform(0.35, 1.0, count)[:, None]
    x, y = np.cos(angle), np.sin(angle) * slim
    y[is_pointed] *= np.abs(np.sin(angle[is_pointed])) ** 0.8
    turn = rng.uniform(0.0, 2.0 * np.pi, count)[:, None]
    corners = np.stack((np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y), axis=-1)
    return (corners * radius[:, None, None]).astype(np.float32)


def _numbers(fine: Size, corners: FloatArray) -> npt.NDArray[np.int32]:
    """Which leaf lies on top, `[H, W]`; leaf 0 is the ground."""
    canvas = Image.new("I", (fine[1], fine[0]), 0)
    pencil = ImageDraw.Draw(canvas)
    for number, outline in enumerate(corners.reshape(len(corners), -1).tolist()):
        pencil.polygon(outline, fill=number)
    return np.asarray(canvas, dtype=np.int32)


def _lit(rng: np.random.Generator, heap: _Heap, colours: FloatArray, roughness: float) -> FloatArray:
    """OKLab `[H, W, 3]`: each leaf in its own colour, lighter towards the light, deeper ones darker, with noise."""
    count, (height, width) = len(heap.radius), heap.number.shape
    own = colours[rng.integers(len(colours), size=count)] + 0.03 * rng.standard_normal((count, 3)) * (1.0, 0.4, 0.4)
    own[:, 0] += np.linspace(-0.1, 0.02, count)
    light = rng.uniform(0.0, 2.0 * np.pi)
    slope = rng.uniform(0.0, 0.09, count)[:, None] / heap.radius[:, None] * (np.cos(light), np.sin(light))
    slope[0] = 0.0  # the ground goes on far beyond its middle
    own[:, 0] -= (slope * heap.middle).sum(axis=1)  # the slope then counts from the leaf's middle
    steps = slope.astype(np.float32)[heap.number]
    lab = own.astype(np.float32)[heap.number]
    lab[..., 0] += steps[..., 0] * np.arange(width, dtype=np.float32)
    lab[..., 0] += steps[..., 1] * np.arange(height, dtype=np.float32)[:, None]
    lab += colour_noise(rng, (height, width), exponent=0.9) * np.float32(roughness)
    lab[..., 0] = np.clip(lab[..., 0], 0.0, 1.0)
    return lab
