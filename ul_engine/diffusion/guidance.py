"""Classifier-free guidance inside an interval of log-SNR."""

from collections.abc import Callable

import torch
from torch import Tensor

Denoise = Callable[[Tensor, Tensor], Tensor]


def guided(
    conditional: Denoise, unconditional: Denoise, *, weight: float, logsnr_low: float, logsnr_high: float
) -> Denoise:
    """`x_hat = u + weight (c - u)` for log-SNR in [logsnr_low, logsnr_high]; the conditional estimate outside it.

    All samples of a batch must share one log-SNR (they do while sampling); outside the interval, and for weight 1, the
    unconditional network is not run. Source: Kynkaanniemi et al., interval guidance (arXiv 2404.07724).
    """

    def denoise(x_t: Tensor, logsnr: Tensor) -> Tensor:
        estimate = conditional(x_t, logsnr)
        if weight == 1.0 or not _is_inside(logsnr, logsnr_low, logsnr_high):
            return estimate
        return _extrapolated(estimate, unconditional(x_t, logsnr), weight)

    return denoise


def guided_batched(
    conditional: Denoise, both: Denoise, *, weight: float, logsnr_low: float, logsnr_high: float
) -> Denoise:
    """`guided`, with one evaluation of twice the batch inside the interval instead of two.

    `both` takes `(x_t [2B, ...], logsnr [2B])`, every sample twice, and gives the estimates under the condition in the
    first half, those under the null condition in the second. Worth it for small batches, which do not fill the device:
    1 sample on a CPU takes 0.7 of the time, 4 take 0.9, 16 the same.
    """

    def denoise(x_t: Tensor, logsnr: Tensor) -> Tensor:
        if weight == 1.0 or not _is_inside(logsnr, logsnr_low, logsnr_high):
            return conditional(x_t, logsnr)
        estimate, null_estimate = both(torch.cat((x_t, x_t)), torch.cat((logsnr, logsnr))).chunk(2)
        return _extrapolated(estimate, null_estimate, weight)

    return denoise


def _is_inside(logsnr: Tensor, low: float, high: float) -> bool:
    return low <= float(logsnr.flatten()[0]) <= high


def _extrapolated(estimate: Tensor, null_estimate: Tensor, weight: float) -> Tensor:
    return null_estimate + weight * (estimate - null_estimate)
