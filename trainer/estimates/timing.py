"""Seconds of a training step: measured on real networks with random data, or reckoned from the rate of products."""

from contextlib import AbstractContextManager, nullcontext

import torch

from trainer.config import RunConfig, Stage
from trainer.cost import StepTime
from trainer.estimates.shapes import sized_model
from ul_engine.accounting.operations import FLOPS_PER_MULTIPLY_ADD, TRAINING_PASSES, Operations
from ul_engine.bench.inputs import random_inputs
from ul_engine.bench.machine import matmul_peaks
from ul_engine.bench.timing import Timing, measured
from ul_engine.bench.training import stage1_step, stage2_step
from ul_engine.model_folder import NetworkName
from ul_engine.models.unified import UnifiedLatents, prefer_channels_last
from ul_engine.nn.checkpointing import checkpoint_blocks

LONGEST_S = 60.0
"""A step that would take longer is not measured."""
PROBE_S, PATIENCE_S = 0.5, 4.0
"""Fewer samples than a step's are timed where that keeps one pass of the probe, then of the measurement, below this."""
REPEATS = 3
USUAL_SHARE = {"cpu": 0.4, "cuda": 0.25, "mps": 0.25}
"""Ours: part of the matmul peak that whole steps reach."""


def step_time(
    config: RunConfig, forward: Operations, *, device: torch.device, samples: tuple[int, int], fits: bool, measure: bool
) -> StepTime:
    """Of a step in which this device takes `samples` (in all, at once); `forward` counts one sample's forward pass.

    Whatever is too slow or too large to be tried is reckoned from the measured rate of matrix products, and says so.
    """
    rate = matmul_peaks(device)[config.precision] * USUAL_SHARE[device.type]
    per_sample = forward.total * FLOPS_PER_MULTIPLY_ADD * TRAINING_PASSES
    in_all, at_once = samples
    expected = per_sample * in_all / rate
    if not measure:
        return _reckoned(expected, rate, "not measured")
    if not fits:
        return _reckoned(expected, rate, "not measured, since a step does not fit the free memory")
    if expected > LONGEST_S:
        why = f"not measured: one step of {in_all} samples would take about {expected:.0f} s here"
        return _reckoned(expected, rate, why)
    probe = _measured(config, per_sample, rate, device=device, batch=_within(PROBE_S, rate, per_sample, at_once))
    batch = _within(PATIENCE_S, per_sample * probe.num_samples / probe.wall_s, per_sample, at_once)
    timing = _measured(config, per_sample, rate, device=device, batch=batch, repeats=REPEATS)
    return StepTime(
        seconds=timing.wall_s * in_all / batch,
        is_measured=True,
        how=f"median of {REPEATS} steps of {batch} samples with random data",
        flops_per_s=per_sample * batch / timing.wall_s,
        peak_bytes=timing.peak_bytes,
        measured_batch=batch,
    )


def _within(seconds: float, rate: float, per_sample: int, at_once: int) -> int:
    return max(1, min(at_once, int(seconds * rate / per_sample)))


def _reckoned(seconds: float, rate: float, why: str) -> StepTime:
    how = f"{why}; reckoned from this device's rate of matrix products, good to a factor of two"
    return StepTime(seconds=seconds, is_measured=False, how=how, flops_per_s=rate)


def _measured(
    config: RunConfig, per_sample: int, rate: float, *, device: torch.device, batch: int, repeats: int = 1
) -> Timing:
    sized = sized_model(config)
    model = UnifiedLatents(sized, networks=_needed_networks(config)).to(device)
    prefer_channels_last(model)
    if config.scale.checkpoint_activations:
        checkpoint_blocks(model)
    make = stage1_step if config.stage is Stage.STAGE1 else stage2_step
    inputs = random_inputs(sized, batch, device)

    def autocast() -> AbstractContextManager[None]:
        return torch.autocast(device.type, dtype=torch.bfloat16) if config.precision == "bf16" else nullcontext()

    step = make(model, inputs, autocast)
    flops = per_sample * batch
    return measured(step, device, num_samples=batch, flops=flops, peak_flops_per_s=rate, repeats=repeats)


def _needed_networks(config: RunConfig) -> frozenset[str]:
    if config.stage is Stage.STAGE2:
        return frozenset(("base",))
    middle: NetworkName = "prior" if config.model.training == "two-stage" else "base"
    return frozenset(("encoder", middle, "decoder"))
