"""The whole estimate of a run as one object."""

import math
import shutil
from pathlib import Path

import torch

from trainer.config import RunConfig, ScenesData, Stage
from trainer.config.data import FileData
from trainer.cost import DiskEstimate, MemoryEstimate, NetworkEstimate, RunEstimate, StepTime
from trainer.estimates.memory import StepMemory, frozen_bytes, step_memory, trained_bytes
from trainer.estimates.rendering import rendering_bytes, rendering_s, unrendered_plans
from trainer.estimates.shapes import micro_batch, operations, rank_batch, sized_model, trained_networks
from trainer.estimates.timing import step_time
from trainer.latent_cache.layout import latent_cache_bytes
from trainer.memory import memory_of
from ul_engine.accounting import DEVICE_SHARE, meta_model, num_parameters
from ul_engine.accounting.operations import FLOPS_PER_MULTIPLY_ADD, TRAINING_PASSES
from ul_engine.devices import describe_device

PREVIEW_PICTURES = 16
"""Of a sheet, stored as they are in memory: an upper bound."""
FULL_PREVIEWS = 8
"""Previews after which they thin out."""


def estimate(
    config: RunConfig,
    *,
    device: torch.device,
    measure: bool,
    num_ranks: int = 1,
    num_samples: int | None = None,
    folder: Path | None = None,
) -> RunEstimate:
    """Count, and with `measure` also time a few steps on `device` with random data of the run's shapes.

    With `measure`, a few of the Scenes that are to be rendered are tried too. `num_samples` in the training data
    decides the cache of latents (None: known for scenes only); `folder`, where the run will write, tells the free disk
    space. Ranks are taken to be alike and to cost nothing to keep in step.
    """
    meta = meta_model(sized_model(config))
    forward, trained = operations(config, meta)
    names = trained_networks(config, forward)
    memory = _memory(config, step_memory(config, num_ranks=num_ranks), device, num_ranks)
    samples = (rank_batch(config, num_ranks), memory.micro_batch)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        step = step_time(config, trained, device=device, samples=samples, fits=memory.fits, measure=measure)
    count = config.data.num_train if isinstance(config.data, ScenesData) else num_samples
    encoding_s = _encoding_s(config, forward["encoder"].total, step, count)
    scenes = unrendered_plans(config)
    rendering = rendering_s(scenes) if measure and scenes else None
    whole = RunEstimate(
        stage=config.stage,
        device=str(device),
        device_name=describe_device(device)[0],
        num_ranks=num_ranks,
        networks={
            name: NetworkEstimate(parameters=parameters, multiply_adds=forward[name].total, is_trained=name in names)
            for name, parameters in num_parameters(meta).items()
        },
        flops_per_step=trained.total * FLOPS_PER_MULTIPLY_ADD * TRAINING_PASSES * config.batch_size,
        memory=memory,
        step=step,
        rendering_s=rendering,
        encoding_s=encoding_s,
        total_s=0.0,
        disk=_disk(config, sum(num_parameters(meta).values()), count, folder, scenes=rendering_bytes(scenes)),
    )
    return whole.stretched(config.num_steps)


def _memory(config: RunConfig, line: StepMemory, device: torch.device, num_ranks: int) -> MemoryEstimate:
    free, total = memory_of(device)
    usable = min(free, int(DEVICE_SHARE * total))
    at_once = micro_batch(config, num_ranks)
    return MemoryEstimate(
        micro_batch=at_once,
        needed=line.at(at_once),
        fixed=line.fixed,
        per_sample=line.per_sample,
        free=free,
        total=total,
        usable=usable,
        largest_micro_batch=min(line.largest(usable), rank_batch(config, num_ranks)),
    )


def _uses_cache(config: RunConfig) -> bool:
    return config.stage is Stage.STAGE2 and config.latents.source == "cache"


def _copies(config: RunConfig) -> int:
    return 2 if isinstance(config.data, FileData) and config.data.flip else 1


def _encoding_s(config: RunConfig, encoder: int, step: StepTime, num_samples: int | None) -> float | None:
    if not _uses_cache(config) or num_samples is None:
        return None
    return encoder * FLOPS_PER_MULTIPLY_ADD * num_samples * _copies(config) / step.flops_per_s


def _disk(
    config: RunConfig, parameters: int, num_samples: int | None, folder: Path | None, *, scenes: int
) -> DiskEstimate:
    weights, optimizer = trained_bytes(config)
    cadence = config.cadence
    milestones = config.num_steps // cadence.milestone_every if cadence.milestone_every else 0
    kept = min(cadence.keep_checkpoints, -(-config.num_steps // cadence.checkpoint_every)) + milestones
    frozen = frozen_bytes(config) // 4
    exported = 2 * (parameters if config.stage is Stage.STAGE1 else weights // 4 + frozen)
    latents = None
    if _uses_cache(config) and num_samples is not None:
        latents = latent_cache_bytes(
            config.model, config.data.size_px, num_samples, config.latents.storage, copies=_copies(config)
        )
    return DiskEstimate(
        checkpoint=2 * weights + optimizer,
        num_checkpoints=kept + (1 if cadence.keep_best else 0) + 1,
        model=exported,
        latents=latents,
        scenes=scenes,
        previews=_num_previews(config) * PREVIEW_PICTURES * 3 * config.data.size_px**2 * config.model.num_frames,
        free=_free_disk(folder),
    )


def _num_previews(config: RunConfig) -> int:
    planned = config.num_steps // config.cadence.preview_every + 2
    if planned <= FULL_PREVIEWS:
        return planned
    return FULL_PREVIEWS + math.ceil(FULL_PREVIEWS * math.log2(planned / FULL_PREVIEWS))


def _free_disk(folder: Path | None) -> int | None:
    """Of the nearest folder above that exists."""
    if folder is None:
        return None
    place = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    return shutil.disk_usage(place).free
