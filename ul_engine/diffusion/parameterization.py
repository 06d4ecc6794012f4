"""Adding noise, and the exact relations between predictions of x, eps and v.

`x_t = alpha x + sigma eps`, `v = alpha eps - sigma x`. Everything is float32 or better.
"""

import torch
from torch import Tensor

from ul_engine.diffusion.schedules import alpha_sigma, full_precision


def broadcast_to(per_sample: Tensor, like: Tensor) -> Tensor:
    """`[B]` as `[B, 1, 1, ...]` with as many axes as `like`; a scalar stays a scalar."""
    return per_sample if per_sample.ndim == 0 else per_sample.view(-1, *([1] * (like.ndim - 1)))


def add_noise(x: Tensor, eps: Tensor, logsnr: Tensor) -> Tensor:
    """`alpha x + sigma eps`; `x`, `eps` [B, ...], `logsnr` [B] or scalar."""
    alpha, sigma = alpha_sigma(broadcast_to(logsnr, x))
    return alpha * full_precision(x) + sigma * full_precision(eps)


def x_from_v(x_t: Tensor, v: Tensor, logsnr: Tensor) -> Tensor:
    """`x = alpha x_t - sigma v`."""
    alpha, sigma = alpha_sigma(broadcast_to(logsnr, x_t))
    return alpha * full_precision(x_t) - sigma * full_precision(v)


def eps_from_v(x_t: Tensor, v: Tensor, logsnr: Tensor) -> Tensor:
    """`eps = sigma x_t + alpha v`."""
    alpha, sigma = alpha_sigma(broadcast_to(logsnr, x_t))
    return sigma * full_precision(x_t) + alpha * full_precision(v)


def v_from_x(x_t: Tensor, x: Tensor, logsnr: Tensor) -> Tensor:
    """`v = (alpha x_t - x) / sigma`."""
    alpha, sigma = alpha_sigma(broadcast_to(logsnr, x_t))
    return (alpha * full_precision(x_t) - full_precision(x)) / sigma


def eps_from_x(x_t: Tensor, x: Tensor, logsnr: Tensor) -> Tensor:
    """`eps = (x_t - alpha x) / sigma`."""
    alpha, sigma = alpha_sigma(broadcast_to(logsnr, x_t))
    return (full_precision(x_t) - alpha * full_precision(x)) / sigma


def x_from_eps(x_t: Tensor, eps: Tensor, logsnr: Tensor) -> Tensor:
    """`x = (x_t - sigma eps) / alpha`."""
    alpha, sigma = alpha_sigma(broadcast_to(logsnr, x_t))
    return (full_precision(x_t) - sigma * full_precision(eps)) / alpha


def unit_variance_scale(logsnr: Tensor, data_std: float | Tensor) -> Tensor:
    """`1 / sqrt(alpha^2 s^2 + sigma^2)`: brings x_t of data with standard deviation `data_std` to unit variance."""
    logsnr = full_precision(logsnr)
    return torch.rsqrt(torch.sigmoid(logsnr) * data_std**2 + torch.sigmoid(-logsnr))
