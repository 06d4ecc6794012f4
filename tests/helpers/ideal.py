"""Data whose ideal denoiser is known in closed form, and a way to read off what a sampler makes of Gaussians."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.diffusion.parameterization import broadcast_to


@dataclass(frozen=True)
class Gaussian:
    """Independent values N(mean, std^2); `mean` and `std` are numbers or tensors that broadcast to the data."""

    mean: Tensor | float
    std: Tensor | float

    def draw(self, shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
        return self.mean + self.std * torch.randn(shape, generator=generator, dtype=dtype)

    def denoise(self, z_t: Tensor, logsnr: Tensor) -> Tensor:
        """Posterior mean `m + alpha s^2 (z_t - alpha m) / (alpha^2 s^2 + sigma^2)`."""
        logsnr = broadcast_to(logsnr, z_t)
        alpha, variance = torch.sigmoid(logsnr).sqrt(), torch.sigmoid(-logsnr)
        gain = alpha * self.std**2 / (alpha**2 * self.std**2 + variance)
        return self.mean + gain * (z_t - alpha * self.mean)

    def nats(self, low: float, high: float) -> float:
        """Integral of `exp(l) / 2 * mmse(l)` from `low` to `high`: `1/2 ln((1 + s^2 e^high) / (1 + s^2 e^low))`.

        Per value, for a `std` that is a number. With `low` at minus infinity it is the mutual information of a value
        and its noised form at `high`.
        """
        variance = float(self.std) ** 2
        return 0.5 * (math.log1p(variance * math.exp(high)) - math.log1p(variance * math.exp(low)))

    def terminal_nats(self, logsnr_min: float) -> float:
        """Mean of the terminal KL per value, for numbers."""
        alpha_squared = 1 / (1 + math.exp(-logsnr_min))
        second_moment = float(self.mean) ** 2 + float(self.std) ** 2
        return 0.5 * (alpha_squared * second_moment - alpha_squared - math.log1p(-alpha_squared))

    def noisy_moments(self, logsnr: float) -> tuple[float, float]:
        """Mean and variance at `logsnr`: `alpha m`, `alpha^2 s^2 + sigma^2`."""
        alpha_squared = 1 / (1 + math.exp(-logsnr))
        variance = alpha_squared * float(self.std) ** 2 + 1 - alpha_squared
        return math.sqrt(alpha_squared) * float(self.mean), variance


@dataclass(frozen=True)
class Mixture:
    """Two equal, narrow Gaussians at -distance and +distance."""

    distance: float
    std: float

    def denoise(self, z_t: Tensor, logsnr: Tensor) -> Tensor:
        level = broadcast_to(logsnr, z_t)
        alpha, variance = torch.sigmoid(level).sqrt(), torch.sigmoid(-level)
        spread = alpha**2 * self.std**2 + variance
        right = torch.sigmoid(2 * alpha * self.distance * z_t / spread)
        left_mean = Gaussian(-self.distance, self.std).denoise(z_t, logsnr)
        right_mean = Gaussian(self.distance, self.std).denoise(z_t, logsnr)
        return (1 - right) * left_mean + right * right_mean


def affine_moments(run: Callable[[Tensor, Callable[[], Tensor]], Tensor], num_steps: int) -> tuple[float, float, float]:
    """(mean, variance, gain of the start) of what an affine sampler makes of `N(0, 1)` noise, without drawing any.

    With an affine denoiser the result is `b + A x_1 + sum C_i eps_i`. Probe 0 has zero noise everywhere and gives b;
    probe 1 has x_1 = 1 and gives A; probe 2 + i has eps_i = 1 and gives C_i.
    """
    probes = num_steps + 2
    calls = iter(range(num_steps + 1))

    def draw() -> Tensor:
        eps = torch.zeros(probes, 1)
        eps[2 + next(calls)] = 1.0
        return eps

    start = torch.zeros(probes, 1)
    start[1] = 1.0
    end = run(start, draw).double()[:, 0]
    gains = end[1:] - end[0]
    return float(end[0]), float(gains.square().sum()), float(gains[0])
