"""Noise schedules: log-SNR as a decreasing function of time, its derivative and its inverse.

Variance preserving: `x_t = alpha x + sigma eps`, `alpha^2 = sigmoid(logsnr)`, `sigma^2 = sigmoid(-logsnr)`; t = 0 is
the least noise and t = 1 the most. All arithmetic is float32 or better, whatever dtype comes in.
"""

import math
from typing import Protocol

import torch
from torch import Tensor


class Schedule(Protocol):
    """log-SNR over time."""

    @property
    def logsnr_max(self) -> float:
        """Value at t = 0."""

    @property
    def logsnr_min(self) -> float:
        """Value at t = 1."""

    def logsnr(self, t: Tensor) -> Tensor:
        """log-SNR at time `t` (any shape, in [0, 1])."""

    def dlogsnr_dt(self, t: Tensor) -> Tensor:
        """Derivative of `logsnr` by `t`; negative."""

    def time(self, logsnr: Tensor) -> Tensor:
        """Inverse of `logsnr`, for values in [logsnr_min, logsnr_max]."""


def full_precision(value: Tensor) -> Tensor:
    """`value` in float32 at least; half-precision schedules are off by whole steps."""
    return value if value.dtype == torch.float64 else value.float()


def alpha_sigma(logsnr: Tensor) -> tuple[Tensor, Tensor]:
    """`alpha = sqrt(sigmoid(logsnr))` and `sigma = sqrt(sigmoid(-logsnr))`, same shape, float32 or better."""
    logsnr = full_precision(logsnr)
    return torch.sigmoid(logsnr).sqrt(), torch.sigmoid(-logsnr).sqrt()


class CosineSchedule:
    """Cosine schedule truncated to [logsnr_min, logsnr_max] and shifted by `shift`.

    `logsnr(t) = shift - 2 ln tan(pi u / 2)` with u linear in t, so that the unshifted ends are met exactly.
    Source: Hoogeboom et al., simple diffusion (arXiv 2301.11093), section 3.1, with the shift `2 ln(d / image_px)`.
    """

    def __init__(self, logsnr_max: float, logsnr_min: float, *, shift: float = 0.0) -> None:
        if not logsnr_min < logsnr_max:
            raise ValueError("logsnr_min must be below logsnr_max")
        self.shift = shift
        self.logsnr_max = logsnr_max + shift
        self.logsnr_min = logsnr_min + shift
        self._u_start = math.atan(math.exp(-logsnr_max / 2)) * 2 / math.pi
        self._u_end = math.atan(math.exp(-logsnr_min / 2)) * 2 / math.pi
        self._v_end = math.atan(math.exp(logsnr_min / 2)) * 2 / math.pi  # 1 - u_end, without its cancellation

    def _u(self, t: Tensor) -> Tensor:
        return self._u_start + full_precision(t) * (self._u_end - self._u_start)

    def logsnr(self, t: Tensor) -> Tensor:
        """log-SNR at time `t`."""
        u = self._u(t)
        # tan(pi u / 2) near u = 1 loses the end in float32; there 1 - u is formed from t and its tangent inverted.
        from_end = self._v_end + (1.0 - full_precision(t)) * (self._u_end - self._u_start)
        is_noisy = u > 0.5
        angle = torch.where(is_noisy, from_end, u) * (math.pi / 2)
        log_tan = torch.log(torch.tan(angle))
        return self.shift - 2.0 * torch.where(is_noisy, -log_tan, log_tan)

    def dlogsnr_dt(self, t: Tensor) -> Tensor:
        """`-2 pi / sin(pi u) * du/dt`."""
        return -2.0 * math.pi / torch.sin(math.pi * self._u(t)) * (self._u_end - self._u_start)

    def time(self, logsnr: Tensor) -> Tensor:
        """Inverse in closed form."""
        u = torch.atan(torch.exp((self.shift - full_precision(logsnr)) / 2)) * (2 / math.pi)
        return (u - self._u_start) / (self._u_end - self._u_start)


def shift_for_size(image_px: int, noise_px: int) -> float:
    """`2 ln(noise_px / image_px)`: the log-SNR shift under which average-pooling an `image_px` picture to `noise_px`
    pixels gives the unshifted schedule (pooling k x k divides the noise variance by k^2)."""
    return 2.0 * math.log(noise_px / image_px)


class InterpolatedSchedule:
    """`(1 - t) first(t) + t second(t)`: the first schedule at t = 0, the second at t = 1.

    Source: Hoogeboom et al., simple diffusion, section 3.1. Differs from it by: truncated ends.
    """

    def __init__(self, first: Schedule, second: Schedule) -> None:
        self.first = first
        self.second = second
        self.logsnr_max = first.logsnr_max
        self.logsnr_min = second.logsnr_min

    def logsnr(self, t: Tensor) -> Tensor:
        """log-SNR at time `t`."""
        t = full_precision(t)
        return (1.0 - t) * self.first.logsnr(t) + t * self.second.logsnr(t)

    def dlogsnr_dt(self, t: Tensor) -> Tensor:
        """Product rule over both parts."""
        t = full_precision(t)
        slopes = (1.0 - t) * self.first.dlogsnr_dt(t) + t * self.second.dlogsnr_dt(t)
        return slopes + self.second.logsnr(t) - self.first.logsnr(t)

    def time(self, logsnr: Tensor) -> Tensor:
        """Inverse by bisection in float64 (60 halvings reach its last bit); returns the dtype of full_precision."""
        wanted = full_precision(logsnr)
        low = torch.zeros_like(wanted, dtype=torch.float64)
        high = torch.ones_like(low)
        for _ in range(60):
            middle = (low + high) / 2
            is_cleaner = self.logsnr(middle) > wanted
            low = torch.where(is_cleaner, middle, low)
            high = torch.where(is_cleaner, high, middle)
        return ((low + high) / 2).to(wanted.dtype)


def latent_schedule(logsnr_max: float = 5.0, logsnr_min: float = -10.0) -> CosineSchedule:
    """The latent's schedule, for prior and base model: truncated cosine that starts at the encoder's own noise."""
    return CosineSchedule(logsnr_max, logsnr_min)


def picture_schedule(
    image_px: int, *, noise_px: int = 32, logsnr_max: float = 10.0, logsnr_min: float = -10.0
) -> InterpolatedSchedule:
    """The decoder's schedule: logsnr_max at t = 0, `logsnr_min + 2 ln(noise_px / image_px)` at t = 1.

    `image_px` is the size the model is trained at; it never follows the size of an input. Raises ValueError where
    `noise_px` is so far above it that log-SNR would not fall everywhere.
    """
    schedule = InterpolatedSchedule(
        CosineSchedule(logsnr_max, logsnr_min),
        CosineSchedule(logsnr_max, logsnr_min, shift=shift_for_size(image_px, noise_px)),
    )
    if (schedule.dlogsnr_dt(torch.linspace(0.0, 1.0, 257)) >= 0.0).any():
        raise ValueError(f"noise_px {noise_px} is so far above image_px {image_px} that log-SNR would rise with time")
    return schedule
