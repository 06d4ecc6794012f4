"""Clips of any length: a first window of the model's own length, then windows that continue from the frames before.

A window is generated whole, the frames it continues from included, and only its new frames are kept (Unified Latents
on Kinetics-600: 5 frames in, 11 out). The frames before are encoded alone, so that no latent frame mixes what is given
with what is wanted; how they meet the temporal down-sampling is ours, the paper is silent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.diffusion.noise import Seed, derived_seed
from ul_engine.errors import ConfigError, ShapeError
from ul_engine.models.conditioning import Condition
from ul_engine.pipelines.pipeline import Pipeline
from ul_engine.pipelines.sampling import Observe, ignore
from ul_engine.requests import SamplingSettings

Windowed = Callable[[int], Observe]
"""The observer of window number i."""


@dataclass(frozen=True)
class ClipJob:
    """What all windows of a batch of clips share. `condition` is the class or text of each clip [B], without frames."""

    seeds: Sequence[Seed]
    size: tuple[int, int]
    sampling: SamplingSettings
    condition: Condition | None = None
    observe: Windowed = field(default=lambda window: ignore)


def num_windows(config: ModelConfig, num_frames: int, *, given: int = 0) -> int:
    """Windows needed for `num_frames` new frames; `given` frames to continue from, 0 for a clip from nothing. Raises
    ConfigError for fewer frames than one, and where the model cannot continue."""
    if num_frames < 1:
        raise ConfigError(f"{num_frames} frames were asked for; at least 1 is needed", field="num_frames")
    if given:
        _require_continuation(config)
    first = config.num_frames if given == 0 else config.num_frames - config.context_frames
    later = config.num_frames - config.context_frames
    if num_frames <= first:
        return 1
    _require_continuation(config)
    return 1 + -(-(num_frames - first) // later)


def generate_clips(pipeline: Pipeline, job: ClipJob, num_frames: int) -> Tensor:
    """`num_frames` frames from nothing: `[B, 3, num_frames, H, W]` in [-1, 1]; beyond the model's own length by
    continuing. Raises ConfigError where the model cannot continue."""
    config = pipeline.config
    count = num_windows(config, num_frames)
    first = _window(pipeline, job, 0, None, num_frames=min(num_frames, config.num_frames), observe=job.observe(0))
    rest = list(_windows(pipeline, job, first, count - 1, num_before=1))
    return torch.cat((first, *rest), dim=2)[:, :, :num_frames]


def continue_clips(pipeline: Pipeline, job: ClipJob, frames: Tensor, num_frames: int) -> Tensor:
    """The `num_frames` frames after the clips `frames` [B, 3, T, H, W] in [-1, 1], without them: `[B, 3, num_frames, H,
    W]`. Only the last frames count, as many as the model looks at; of a shorter clip the first frame is repeated.

    The first window after a generated one of the same seeds is what `generate_clips` would have gone on with, never
    its own noise again. Raises ShapeError for clips of another size or without a frame, ConfigError where the model
    cannot continue.
    """
    if frames.shape[-2:] != job.size or len(frames) != len(job.seeds) or frames.shape[2] < 1:
        raise ShapeError(f"clips of {len(job.seeds)} x {job.size} were expected, got {tuple(frames.shape)}")
    count = num_windows(pipeline.config, num_frames, given=frames.shape[2])
    return torch.cat(list(_windows(pipeline, job, frames, count, num_before=0)), dim=2)[:, :, :num_frames]


def _windows(pipeline: Pipeline, job: ClipJob, before: Tensor, count: int, *, num_before: int) -> Iterator[Tensor]:
    """New frames of `count` windows, each continuing from all that went before; `num_before` windows of this job are
    done."""
    context_frames = pipeline.config.context_frames
    context = _last_frames(before.to(pipeline.device), context_frames) if count else before
    for index in range(count):
        observe = job.observe(num_before + index)
        window = _window(pipeline, job, index + 1, context, num_frames=pipeline.config.num_frames, observe=observe)
        new = window[:, :, context_frames:]
        context = _last_frames(torch.cat((context, new), dim=2), context_frames)
        yield new


def _window(
    pipeline: Pipeline, job: ClipJob, stream: int, context: Tensor | None, *, num_frames: int, observe: Observe
) -> Tensor:
    """One window of `num_frames` frames, decoded: `[B, 3, num_frames, H, W]`. `stream` 0 draws the seeds' own noise,
    as a picture does, another number noise of its own."""
    seeds = [seed if stream == 0 else derived_seed(seed, f"window {stream}") for seed in job.seeds]
    condition = job.condition
    if context is not None:
        empty = Condition(torch.zeros(len(seeds), 0, dtype=torch.int64, device=pipeline.device))
        null = _null(pipeline, len(seeds))
        condition = replace(condition or null or empty, frames=pipeline.context_latent(context, seeds))
    z_0 = pipeline.sample_latents(
        seeds,
        pipeline.config.latent_shape(*job.size, num_frames)[1:],
        condition,
        job.sampling.base,
        job.sampling.guidance,
        observe,
    )
    return pipeline.decode(z_0, seeds, job.sampling.decoder, observe, crop_to=job.size, num_frames=num_frames)


def _null(pipeline: Pipeline, batch: int) -> Condition | None:
    assert pipeline.model.base is not None
    null = pipeline.model.base.conditioner.null(batch)
    return null.to(pipeline.device) if null is not None else None


def _last_frames(frames: Tensor, count: int) -> Tensor:
    """The last `count` frames of `[B, C, T, H, W]`; the first one stands in for those that are missing."""
    missing = count - frames.shape[2]
    if missing > 0:
        frames = torch.cat((frames[:, :, :1].expand(-1, -1, missing, -1, -1), frames), dim=2)
    return frames[:, :, -count:]


def _require_continuation(config: ModelConfig) -> None:
    if config.context_frames == 0:
        raise ConfigError(
            f"this model makes at most {config.num_frames} frames and continues none; "
            "it was trained without frames to continue from",
            field="num_frames",
        )
