"""How fast a run trains here: steps, waiting for data, loading alone, what logging, looking and saving cost."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from pathlib import Path

import torch
from pydantic import Field

from trainer.config import RunConfig
from trainer.loop import TrainingLoop
from trainer.pace import Pace
from trainer.ranks import single
from trainer.reporting import Reporter
from trainer.run_dir import RunDir
from trainer.train import opened_stage
from trainer.trainable import full_averages
from ul_engine.accounting import FLOPS_PER_MULTIPLY_ADD, model_cost
from ul_engine.bench.machine import matmul_peaks
from ul_engine.bench.timing import peak_bytes, reset_peak, synchronise
from ul_engine.devices import describe_device, pick_device
from ul_engine.requests import FrozenModel

WARM_UP_STEPS = 3
ROUNDS = 5


class TrainingBench(FrozenModel):
    """What was measured; times in seconds of wall clock, medians over `rounds` rounds."""

    machine: str
    stage: str
    batch_size: int
    micro_batch: int
    steps: int = Field(description="Steps of a round.")
    rounds: int = ROUNDS
    step_s: float = Field(description="One step, with its batch, without logging.")
    step_s_spread: float = Field(description="Difference between the slowest and the quickest round.")
    samples_per_s: float
    data_wait_share: float = Field(description="Part of that time in which the step waited for its batch.")
    loading_samples_per_s: float = Field(description="Batches alone, nothing trained.")
    loading_headroom: float = Field(description="How many times quicker loading is than training.")
    log_every: int
    log_s: float = Field(description="Writing one set of figures: events, status, TensorBoard, console.")
    logging_share: float = Field(description="Part of the time that logging takes at this cadence.")
    validation_s: float
    preview_s: float
    checkpoint_stall_s: float = Field(description="What a checkpoint holds up the steps.")
    checkpoint_s: float = Field(description="Until it is on the disk.")
    peak_memory_bytes: int
    flops_per_s: float = Field(description="By the counted operations of the networks.")
    share_of_peak: float = Field(description="Of this device's measured matrix rate.")


def bench_training(
    config: RunConfig, *, device: str, steps: int, observe: Callable[[str], None] = lambda text: None
) -> TrainingBench:
    """Train for a few dozen real steps in a temporary folder. Raises EngineError."""
    with tempfile.TemporaryDirectory(prefix="ul-bench-") as folder:
        run, ranks = RunDir(Path(folder)), single(pick_device(device))
        run.create()
        total = WARM_UP_STEPS + 2 * ROUNDS * steps + 1
        config = config.model_copy(update={"num_steps": max(total, config.num_steps)})
        reporter = Reporter(run, ranks, config.num_steps)
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), closing(reporter):
            config, stage = opened_stage(config, run, ranks, reporter)
            with closing(stage.feed):
                loop = TrainingLoop(stage, config, run, ranks, reporter)
                reporter.begin(0)
                reporter.begin_steps(0)
                return _measured(loop, steps, observe)


def _measured(loop: TrainingLoop, steps: int, observe: Callable[[str], None]) -> TrainingBench:
    config, device = loop.config, loop.ranks.device
    observe("loading alone")
    loading = _loading_rate(loop, steps)
    loop.trainable.feed.start(loop.data_steps())
    reset_peak(device)
    pace = Pace(0)
    for _ in range(WARM_UP_STEPS):
        loop.take_step(pace)
    observe("steps")
    rounds = [_round(loop, steps) for _ in range(ROUNDS)]
    step_s = statistics.median(seconds for seconds, _ in rounds)
    observe("logging")
    log_s = _logging(loop, pace)
    memory = peak_bytes(device)
    observe("looking and saving")
    stall, saved = _saving(loop)
    averages = full_averages(loop.state.ema)
    loop.trainable.module.eval()
    validation_s = _timed(lambda: loop.trainable.validate(averages), device)
    preview_s = _timed(lambda: loop.trainable.preview(averages), device)
    samples_per_s = config.batch_size / step_s
    flops_per_s = _flops_per_sample(config) * samples_per_s
    every = config.cadence.log_every
    return TrainingBench(
        machine=describe_device(device)[0],
        stage=config.stage.value,
        batch_size=config.batch_size,
        micro_batch=loop.stepper.micro_batch,
        steps=steps,
        step_s=step_s,
        step_s_spread=max(rounds)[0] - min(rounds)[0],
        samples_per_s=samples_per_s,
        data_wait_share=statistics.median(share for _, share in rounds),
        loading_samples_per_s=loading,
        loading_headroom=loading / samples_per_s,
        log_every=every,
        log_s=log_s,
        logging_share=log_s / (every * step_s + log_s),
        validation_s=validation_s,
        preview_s=preview_s,
        checkpoint_stall_s=stall,
        checkpoint_s=saved,
        peak_memory_bytes=memory,
        flops_per_s=flops_per_s,
        share_of_peak=flops_per_s / matmul_peaks(device)[config.precision],
    )


def _loading_rate(loop: TrainingLoop, steps: int) -> float:
    """Samples per second, once the first batch is there (starting loading processes is not loading)."""
    feed = loop.trainable.feed
    feed.start(range(steps + 1))
    feed.next()
    began = time.perf_counter()
    for _ in range(steps):
        feed.next()
    return steps * loop.config.batch_size / (time.perf_counter() - began)


def _round(loop: TrainingLoop, steps: int) -> tuple[float, float]:
    """Seconds per step and the share of it that waited for data."""
    device = loop.ranks.device
    synchronise(device)
    pace = Pace(loop.step)
    for _ in range(steps):
        loop.take_step(pace)
    synchronise(device)
    return pace.seconds_per_step(loop.step), pace.wait_share(loop.step)


def _logging(loop: TrainingLoop, pace: Pace) -> float:
    """One log, with the device idle before it, so that waiting for steps is not counted."""
    device, seconds = loop.ranks.device, []
    for _ in range(ROUNDS):
        loop.take_step(pace)
        synchronise(device)
        seconds.append(_timed(lambda: loop.log(pace), device))
    return statistics.median(seconds)


def _saving(loop: TrainingLoop) -> tuple[float, float]:
    """Seconds until training can go on, and until the checkpoint has its name."""
    synchronise(loop.ranks.device)
    began = time.perf_counter()
    loop.checkpoints.save(loop.step)
    stall = time.perf_counter() - began
    loop.checkpoints.finish()
    return stall, time.perf_counter() - began


def _timed(work: Callable[[], object], device: torch.device) -> float:
    synchronise(device)
    began = time.perf_counter()
    work()
    synchronise(device)
    return time.perf_counter() - began


def _flops_per_sample(config: RunConfig) -> int:
    """Of a training step, at the model's own size."""
    cost = model_cost(config.model, batch_size=1, sampling={})
    stage = cost.stage1 if config.stage.value == "stage1" else cost.stage2
    assert stage is not None
    scale = (config.data.size_px / config.model.image_px) ** 2
    return int(stage.training.total * FLOPS_PER_MULTIPLY_ADD * scale)


