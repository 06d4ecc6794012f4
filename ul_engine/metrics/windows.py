"""Local means and variances under a Gaussian window: what SSIM and MS-SSIM are made of."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ul_engine.metrics.separable import correlate

WINDOW_PX = 11
WINDOW_SIGMA_PX = 1.5
C1 = 0.01**2  # (K1 L)^2 and (K2 L)^2 with L = 1, the range of the values
C2 = 0.03**2
STRIP_PIXELS, STRIP_ROWS = 2**17, 4 * WINDOW_PX  # so much at once stays near the processor; rows at least
Prepare = Callable[[Tensor], Tensor]


def _gaussian_window() -> tuple[float, ...]:
    offsets = range(-(WINDOW_PX // 2), WINDOW_PX // 2 + 1)
    values = [math.exp(-(offset**2) / (2 * WINDOW_SIGMA_PX**2)) for offset in offsets]
    return tuple(value / sum(values) for value in values)


WINDOW = _gaussian_window()


def mean_similarity(
    x: Tensor,
    y: Tensor,
    prepare: Prepare,
    *,
    strip_rows: int | None = None,
    observe: Callable[[], None] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """Means over all whole windows of l * cs and of cs, the terms of SSIM, each `[N, C]` float64.

    `prepare` makes values in [0, 1] of frames `[N, C, H, W]`, place by place. Strips of rows are worked on by
    themselves, for all at once would take 130 bytes a value: 24 GB for 8000 x 8000 pixels. The result does not depend
    on the strips, to the bit: every operation is one place's alone, and sums of rows are float64, added at the end.
    `observe` is called before each strip; it may raise to stop. `strip_rows` None: as many as are quick.
    """
    height, width = x.shape[-2:]
    rows = strip_rows or rows_of(width)
    mean_x, mean_y = (_mean(each, prepare, rows) for each in (x, y))
    offsets = (mean_x + mean_y).to(x.dtype), (mean_x - mean_y).to(x.dtype)
    last = height - WINDOW_PX + 1
    whole, contrast = [], []
    for top in range(0, last, rows):
        observe()
        strip = slice(top, min(top + rows, last) + WINDOW_PX - 1)
        luminance, places = _similarity(prepare(x[..., strip, :]), prepare(y[..., strip, :]), offsets)
        whole.append((luminance * places).sum(-1, dtype=torch.float64))
        contrast.append(places.sum(-1, dtype=torch.float64))
    count = last * (width - WINDOW_PX + 1)
    return torch.cat(whole, -1).sum(-1) / count, torch.cat(contrast, -1).sum(-1) / count


def rows_of(width: int) -> int:
    """Rows of a strip of a picture so wide."""
    return max(STRIP_ROWS, STRIP_PIXELS // width)


def halved(x: Tensor, prepare: Prepare, *, strip_rows: int | None = None) -> Tensor:
    """2 x 2 means of frames `[N, C, H, W]`, in strips of rows; an odd last row or column is left out."""
    height, width = x.shape[-2] // 2 * 2, x.shape[-1]
    rows = 2 * (strip_rows or rows_of(width))
    strips = [prepare(x[..., top : min(top + rows, height), :]) for top in range(0, height, rows)]
    return torch.cat([F.avg_pool2d(strip, 2) for strip in strips], -2)


def _mean(x: Tensor, prepare: Prepare, rows: int) -> Tensor:
    """Mean of each plane, `[N, C, 1, 1]` float64."""
    sums = [prepare(strip).sum(-1, dtype=torch.float64) for strip in x.split(rows, -2)]
    return (torch.cat(sums, -1).sum(-1) / x[0, 0].numel())[..., None, None]


def _similarity(x: Tensor, y: Tensor, offsets: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Luminance term l and contrast-structure term cs of SSIM at every whole window, each `[N, C, H - 10, W - 10]`.

    Frames `[N, C, H, W]` in [0, 1]. Wang et al. (2004), eqs. 6 and 13, written with the sum s = x + y and the
    difference d = x - y: since 2 cov = (var s - var d) / 2 and var x + var y = (var s + var d) / 2,
    `cs = (var s - var d + 2 C2) / (var s + var d + 2 C2)`, and l likewise with the squared means and C1. For equal
    pictures d is 0 and both are exactly 1; the usual form loses that to cancellation in float32. `offsets` are the
    means of s and d over the frame, taken off first: less cancellation.
    """
    mean_s, var_s = _mean_and_variance(x + y, offsets[0])
    mean_d, var_d = _mean_and_variance(x - y, offsets[1])
    luminance = _ratio(mean_s.square(), mean_d.square(), 2 * C1)
    return luminance, _ratio(var_s, var_d, 2 * C2)


def _ratio(of_sum: Tensor, of_difference: Tensor, constant: float) -> Tensor:
    return (of_sum - of_difference + constant) / (of_sum + of_difference + constant)


def _mean_and_variance(x: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance under the window."""
    centred = x - offset
    mean, square = correlate(centred, WINDOW, WINDOW), correlate(centred.square(), WINDOW, WINDOW)
    return mean + offset, (square - mean.square()).clamp_min(0.0)
