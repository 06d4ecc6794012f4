"""Multi-scale structural similarity, with fewer scales where a picture is too small for five."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ul_engine.errors import ShapeError
from ul_engine.metrics.distortion import check_pair, frame_groups, unit_range
from ul_engine.metrics.windows import WINDOW_PX, Prepare, halved, mean_similarity

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # finest scale first
MAX_SCALES = len(WEIGHTS)


class MsSsim(NamedTuple):
    """MS-SSIM and the number of scales it was taken over: values of different `num_scales` must not be compared."""

    values: Tensor  # [B] float32
    num_scales: int

    @property
    def label(self) -> str:
        """Name for tables and axes; the plain name stands for the five scales of the paper only."""
        return label(self.num_scales)


def label(num_scales: int | None) -> str:
    """Name of MS-SSIM over so many scales, for tables and axes; None for a mean over different numbers."""
    if num_scales is None:
        return "MS-SSIM (differing scales)"
    return "MS-SSIM" if num_scales == MAX_SCALES else f"MS-SSIM ({num_scales} of {MAX_SCALES} scales)"


def num_scales_for(height: int, width: int) -> int:
    """Number of scales for a picture: each halves the sides, and the coarsest still holds the 11-pixel window.

    5 from 176 pixels (shorter side), 4 from 88, 3 from 44, 2 from 22, 1 from 11. ShapeError below.
    """
    fitting = [n for n in range(1, MAX_SCALES + 1) if min(height, width) // 2 ** (n - 1) >= WINDOW_PX]
    if not fitting:
        raise ShapeError(f"MS-SSIM needs at least {WINDOW_PX} pixels a side; the picture has {width} x {height}")
    return fitting[-1]


def ms_ssim(x: Tensor, x_hat: Tensor, *, observe: Callable[[], None] = lambda: None) -> MsSsim:
    """`prod_j cs_j^w_j` over scales j, times l^w of the coarsest; 1 for equal pictures.

    `x`, `x_hat` float `[B, 3, T, H, W]` in [-1, 1]; measured on [0, 1], per channel and frame, then averaged. With
    fewer than five scales the finest ones remain and their weights are scaled to the sum of all five (1.0001, as
    published); one scale is SSIM to that power. A negative mean (a picture turned inside out) counts as 0.
    Source: Wang, Simoncelli, Bovik, "Multiscale structural similarity" (2003), eq. 7 and the weights of section 3.2.
    Differs from it by: colour, fewer scales for small pictures, 2 x 2 means as the low-pass filter.
    `observe` is called before each strip of a picture; it may raise to stop.
    """
    check_pair(x, x_hat)
    num_scales = num_scales_for(*x.shape[-2:])
    scale = sum(WEIGHTS) / sum(WEIGHTS[:num_scales])
    weights = [weight * scale for weight in WEIGHTS[:num_scales]]
    groups = [_per_channel(*pair, weights, observe=observe) for pair in frame_groups(x, x_hat)]
    return MsSsim(torch.cat(groups).mean(1).view(len(x), -1).mean(1).float(), num_scales)


def _per_channel(x: Tensor, y: Tensor, weights: Sequence[float], *, observe: Callable[[], None]) -> Tensor:
    """MS-SSIM of frames `[N, C, H, W]` in [-1, 1] -> `[N, C]` float64."""
    product = torch.ones(x.shape[:2], dtype=torch.float64, device=x.device)
    prepare: Prepare = unit_range
    for scale, weight in enumerate(weights, start=1):
        whole, contrast = mean_similarity(x, y, prepare, observe=observe)
        term = contrast if scale < len(weights) else whole
        product = product * term.clamp_min(0.0) ** weight
        if scale < len(weights):
            x, y = halved(x, prepare), halved(y, prepare)
            prepare = _as_it_is
    return product


def _as_it_is(x: Tensor) -> Tensor:
    return x