def text(bench: TrainingBench) -> str:
    """A table for people."""
    rows = (
        ("machine", bench.machine),
        ("batch", f"{bench.batch_size} ({bench.micro_batch} at once)"),
        ("step", f"{bench.step_s * 1e3:.1f} ms (rounds differ by {bench.step_s_spread * 1e3:.1f} ms)"),
        ("training", f"{bench.samples_per_s:,.1f} samples/s, {1 / bench.step_s:,.2f} steps/s"),
        ("waiting for data", f"{bench.data_wait_share:.1%} of a step"),
        (
            "loading alone",
            f"{bench.loading_samples_per_s:,.0f} samples/s, {bench.loading_headroom:,.1f} x the need",
        ),
        ("logging", f"{bench.log_s * 1e3:.2f} ms every {bench.log_every} steps: {bench.logging_share:.2%} of the time"),
        ("checkpoint", f"holds up {bench.checkpoint_stall_s:.2f} s, written after {bench.checkpoint_s:.2f} s"),
        ("validation, preview", f"{bench.validation_s:.2f} s, {bench.preview_s:.2f} s"),
        ("peak memory", f"{bench.peak_memory_bytes / 2**30:.2f} GiB"),
        ("networks", f"{bench.flops_per_s / 1e12:.3g} TFLOP/s, {bench.share_of_peak:.1%} of the measured matrix rate"),
    )
    return "\n".join(f"{name:22} {value}" for name, value in rows)
