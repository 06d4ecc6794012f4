"""Loss weights as functions of log-SNR, to stand before `-dlogsnr/dt * exp(logsnr) / 2 * ||x - x_hat||^2`.

They weigh the eps-error; the bare weight on the x-error is `weight * exp(logsnr)`. The schedule's derivative is kept
apart.
"""

import math

import torch
from torch import Tensor

from ul_engine.diffusion.schedules import full_precision


def elbo_weight(logsnr: Tensor) -> Tensor:
    """`w = 1`: the unweighted bound of the prior (Unified Latents, eq. 3)."""
    return torch.ones_like(full_precision(logsnr))


def sigmoid_weight(logsnr: Tensor, *, bias: float, loss_factor: float = 1.0) -> Tensor:
    """`w = loss_factor * sigmoid(bias - logsnr)` (Unified Latents, section 3.2 and figure 3).

    Rises with the noise from 0 to `loss_factor`. Differs from the paper's text, which prints `sigmoid(logsnr - b)`:
    that form is the bare x-weight, by `exp(logsnr) sigmoid(b - logsnr) = e^b sigmoid(logsnr - b)`.
    """
    return loss_factor * torch.sigmoid(bias - full_precision(logsnr))


def crossing_logsnr(*, bias: float, loss_factor: float) -> float | None:
    """log-SNR `b + ln(c_lf - 1)` where the sigmoid weight is 1: noisier than that, information is cheaper in the
    latent.

    None when `loss_factor <= 1`: the weight then never reaches 1.
    """
    return bias + math.log(loss_factor - 1.0) if loss_factor > 1.0 else None


def base_bias(base_sigmoid_bias: float, latent_std: float) -> float:
    """`b_z = b_0 - 2 ln s`: a latent of standard deviation s has its effective log-SNR moved by `2 ln s`."""
    return base_sigmoid_bias - 2.0 * math.log(latent_std)


def truncated_logistic_survival(logsnr: Tensor, bias: float, low: float, high: float) -> Tensor:
    """`P(L >= logsnr)` for L logistic around `bias` with scale 1, held to [low, high]: 1 at `low`, 0 at `high`.

    An unweighted bound whose largest log-SNR is drawn like L has this weight on average; without the ends it would be
    `sigmoid(bias - logsnr)`. Source: Unified Latents, appendix B.
    """
    below, above = _logistic_cdf(low, bias), _logistic_cdf(high, bias)
    here = torch.sigmoid(full_precision(logsnr) - bias)
    return ((above - here) / (above - below)).clamp(0.0, 1.0)


def truncated_logistic_quantile(u: Tensor, bias: float, low: float, high: float) -> Tensor:
    """The level L in [low, high] with `P(L <= level) = u`, for `u` [B] in (0, 1); draws L from uniform `u`."""
    below, above = _logistic_cdf(low, bias), _logistic_cdf(high, bias)
    share = full_precision(u).double() * (above - below) + below
    return (bias + torch.logit(share)).clamp(low, high).to(full_precision(u).dtype)


def _logistic_cdf(level: float, bias: float) -> float:
    return 1.0 / (1.0 + math.exp(bias - level))
