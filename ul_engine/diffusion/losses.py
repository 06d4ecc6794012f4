"""The three losses of Unified Latents as per-sample terms in nats, summed over dimensions.

Every function takes the clean data and the estimate made from its noised form; drawing the noise is the caller's.
"""

import torch
from torch import Tensor

from ul_engine.diffusion.schedules import Schedule, alpha_sigma, full_precision
from ul_engine.diffusion.weightings import elbo_weight, sigmoid_weight


def squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """`||x - x_hat||^2` per sample: [B, ...] -> [B], summed over all other axes in float32."""
    return (full_precision(x) - full_precision(x_hat)).square().flatten(1).sum(1)


def nats_per_squared_error(schedule: Schedule, t: Tensor) -> Tensor:
    """`-dlogsnr/dt * exp(logsnr) / 2` at times `t` [B]: what one unit of squared x-error costs in the unweighted
    bound."""
    return -schedule.dlogsnr_dt(t) * torch.exp(schedule.logsnr(t)) / 2.0


def prior_diffusion_nats(z_clean: Tensor, z_hat: Tensor, t: Tensor, schedule: Schedule) -> Tensor:
    """Diffusion part of eq. 3 with weight exactly 1: [B] nats. `z_hat` is the estimate from `z_t` at times `t` [B].

    Source: Unified Latents (arXiv 2602.17270), eq. 3. The sign of the derivative is `-` (eq. 4 prints it as `+`).
    """
    weight = elbo_weight(schedule.logsnr(t))
    return weight * nats_per_squared_error(schedule, t) * squared_error(z_clean, z_hat)


def terminal_kl_nats(z_clean: Tensor, logsnr_min: float) -> Tensor:
    """`KL[q(z_1 | x) || N(0, I)]`, exact: `1/2 (alpha^2 z^2 + sigma^2 - 1 - ln sigma^2)` summed over dimensions,
    [B]."""
    return terminal_kl_map(z_clean, logsnr_min).flatten(1).sum(1)


def terminal_kl_map(z_clean: Tensor, logsnr_min: float) -> Tensor:
    """The terms of `terminal_kl_nats` before the sum, same shape as `z_clean`, float32.

    `sigma^2 - 1 - ln sigma^2` is written with `alpha^2 = 1 - sigma^2` and log1p: at log-SNR -10 the plain form would
    cancel all digits of float32.
    """
    logsnr = torch.tensor(logsnr_min, dtype=torch.float64, device="cpu")
    alpha_squared = torch.sigmoid(logsnr).item()
    constant = -alpha_squared - torch.log1p(torch.tensor(-alpha_squared, dtype=torch.float64)).item()
    return 0.5 * (alpha_squared * full_precision(z_clean).square() + constant)


def learned_variance_nats(log_variance: Tensor, logsnr_max: float) -> Tensor:
    """`-1/2 log(sigma_z^2 exp(logsnr_max) + 1)` summed over dimensions, [B]: what a learned variance takes off.

    Source: Unified Latents, eq. 5.
    """
    return learned_variance_map(log_variance, logsnr_max).flatten(1).sum(1)


def learned_variance_map(log_variance: Tensor, logsnr_max: float) -> Tensor:
    """The terms of `learned_variance_nats` before the sum, float32."""
    return -0.5 * torch.nn.functional.softplus(full_precision(log_variance) + logsnr_max)


def decoder_nats(
    x: Tensor, x_hat: Tensor, t: Tensor, schedule: Schedule, *, sigmoid_bias: float, loss_factor: float
) -> Tensor:
    """Decoder loss, eq. 4 with `w = loss_factor * sigmoid(sigmoid_bias - logsnr)`: [B] nats."""
    weight = sigmoid_weight(schedule.logsnr(t), bias=sigmoid_bias, loss_factor=loss_factor)
    return weight * nats_per_squared_error(schedule, t) * squared_error(x, x_hat)


def base_nats(z_clean: Tensor, z_hat: Tensor, t: Tensor, schedule: Schedule, *, sigmoid_bias: float) -> Tensor:
    """Base model's loss: the prior's integrand under a sigmoid weight without loss factor, [B] nats (section 3.3)."""
    weight = sigmoid_weight(schedule.logsnr(t), bias=sigmoid_bias)
    return weight * nats_per_squared_error(schedule, t) * squared_error(z_clean, z_hat)


def normal_kl_nats(z_clean: Tensor, logsnr: float) -> Tensor:
    """`KL[N(alpha z, sigma^2) || N(0, I)]` of z_0 at `logsnr`, summed over dimensions: [B] nats.

    The exact information cost under a standard normal prior; what the diffusion prior must beat.
    """
    alpha, sigma = alpha_sigma(torch.tensor(logsnr, dtype=torch.float64))
    variance = float(sigma) ** 2
    per_dim = 0.5 * (float(alpha) ** 2 * full_precision(z_clean).square() + variance - 1.0 - float(torch.log(sigma**2)))
    return per_dim.flatten(1).sum(1)
