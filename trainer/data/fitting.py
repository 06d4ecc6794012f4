"""Which part of a picture a sample shows and how it is brought to the model's size: crop, pad, shapes of buckets.

Every random choice is drawn from a generator of its own for (seed, epoch, index), all below 2^32, so it is the same in
whichever process and order samples are made.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image

from ul_engine.data.pixels import Uint8Array

MAX_ASPECT = 2.0
"""Buckets go from twice as wide as high to twice as high as wide; longer pictures are cut to these."""
_CROPS, _MIRRORS, _STARTS, _FIXED_CROPS = (
    1,
    2,
    3,
    4,
)  # blocks of the counter: no two uses share numbers, nor any with the data's order

Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True)
class Crop:
    """The part of a picture a sample shows, as shares of its width and height (0 to 1), and whether it is mirrored."""

    left: float
    top: float
    right: float
    bottom: float
    is_mirrored: bool = False


@dataclass(frozen=True)
class Augmentation:
    """What may be done to training samples."""

    flip: bool = False
    crop_scale: float = 1.0
    crop_position: Literal["center", "random"] = "center"


def is_mirrored(seed: int, epoch: int, index: int) -> bool:
    """Whether sample `index` is mirrored in pass `epoch`: in every other one, half of the samples in each."""
    return bool((int(_rng(seed, index, _MIRRORS).integers(2)) + epoch) % 2)


def first_frame(room: int, *, seed: int, index: int, epoch: int | None) -> int:
    """Where the frames of a clip begin that has `room` frames more than are taken; `epoch` None: in the middle."""
    if epoch is None:
        return room // 2
    return int(_rng(seed << 32 | epoch, index, _STARTS).integers(room + 1))


def _rng(first: int, second: int, block: int) -> np.random.Generator:
    words = np.array([first, second, 0, 0, 0, block], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=words[:2], counter=words[2:]))


def placed_crop(
    size: Size, aspect: float | None, augmentation: Augmentation, *, seed: int, index: int, epoch: int | None
) -> Crop:
    """The part of a picture of `size` that sample `index` shows in pass `epoch`: of the shape width / height `aspect`
    (None: its own), with a share of at least `crop_scale` of the largest one's area, drawn uniformly, at the middle or
    anywhere. `epoch` None: the largest at the middle, not mirrored.
    """
    width, height = _largest(size, aspect)
    if epoch is None:
        return _placed(width, height, 0.5, 0.5)
    share, x, y = _rng(seed << 32 | epoch, index, _CROPS).random(3)
    side = math.sqrt(augmentation.crop_scale + (1.0 - augmentation.crop_scale) * share)
    if augmentation.crop_position == "center":
        x = y = 0.5
    crop = _placed(width * side, height * side, x, y)
    return replace(crop, is_mirrored=augmentation.flip and is_mirrored(seed, epoch, index))


@dataclass(frozen=True)
class ScaledCrops:
    """Square crops of many scales. `sides`: least and greatest side as shares of the shorter side (0 to 1); never fewer
    than `least_px` pixels where the picture has as many. `flip`: every other sample is mirrored."""

    sides: tuple[float, float]
    least_px: int
    flip: bool = False

    def crop(self, size: Size, *, seed: int, index: int, epoch: int | None) -> Crop:
        """The part of a picture of `size` that sample `index` shows in pass `epoch`, anywhere in it, every scale (log
        of the side) as likely. `epoch` None: one that is the same in every run, not mirrored."""
        rng = _rng(0, index, _FIXED_CROPS) if epoch is None else _rng(seed << 32 | epoch, index, _CROPS)
        scale, x, y = rng.random(3)
        shorter = min(size)
        least, greatest = self.sides
        side = min(shorter, max(self.least_px, shorter * least * (greatest / least) ** scale))
        crop = _placed(side / size[1], side / size[0], x, y)
        return replace(crop, is_mirrored=epoch is not None and self.flip and is_mirrored(seed, epoch, index))


def _largest(size: Size, aspect: float | None) -> tuple[float, float]:
    """Width and height, as shares of the picture's, of the largest part of the given shape."""
    height, width = size
    ratio = 1.0 if aspect is None else aspect * height / width
    return min(1.0, ratio), min(1.0, 1.0 / ratio)


def _placed(width: float, height: float, x: float, y: float) -> Crop:
    left, top = (1.0 - width) * x, (1.0 - height) * y
    return Crop(left, top, min(1.0, left + width), min(1.0, top + height))


def cut_and_scaled(picture: Image.Image, crop: Crop, size: Size) -> Uint8Array:
    """uint8 `[*size, 3]` of the part `crop` of an RGB picture, by an antialiased cubic filter."""
    width, height = picture.size
    box = (crop.left * width, crop.top * height, crop.right * width, crop.bottom * height)
    if (height, width) != size or box != (0, 0, width, height):
        picture = picture.resize((size[1], size[0]), Image.Resampling.BICUBIC, box=box)
    if crop.is_mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.array(picture)


def inner_size(size: Size, side_px: int) -> Size:
    """Height and width of a picture of the shape `size` whose longer side is `side_px`."""
    longer = max(size)
    return max(1, round(size[0] * side_px / longer)), max(1, round(size[1] * side_px / longer))


def padded(frame: Uint8Array, side_px: int) -> Uint8Array:
    """uint8 `[H, W, 3]` at the middle of a square, its edges repeated outwards."""
    height, width = frame.shape[:2]
    top, left = (side_px - height) // 2, (side_px - width) // 2
    around = ((top, side_px - height - top), (left, side_px - width - left), (0, 0))
    return np.pad(frame, around, mode="edge")


def shrink_factor(size: Size, crop: Crop, target: Size) -> float:
    """How many times smaller the part `crop` of a picture of `size` is made on the way to `target`."""
    return min((crop.bottom - crop.top) * size[0] / target[0], (crop.right - crop.left) * size[1] / target[1])


def bucket_shapes(size_px: int, step_px: int) -> tuple[Size, ...]:
    """Shapes with sides that are multiples of `step_px` and an area as near to size_px^2 as these allow, sorted."""
    shapes: set[Size] = set()
    square = max(1, round(size_px / step_px)) * step_px
    for longer in range(square, int(size_px * math.sqrt(MAX_ASPECT)) + step_px, step_px):
        shorter = max(1, round(size_px**2 / longer / step_px)) * step_px
        if longer <= MAX_ASPECT * shorter:
            shapes |= {(longer, shorter), (shorter, longer)}
    return tuple(sorted(shapes | {(square, square)}))


def nearest_bucket(size: Size, shapes: Sequence[Size]) -> int:
    """Number of the shape of which the least of a picture of `size` (height, width) must be cut away."""
    aspect = math.log(size[1] / size[0])
    return min(range(len(shapes)), key=lambda number: abs(math.log(shapes[number][1] / shapes[number][0]) - aspect))
