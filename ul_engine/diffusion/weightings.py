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
