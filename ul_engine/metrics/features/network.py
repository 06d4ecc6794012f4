"""What every feature network shares: pictures go in as bytes, one row of features per picture comes out."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from ul_engine.errors import NumericsError, ShapeError


class FeatureNetwork(nn.Module, ABC):
    """A network in evaluation mode whose features `[B, num_features]` stand for pictures or clips.

    `distance` is what a Fréchet distance on its features is called. `identity` names network and weights: statistics of
    different identities are never compared. `remarks` say what a reader of the figures has to know of these weights.
    `batch_size` is how many are taken at once unless told otherwise: about 1 GB.
    """

    distance: ClassVar[str]
    is_for_clips: ClassVar[bool] = False
    min_frames: ClassVar[int] = 1
    batch_size: ClassVar[int] = 32

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features
        self.identity = f"{type(self).__name__}-untrained"
        self.remarks: tuple[str, ...] = ("the feature network has no trained weights",)

    @abstractmethod
    def features(self, levels: Tensor) -> Tensor:
        """Whole levels 0 to 255, float32 `[B, 3, H, W]` (clips: `[B, 3, T, H, W]`), any H and W, to `[B, D]`."""

    def forward(self, pictures: Tensor) -> Tensor:
        """Features float32 `[B, D]` of pictures `[B, 3, H, W]` or `[B, 3, 1, H, W]`, or of clips `[B, 3, T, H, W]`.

        Takes uint8, or float in [-1, 1], which is rounded to bytes as a saved file would be. Runs in float32 whatever
        autocast says. Raises ShapeError, and NumericsError for a pixel or feature that is not finite.
        """
        levels = picture_levels(self._arranged(pictures))
        with torch.autocast(levels.device.type, enabled=False):
            features = self.features(levels)
        if not torch.isfinite(features).all():
            raise NumericsError(f"{self.distance}: a feature is not finite; are these the weights of this network?")
        return features

    def _arranged(self, pictures: Tensor) -> Tensor:
        """Clips keep their time; pictures lose it."""
        if pictures.ndim not in (4, 5) or pictures.shape[1] != 3:
            wanted = "clips [B, 3, T, H, W]" if self.is_for_clips else "pictures [B, 3, H, W] or [B, 3, 1, H, W]"
            raise ShapeError(f"{self.distance} takes {wanted}, not {tuple(pictures.shape)}")
        num_frames = pictures.shape[2] if pictures.ndim == 5 else 1
        if self.is_for_clips:
            if pictures.ndim == 4 or num_frames < self.min_frames:
                raise ShapeError(
                    f"{self.distance} needs clips of at least {self.min_frames} frames; these have {num_frames}"
                )
            return pictures
        if num_frames != 1:
            raise ShapeError(f"{self.distance} is for pictures; these are clips of {num_frames} frames")
        return pictures[:, :, 0] if pictures.ndim == 5 else pictures


def picture_levels(pictures: Tensor) -> Tensor:
    """uint8, or float in [-1, 1] (clipped, rounded to nearest), to whole levels 0 to 255 in float32, any shape.

    The published networks were fed files, so their features are those of bytes. Raises NumericsError for a pixel that
    is not finite, ShapeError for another type of number.
    """
    if pictures.dtype == torch.uint8:
        return pictures.to(torch.float32)
    if not pictures.is_floating_point():
        raise ShapeError(f"pictures are uint8 or float in [-1, 1], not {pictures.dtype}")
    if not torch.isfinite(pictures).all():
        raise NumericsError("a picture to be measured holds values that are not finite")
    return pictures.float().add(1.0).mul(127.5).round().clamp(0.0, 255.0)


def resized_as_tensorflow_1(x: Tensor, size_px: int) -> Tensor:
    """Bilinear resize of `[..., H, W]` to `[..., size_px, size_px]` as the first TensorFlow did it.

    Output pixel i looks at place `i * H / size_px` (no shift by half a pixel), between the pixels `floor(place)` and
    the next, of which the last is repeated; no antialiasing. This is `resize_bilinear` with align_corners and
    half_pixel_centers both false, which FID (Heusel et al. 2017) and FVD (Unterthiner et al. 2018) were defined with.
    """
    return _resized_along(_resized_along(x, -1, size_px), -2, size_px)


def _resized_along(x: Tensor, dim: int, size_px: int) -> Tensor:
    length = x.shape[dim]
    if length == size_px:
        return x
    place = torch.arange(size_px, dtype=torch.float32, device=x.device) * (length / size_px)
    low = place.floor().long().clamp_(max=length - 1)
    high = (low + 1).clamp_(max=length - 1)
    weight = (place - low).reshape([-1] + [1] * (-1 - dim))
    return torch.lerp(x.index_select(dim, low), x.index_select(dim, high), weight)


def extracted(batches: Iterable[Tensor], network: FeatureNetwork, *, batch_size: int | None = None) -> Iterator[Tensor]:
    """Features float32 `[b, D]` on the CPU, of batches of any size, in their order.

    `batch_size` None: the network's own. Pictures travel to the network's device as they come (bytes are cheapest) and
    nothing is kept.
    """
    device = next(network.parameters()).device
    for batch in batches:
        for part in batch.split(batch_size or network.batch_size):
            with torch.inference_mode():
                features = network(part.to(device)).cpu()
            yield features
