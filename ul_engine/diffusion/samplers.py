"""Solvers of the denoising loop: functions of a denoiser, noise and a grid of log-SNR levels.

Each begins with `x` at `grid[0]` and ends with a state at exactly `grid[-1]`: a *noisy* sample of that level (for the
latent: z_0 at log-SNR 5), never the clean estimate. One network evaluation per step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ul_engine.diffusion.parameterization import eps_from_x
from ul_engine.diffusion.schedules import alpha_sigma

Denoise = Callable[[Tensor, Tensor], Tensor]
"""`(x_t [B, ...], logsnr [B] float32) -> x_hat`, the same shape."""


@dataclass(frozen=True)
class SamplerStep:
    """What an observer sees after each evaluation: `index` counts from 1; `x_hat` is the clean estimate."""

    index: int
    num_steps: int
    logsnr: float
    x_hat: Tensor


Observe = Callable[[SamplerStep], None]
"""Called after every network evaluation; it may raise Cancelled to stop the loop."""


class Sampler(Protocol):
    """Any solver below."""

    def __call__(
        self, denoise: Denoise, x: Tensor, grid: Tensor, *, draw_noise: Callable[[], Tensor], observe: Observe
    ) -> Tensor:
        """Run the loop over `grid` and return the state at `grid[-1]`."""


def _ignore(step: SamplerStep) -> None:
    """Observer that looks at nothing."""


def _evaluate(denoise: Denoise, x: Tensor, grid: Tensor, index: int, observe: Observe) -> Tensor:
    """Clean estimate at `grid[index]` in float32, shown to the observer."""
    logsnr = grid[index].float().to(x.device).expand(x.shape[0])
    x_hat = denoise(x, logsnr).float()
    observe(SamplerStep(index=index + 1, num_steps=len(grid) - 1, logsnr=float(grid[index]), x_hat=x_hat))
    return x_hat


def ddpm(
    denoise: Denoise, x: Tensor, grid: Tensor, *, draw_noise: Callable[[], Tensor], observe: Observe = _ignore
) -> Tensor:
    """Ancestral sampling from `q(x_s | x_t, x_hat)`.

    mean `r alpha_s/alpha_t x_t + (1 - r) alpha_s x_hat`, variance `(1 - r) sigma_s^2`, `r = exp(logsnr_t - logsnr_s)`.
    Source: Kingma et al., Variational Diffusion Models, appendix A.4 (the smaller of its two variances).
    """
    for index in range(len(grid) - 1):
        x_hat = _evaluate(denoise, x, grid, index, observe)
        (alpha_t, _), (alpha_s, sigma_s) = alpha_sigma(grid[index]), alpha_sigma(grid[index + 1])
        r = torch.exp(grid[index] - grid[index + 1])
        mean = float(r * alpha_s / alpha_t) * x + float((1 - r) * alpha_s) * x_hat
        x = mean + float((1 - r).sqrt() * sigma_s) * draw_noise()
    return x


def ddim(
    denoise: Denoise, x: Tensor, grid: Tensor, *, draw_noise: Callable[[], Tensor], observe: Observe = _ignore
) -> Tensor:
    """Deterministic first-order step `x_s = alpha_s x_hat + sigma_s eps_hat` (arXiv 2010.02502); draws no noise."""
    del draw_noise
    for index in range(len(grid) - 1):
        x_hat = _evaluate(denoise, x, grid, index, observe)
        eps_hat = eps_from_x(x, x_hat, grid[index].float().to(x.device))
        alpha_s, sigma_s = alpha_sigma(grid[index + 1])
        x = float(alpha_s) * x_hat + float(sigma_s) * eps_hat
    return x


def _multistep_estimate(x_hat: Tensor, previous: Tensor | None, grid: Tensor, index: int) -> Tensor:
    """Linear extrapolation of the estimate to the middle of the step, `D = (1 + 1/2r) x_hat - 1/2r previous`.

    `r` is the last step's share of this step in half log-SNR; the first step has no history and is of first order.
    """
    if previous is None:
        return x_hat
    ratio = float((grid[index] - grid[index - 1]) / (grid[index + 1] - grid[index]))
    return x_hat + (x_hat - previous) / (2.0 * ratio)


def dpmpp_2m(
    denoise: Denoise, x: Tensor, grid: Tensor, *, draw_noise: Callable[[], Tensor], observe: Observe = _ignore
) -> Tensor:
    """DPM-Solver++(2M): `x_s = sigma_s/sigma_t x - alpha_s (e^-h - 1) D`, `h` the step in half log-SNR; deterministic.

    Source: Lu et al., DPM-Solver++ (arXiv 2211.01095), algorithm 2.
    """
    del draw_noise
    previous: Tensor | None = None
    for index in range(len(grid) - 1):
        x_hat = _evaluate(denoise, x, grid, index, observe)
        estimate = _multistep_estimate(x_hat, previous, grid, index)
        (_, sigma_t), (alpha_s, sigma_s) = alpha_sigma(grid[index]), alpha_sigma(grid[index + 1])
        h = (grid[index + 1] - grid[index]) / 2
        x = float(sigma_s / sigma_t) * x - float(alpha_s * torch.expm1(-h)) * estimate
        previous = x_hat
    return x


def dpmpp_2m_sde(
    denoise: Denoise, x: Tensor, grid: Tensor, *, draw_noise: Callable[[], Tensor], observe: Observe = _ignore
) -> Tensor:
    """SDE form of DPM-Solver++(2M): fresh noise at every step.

    `x_s = sigma_s/sigma_t e^-h x + alpha_s (1 - e^-2h) D + sigma_s sqrt(1 - e^-2h) eps`.
    Source: Lu et al., DPM-Solver++ (arXiv 2211.01095), SDE-DPM-Solver++(2M).
    """
    previous: Tensor | None = None
    for index in range(len(grid) - 1):
        x_hat = _evaluate(denoise, x, grid, index, observe)
        estimate = _multistep_estimate(x_hat, previous, grid, index)
        (_, sigma_t), (alpha_s, sigma_s) = alpha_sigma(grid[index]), alpha_sigma(grid[index + 1])
        h = (grid[index + 1] - grid[index]) / 2
        gain = -torch.expm1(-2 * h)
        x = float(sigma_s / sigma_t * torch.exp(-h)) * x + float(alpha_s * gain) * estimate
        x = x + float(sigma_s * gain.sqrt()) * draw_noise()
        previous = x_hat
    return x
