"""Damage of known strength: blur, noise and JPEG, on batches of pictures as levels 0 to 255."""

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

BLUR_PX = (0.3, 3.0)
"""Standard deviation of the Gaussian, weakest and strongest."""
NOISE_LEVELS = (2.0, 60.0)
"""Standard deviation of the noise, of 255."""
JPEG_QUALITY = (95.0, 5.0)
KINDS = ("blur", "noise", "jpeg")
SHARE = 0.3
"""How often each kind befalls a training picture."""


def blurred(levels: Tensor, sigma_px: Tensor) -> Tensor:
    """Gaussian blur of `[B, 3, S, S]` with a standard deviation per picture `[B]`; 0 leaves a picture as it is.

    Weights are normalised within the picture, so borders neither darken nor mirror.
    """
    place = torch.arange(levels.shape[-1], dtype=torch.float32)
    squared = (place[:, None] - place[None, :]).square()
    weights = torch.exp(-squared / (2.0 * sigma_px.clamp(min=1e-2).square()[:, None, None]))
    kernel = (weights / weights.sum(-1, keepdim=True)).unsqueeze(1)  # [B, 1, S, S]
    return kernel @ levels @ kernel.mT


def noised(levels: Tensor, deviation: Tensor, generator: torch.Generator) -> Tensor:
    """Adds Gaussian noise with a standard deviation `[B]` in levels, the same for all colours and places."""
    noise = torch.randn(levels.shape, generator=generator)
    return levels + deviation[:, None, None, None] * noise


def compressed(levels: Tensor, quality: Tensor) -> Tensor:
    """Through JPEG at a quality `[B]` from 1 to 100; 0 leaves a picture as it is."""
    result = levels.clone()
    for index in quality.nonzero().flatten().tolist():
        array = as_bytes(levels[index]).permute(1, 2, 0).contiguous().numpy()
        stream = io.BytesIO()
        Image.fromarray(array).save(stream, "JPEG", quality=round(float(quality[index])))
        result[index] = torch.from_numpy(np.array(Image.open(stream))).permute(2, 0, 1).float()
    return result


def pixelated(levels: Tensor, block_px: Tensor) -> Tensor:
    """Means over square blocks, of one size for all pictures, in place of their pixels. Not among what is taught."""
    block = int(block_px[0])
    return F.interpolate(F.avg_pool2d(levels, block), scale_factor=block, mode="nearest")


def faded(levels: Tensor, share: Tensor) -> Tensor:
    """Colours on their way to grey of equal mean, share `[B]` in [0, 1]. Not among what is taught."""
    return torch.lerp(levels, levels.mean(1, keepdim=True).expand_as(levels), share[:, None, None, None])


def as_bytes(levels: Tensor) -> Tensor:
    """Levels to uint8, clipped and rounded."""
    return levels.round().clamp(0.0, 255.0).to(torch.uint8)


def randomly_damaged(levels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Damaged pictures as whole levels, and the strength `[B, 3]` of each kind in [0, 1]; 0 where it did not happen."""
    num = len(levels)
    happens = torch.rand(num, len(KINDS), generator=generator) < SHARE
    strength = torch.rand(num, len(KINDS), generator=generator)
    blur_px = torch.where(happens[:, 0], _between(*BLUR_PX, strength[:, 0]), 0.0)
    noise = torch.where(happens[:, 1], _between(*NOISE_LEVELS, strength[:, 1]), 0.0)
    quality = torch.where(happens[:, 2], JPEG_QUALITY[0] + (JPEG_QUALITY[1] - JPEG_QUALITY[0]) * strength[:, 2], 0.0)
    damaged = compressed(noised(blurred(levels, blur_px), noise, generator), quality)
    # the weakest damage still differs from none: strengths of what happened lie in [0.2, 1]
    return damaged.round().clamp(0.0, 255.0), torch.where(happens, 0.2 + 0.8 * strength, 0.0)


def _between(low: float, high: float, share: Tensor) -> Tensor:
    """Evenly spaced in the logarithm."""
    return torch.exp(math.log(low) + (math.log(high) - math.log(low)) * share)
