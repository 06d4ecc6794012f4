"""Brings pictures and frames to the shape a model takes, as the settings of a source say."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from trainer.config.data import FileData, PicturesData
from trainer.data.decoding import EncodedPicture
from trainer.data.fitting import (
    Augmentation,
    Crop,
    Size,
    bucket_shapes,
    cut_and_scaled,
    inner_size,
    nearest_bucket,
    padded,
    placed_crop,
    shrink_factor,
)
from ul_engine.data.pixels import Uint8Array


@dataclass(frozen=True)
class Shaping:
    """How samples are cut, scaled and augmented. `shapes`: those of the buckets, empty where all samples are square."""

    size_px: int
    fit: Literal["crop", "pad", "buckets"]
    shapes: tuple[Size, ...]
    augmentation: Augmentation
    seed: int

    @classmethod
    def of(cls, data: FileData, seed: int) -> "Shaping":
        """As the settings say; clips and data sets of the Hub are cut to squares."""
        augmentation = Augmentation(data.flip, data.crop_scale, data.crop_position)
        fit = data.fit if isinstance(data, PicturesData) else "crop"
        shapes = bucket_shapes(data.size_px, data.bucket_step_px) if isinstance(data, PicturesData) else ()
        return cls(data.size_px, fit, shapes if fit == "buckets" else (), augmentation, seed)

    def settings(self) -> tuple[object, ...]:
        """What decides the pixels of a sample without augmentation."""
        return self.size_px, self.fit, self.shapes

    def picture(self, picture: EncodedPicture, index: int, epoch: int | None) -> Uint8Array:
        """uint8 `[H, W, 3]` of sample `index` in pass `epoch` (None: as it is, at the middle). Raises DataError."""
        size = picture.size[1], picture.size[0]
        target = self._target(size)
        crop = self.crop(size, target, index, epoch)
        frame = cut_and_scaled(picture.decoded(shrink_factor(size, crop, target)), crop, target)
        return padded(frame, self.size_px) if self.fit == "pad" else frame

    def frames(self, frames: Iterable[Uint8Array], crop: Crop) -> Uint8Array:
        """uint8 `[T, H, W, 3]` -> `[T, size_px, size_px, 3]`, all cut in the same way."""
        target = self.size_px, self.size_px
        return np.stack([cut_and_scaled(Image.fromarray(frame), crop, target) for frame in frames])

    def crop(self, size: Size, target: Size, index: int, epoch: int | None) -> Crop:
        """The part of a picture of `size` that a sample of the size `target` shows."""
        aspect = None if self.fit == "pad" else target[1] / target[0]
        return placed_crop(size, aspect, self.augmentation, seed=self.seed, index=index, epoch=epoch)

    def _target(self, size: Size) -> Size:
        if self.fit == "pad":
            return inner_size(size, self.size_px)
        if self.shapes:
            return self.shapes[nearest_bucket(size, self.shapes)]
        return self.size_px, self.size_px
