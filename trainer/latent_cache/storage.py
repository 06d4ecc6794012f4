"""Latents as stored values and back: float16 as they are, or uint8 with a range for every channel of a chunk.

The ranges are the exact least and greatest values of the chunk: nothing is clipped, nothing is encoded twice, and an
outlier coarsens its own chunk only. Rounding to 255 steps of a range of 8 to 10 adds a hundredth to the variance
sigmoid(-5) of the noise that z_0 carries anyway.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainer.latent_cache.layout import Storage
from ul_engine.errors import NumericsError

Float32Array = npt.NDArray[np.float32]
StoredArray = npt.NDArray[np.float16] | npt.NDArray[np.uint8]
LEVELS = 255
LARGEST = float(np.finfo(np.float16).max)


def stored(z: Tensor, storage: Storage) -> tuple[StoredArray, Float32Array]:
    """float32 `[N, C, T, h, w]` of a whole chunk as stored values, and the ranges [C, 2] (of float16: not needed, but
    true). Raises NumericsError for what is not finite or too large for float16."""
    ranges = torch.stack((z.amin(dim=(0, 2, 3, 4)), z.amax(dim=(0, 2, 3, 4))), dim=1)
    if not torch.isfinite(ranges).all() or float(ranges.abs().max()) > LARGEST:
        raise NumericsError(
            f"the encoder gives latents up to {float(ranges.abs().max()):g}; this model cannot be trained on"
        )
    if storage == "float16":
        return z.to(torch.float16).numpy(), ranges.numpy()
    low, step = _low_and_step(ranges)
    levels = ((z - low) / step).round_().clamp_(0, LEVELS)
    return levels.to(torch.uint8).numpy(), ranges.numpy()


def restored(values: Tensor, ranges: Tensor) -> Tensor:
    """float32 `[N, C, T, h, w]` of stored values; `ranges` [N, C, 2] are those of each row's chunk."""
    if values.dtype is torch.float16:
        return values.float()
    low, step = _low_and_step(ranges)
    return values.float().mul_(step).add_(low)


def _low_and_step(ranges: Tensor) -> tuple[Tensor, Tensor]:
    """Of ranges `[..., C, 2]`, as `[..., C, 1, 1, 1]`; the step of a channel that never changes is as good as any."""
    low, high = ranges[..., None, None, None, :].unbind(-1)
    step = (high - low) / LEVELS
    return low, torch.where(step > 0, step, torch.ones_like(step))
