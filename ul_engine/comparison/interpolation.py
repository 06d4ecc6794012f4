"""The way from one picture to another: between seeds, between prompts, between two encoded pictures.

What the decoder sees always stands at the latent's native log-SNR: mixtures are noised to it, or brought back to it.
"""

from collections.abc import Sequence
from itertools import repeat

import torch
from torch import Tensor

from ul_engine.diffusion.noise import BlendedSeed
from ul_engine.errors import ShapeError
from ul_engine.models.conditioning import Condition
from ul_engine.pipelines import ConditionBlend, Observe, Pipeline, Start, ignore
from ul_engine.requests import SamplingSettings


def interpolate_seeds(
    pipeline: Pipeline,
    shares: Sequence[float],
    seeds: tuple[int, int],
    condition: Condition | None,
    *,
    size: tuple[int, int],
    sampling: SamplingSettings,
    observe: Observe = ignore,
) -> Tensor:
    """Pictures `[B, 3, T, H, W]` in [-1, 1] at `shares` (0 to 1) between two seeds: all noise of both diffusions goes
    over from one seed's to the other's along a quarter circle, which keeps its variance. `condition` has B rows."""
    blended = [BlendedSeed(*seeds, share) for share in shares]
    cells = pipeline.config.latent_shape(*size, pipeline.config.num_frames)[1:]
    z_0 = pipeline.sample_latents(blended, cells, condition, sampling.base, sampling.guidance, observe)
    return pipeline.decode(z_0, blended, sampling.decoder, observe, crop_to=size)


def interpolate_prompts(
    pipeline: Pipeline,
    shares: Sequence[float],
    conditions: tuple[Condition, Condition],
    seed: int,
    *,
    size: tuple[int, int],
    sampling: SamplingSettings,
    observe: Observe = ignore,
) -> Tensor:
    """Pictures at `shares` between two conditions (B rows each) with the same noise: both clean estimates are mixed at
    every step, so that no embedding has to mean anything between two texts."""
    seeds = [seed] * len(shares)
    blend = ConditionBlend(*conditions, torch.tensor(list(shares)))
    cells = pipeline.config.latent_shape(*size, pipeline.config.num_frames)[1:]
    z_0 = pipeline.sample_latents(seeds, cells, blend, sampling.base, sampling.guidance, observe)
    return pipeline.decode(z_0, seeds, sampling.decoder, observe, crop_to=size)


def interpolate_pictures(
    pipeline: Pipeline,
    shares: Sequence[float],
    pictures: tuple[Tensor, Tensor],
    seed: int,
    *,
    sampling: SamplingSettings,
    restore_logsnr: float | None = None,
    observe: Observe = ignore,
) -> Tensor:
    """Pictures at `shares` between two pictures `[1, 3, T, H, W]` of one size: their z_clean are mixed.

    `restore_logsnr` noises each mixture to that level and lets the base model bring it back, which makes it more like a
    picture and less like either end; None decodes the mixture itself, noised to the native level. Raises ShapeError
    for pictures of different sizes.
    """
    first, second = pictures
    if first.shape != second.shape:
        raise ShapeError(
            f"both pictures must have one size, not {tuple(first.shape[2:])} and {tuple(second.shape[2:])}"
        )
    ends = pipeline.encode(first), pipeline.encode(second)
    mixed = torch.cat([torch.lerp(*ends, share) for share in shares])
    seeds = list(repeat(seed, len(shares)))
    if restore_logsnr is None:
        z_0 = pipeline.native_latent(mixed, seeds)
    else:
        cells = (mixed.shape[2], mixed.shape[3], mixed.shape[4])
        start = Start(mixed, restore_logsnr)
        z_0 = pipeline.sample_latents(seeds, cells, None, sampling.base, sampling.guidance, observe, start=start)
    size = (first.shape[-2], first.shape[-1])
    return pipeline.decode(z_0, seeds, sampling.decoder, observe, crop_to=size, num_frames=first.shape[2])
