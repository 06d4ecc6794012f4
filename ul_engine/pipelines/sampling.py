"""How a sampling loop of a model is run: solvers by name, their grids, where a loop begins."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ul_engine.diffusion import samplers
from ul_engine.diffusion.grids import logsnr_grid, time_grid
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.diffusion.schedules import Schedule
from ul_engine.diffusion.weightings import base_bias
from ul_engine.errors import ConfigError, DeviceMemoryError
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings

SAMPLERS: dict[SamplerName, samplers.Sampler] = {
    SamplerName.DDPM: samplers.ddpm,
    SamplerName.DDIM: samplers.ddim,
    SamplerName.DPMPP_2M: samplers.dpmpp_2m,
    SamplerName.DPMPP_2M_SDE: samplers.dpmpp_2m_sde,
}
FIRST_ORDER = frozenset((SamplerName.DDPM, SamplerName.DDIM))
Phase = Literal["base", "decoder"]
Observe = Callable[[Phase, SamplerStep], None]
"""Called after every network evaluation of either loop; may raise Cancelled."""


def ignore(phase: Phase, step: SamplerStep) -> None:
    """Observer that looks at nothing."""


@dataclass(frozen=True)
class Start:
    """Where a loop begins if not at pure noise: `clean` [B, ...] noised to `logsnr`."""

    clean: Tensor
    logsnr: float


def sampling_grid(schedule: Schedule, settings: SamplerSettings, *, logsnr_start: float | None = None) -> Tensor:
    """Levels for a sampler: equal times for first-order solvers, equal log-SNR for multistep ones.

    From `logsnr_start` the loop takes that share of the steps which its part of the log-SNR range is of the whole.
    """
    make = time_grid if settings.name in FIRST_ORDER else logsnr_grid
    if logsnr_start is None:
        return make(schedule, settings.num_steps)
    share = (schedule.logsnr_max - logsnr_start) / (schedule.logsnr_max - schedule.logsnr_min)
    return make(schedule, max(1, round(settings.num_steps * share)), logsnr_start=logsnr_start)


def run_loop(
    denoise: samplers.Denoise,
    schedule: Schedule,
    settings: SamplerSettings,
    noise: SeededNoise,
    *,
    start: Start | None = None,
    observe: Callable[[SamplerStep], None],
) -> Tensor:
    """One denoising loop down to exactly `schedule.logsnr_max`.

    A `start` at or above that level only gets its noise; one below `schedule.logsnr_min` raises ConfigError.
    """
    if start is None:
        x, grid = noise.draw(), sampling_grid(schedule, settings)
    else:
        if start.logsnr < schedule.logsnr_min:
            raise ConfigError(f"{start.logsnr:g} is below the noisiest level {schedule.logsnr_min:g}", field="logsnr")
        x = add_noise(start.clean, noise.draw(), torch.tensor(start.logsnr, device=start.clean.device))
        if start.logsnr >= schedule.logsnr_max:
            return x
        grid = sampling_grid(schedule, settings, logsnr_start=start.logsnr)
    return SAMPLERS[settings.name](denoise, x, grid, draw_noise=noise.draw, observe=observe)


def default_guidance(latent_std: float, weight: float = 2.0) -> GuidanceSettings:
    """Guidance over log-SNR -3 to 1.5, moved by `-2 ln s`: the scale s of a latent shifts its effective log-SNR.

    Rounded to two decimals, which is what people see and type.
    """
    shift = base_bias(0.0, latent_std)
    return GuidanceSettings(weight=weight, logsnr_low=round(-3.0 + shift, 2), logsnr_high=round(1.5 + shift, 2))


def out_of_memory(error: Exception) -> DeviceMemoryError | None:
    """The plain error for torch's out-of-memory, on a GPU or in the host's allocator; None for any other failure."""
    text = str(error)
    if (
        isinstance(error, torch.OutOfMemoryError | MemoryError)
        or "can't allocate memory" in text
        or "not enough memory" in text
    ):
        free = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None
        return DeviceMemoryError(
            "the device ran out of memory; make fewer pictures at once (batch size) or smaller ones", free_bytes=free
        )
    return None
