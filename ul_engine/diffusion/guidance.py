"""Classifier-free guidance inside an interval of log-SNR."""

from collections.abc import Callable

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
        level = float(logsnr.flatten()[0])
        if weight == 1.0 or not logsnr_low <= level <= logsnr_high:
            return estimate
        null_estimate = unconditional(x_t, logsnr)
        return null_estimate + weight * (estimate - null_estimate)

    return denoise
