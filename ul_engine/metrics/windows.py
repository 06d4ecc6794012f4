"""Local means and variances under a Gaussian window: what SSIM and MS-SSIM are made of."""

import math

from torch import Tensor

from ul_engine.metrics.separable import correlate

WINDOW_PX = 11
WINDOW_SIGMA_PX = 1.5
C1 = 0.01**2  # (K1 L)^2 and (K2 L)^2 with L = 1, the range of the values
C2 = 0.03**2


def _gaussian_window() -> tuple[float, ...]:
    offsets = range(-(WINDOW_PX // 2), WINDOW_PX // 2 + 1)
    values = [math.exp(-(offset**2) / (2 * WINDOW_SIGMA_PX**2)) for offset in offsets]
    return tuple(value / sum(values) for value in values)


WINDOW = _gaussian_window()


def similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance term l and contrast-structure term cs of SSIM at every whole window, each `[N, C, H - 10, W - 10]`.

    Frames `[N, C, H, W]` float32 in [0, 1]. Wang et al. (2004), eqs. 6 and 13, written with the sum s = x + y and the
    difference d = x - y: since 2 cov = (var s - var d) / 2 and var x + var y = (var s + var d) / 2,
    `cs = (var s - var d + 2 C2) / (var s + var d + 2 C2)`, and l likewise with the squared means and C1. For equal
    pictures d is 0 and both are exactly 1; the usual form loses that to cancellation in float32.
    """
    total, difference = x + y, x - y
    mean_s, var_s = _mean_and_variance(total)
    mean_d, var_d = _mean_and_variance(difference)
    luminance = _ratio(mean_s.square(), mean_d.square(), 2 * C1)
    return luminance, _ratio(var_s, var_d, 2 * C2)


def _ratio(of_sum: Tensor, of_difference: Tensor, constant: float) -> Tensor:
    return (of_sum - of_difference + constant) / (of_sum + of_difference + constant)


def _mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance under the window. The frame's own mean is taken off first: less cancellation."""
    offset = x.mean((-2, -1), keepdim=True)
    centred = x - offset
    mean, square = correlate(centred, WINDOW, WINDOW), correlate(centred.square(), WINDOW, WINDOW)
    return mean + offset, (square - mean.square()).clamp_min(0.0)
