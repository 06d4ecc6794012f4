"""Cost of making one sample: network evaluations of both loops, and their multiply-adds."""

from collections.abc import Mapping

from ul_engine.accounting.operations import Operations
from ul_engine.config import ModelConfig
from ul_engine.diffusion.grids import logsnr_grid, time_grid
from ul_engine.model_folder import NetworkName
from ul_engine.objectives import latent_schedule_of
from ul_engine.requests import FrozenModel, SamplerName, SamplingSettings


class SamplingCost(FrozenModel):
    """Of one sample. The base model's evaluations include those that guidance adds."""

    base_evaluations: int
    decoder_evaluations: int
    base: Operations
    decoder: Operations

    @property
    def total(self) -> int:
        """Multiply-adds of all evaluations."""
        return self.base.total + self.decoder.total


def sampling_cost(
    config: ModelConfig, settings: SamplingSettings, forward: Mapping[NetworkName, Operations]
) -> SamplingCost:
    """Cost under `settings`, given the networks' forward passes. Guidance's second evaluation is counted in full."""
    num_base = settings.base.num_steps + _guided_steps(config, settings)
    num_decoder = settings.decoder.num_steps if config.decoder_loss.kind == "diffusion" else 1
    return SamplingCost(
        base_evaluations=num_base,
        decoder_evaluations=num_decoder,
        base=forward["base"].times(num_base),
        decoder=forward["decoder"].times(num_decoder),
    )


def _guided_steps(config: ModelConfig, settings: SamplingSettings) -> int:
    """Steps whose level lies in the guidance interval; none for a model that is told nothing."""
    is_told = config.conditioning.kind != "none" or config.context_frames > 0
    if not is_told or settings.guidance.weight == 1.0:
        return 0
    is_first_order = settings.base.name in (SamplerName.DDPM, SamplerName.DDIM)
    make = time_grid if is_first_order else logsnr_grid
    levels = make(latent_schedule_of(config), settings.base.num_steps)[:-1].float()
    low, high = settings.guidance.logsnr_low, settings.guidance.logsnr_high
    return int(((levels >= low) & (levels <= high)).sum())
