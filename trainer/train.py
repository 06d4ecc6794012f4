"""Start or continue a run in this process, alone or as one of several ranks: settings, data, stage, loop."""

import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from trainer.advice import advice_for
from trainer.conditioning import settled_condition
from trainer.config import FileData, RunConfig, Stage, parse_config
from trainer.data.loader import BatchLoader
from trainer.data.opening import open_data
from trainer.data.order import BatchOrder
from trainer.data.samples import SampleSource
from trainer.data.workers import num_workers
from trainer.initial import model_folder_of
from trainer.latent_cache import CacheSettings, Sharing, cached_latents
from trainer.latent_feed import EncodedFeed, RowFeed
from trainer.loop import TrainingLoop
from trainer.processor import machine_text
from trainer.protocol import RunState
from trainer.ranks import Ranks, joined
from trainer.reporting import Reporter
from trainer.run_dir import ENVIRONMENT_NAME, RunDir, checkpoint_step, read_json, write_json
from trainer.stage1 import Stage1
from trainer.stage2 import Stage2
from trainer.trainable import BatchFeed
from ul_engine.devices import describe_device, has_fast_bf16
from ul_engine.errors import ConfigError, EngineError
from ul_engine.pipelines import Pipeline

MAY_CHANGE = frozenset(
    (
        "num_steps",
        "num_threads",
        "cadence",
        "optimizer",
        "validation",
        "preview_prompts",
        "precision",
        "guard",
        "loading",
        "scale",
    )
)
"""Settings that a continued run may change; anything else would make it another run."""
LOCK_NAME = ".lock"


class RunTaken(ConfigError):
    """Another process trains in the folder; its status is not to be touched."""


def run_training(config: RunConfig, folder: Path, *, device: str = "auto") -> RunState:
    """Train from the newest checkpoint in `folder`, or from scratch; how the run then stands.

    Under torchrun every rank calls this with the same arguments. Raises EngineError; whatever it is, the folder's
    status says so too.
    """
    with joined(device) as ranks, _alone_in(folder, ranks):
        return _run(config, RunDir(folder), ranks)


def _run(config: RunConfig, run: RunDir, ranks: Ranks) -> RunState:
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
    reporter = Reporter(run, ranks, config.num_steps)
    step = max((checkpoint_step(folder) for folder in run.checkpoint_folders()), default=0)
    with closing(reporter):
        reporter.begin(step)
        try:
            config, trainable = opened_stage(config, run, ranks, reporter)
        except Exception as error:
            can_retry = not isinstance(error, EngineError)
            reporter.failed(step, str(error), can_retry=can_retry, advice=advice_for(error, config, ranks))
            raise
        return TrainingLoop(trainable, config, run, ranks, reporter).run()


def opened_stage(config: RunConfig, run: RunDir, ranks: Ranks, reporter: Reporter) -> tuple[RunConfig, Stage1 | Stage2]:
    """Data opened, settings completed by what it holds and written into the folder, networks made. Collective.

    Raises EngineError: settings that do not fit data or folder, data that cannot be read, weights that do not fit.
    """
    config = settled_precision(config, ranks.device)
    if config.init_from is not None:
        config = config.model_copy(update={"init_from": str(model_folder_of(config.init_from).resolve())})
    if ranks.size > config.batch_size:
        raise ConfigError(
            f"{config.batch_size} samples cannot be shared out to {ranks.size} processes", field="batch_size"
        )
    train, valid = _opened(config, ranks, reporter)
    config = _settled(config, run, train, valid, ranks)
    return config, _stage(_Parts(config, run, train, valid, ranks, reporter))


def settled_precision(config: RunConfig, device: torch.device) -> RunConfig:
    """`config` with the arithmetic chosen where that was left open."""
    if config.precision != "auto":
        return config
    return config.model_copy(update={"precision": "bf16" if has_fast_bf16(device) else "fp32"})


def _settled(config: RunConfig, run: RunDir, train: SampleSource, valid: SampleSource, ranks: Ranks) -> RunConfig:
    """The settings as they stand once the data is known, checked against the run's former ones and written down."""
    config = settled_condition(config, train)
    if config.validation.num_images > len(valid):
        validation = config.validation.model_copy(update={"num_images": len(valid)})
        config = config.model_copy(update={"validation": validation})
    ranks.barrier()  # all have read what was asked for
    if ranks.is_main:
        run.requested.unlink(missing_ok=True)
    _require_same_run(config, run)
    ranks.barrier()
    if ranks.is_main:
        write_json(run.config, config.model_dump(mode="json"))
        write_json(run.root / ENVIRONMENT_NAME, environment(ranks))
    return config


def _opened(config: RunConfig, ranks: Ranks, reporter: Reporter) -> tuple[SampleSource, SampleSource]:
    """Both sources; rank 0 first, so that whatever is made for them is made once."""
    sources: tuple[SampleSource, SampleSource] | None = None
    if ranks.is_main:
        sources = open_data(config.data, seed=config.seed, progress=_told("preparing the data", reporter))
    ranks.barrier()
    return sources or open_data(config.data, seed=config.seed)


@dataclass(frozen=True)
class _Parts:
    """What a stage is made of."""

    config: RunConfig
    run: RunDir
    train: SampleSource
    valid: SampleSource
    ranks: Ranks
    reporter: Reporter


def _stage(parts: _Parts) -> Stage1 | Stage2:
    stage: Stage1 | Stage2
    if parts.config.stage is Stage.STAGE1:
        stage = Stage1(parts.config, parts.train, parts.valid, ranks=parts.ranks)
    else:

        def feed(pipeline: Pipeline, encoder_hash: str, order: BatchOrder) -> BatchFeed:
            _require_same_encoder(parts, encoder_hash)
            return _latent_feed(parts, pipeline, encoder_hash, order)

        stage = Stage2(parts.config, parts.train, parts.valid, ranks=parts.ranks, feed_of=feed)
    for taken in stage.taken_over:
        parts.reporter.event("taken_over", 0, text=taken.summary())
        parts.reporter.line(taken.summary())
    return stage


def _require_same_encoder(parts: _Parts, encoder_hash: str) -> None:
    """A run that has begun on the latents of one encoder cannot go on with those of another in the same place."""
    run = parts.run
    if run.encoder.is_file() and run.checkpoint_folders() and read_json(run.encoder)["sha256"] != encoder_hash:
        raise ConfigError(
            f"{parts.config.init_from} holds another encoder than when {run.root} was begun; its latents mean "
            "something else. Use another run folder",
            field="init_from",
        )
    parts.ranks.barrier()
    if parts.ranks.is_main:
        write_json(run.encoder, {"sha256": encoder_hash})


def _latent_feed(parts: _Parts, pipeline: Pipeline, encoder_hash: str, order: BatchOrder) -> BatchFeed:
    """Rows of the cache, which is built first where it is not there; or samples through the encoder."""
    config, train, ranks = parts.config, parts.train, parts.ranks
    share = (ranks.rank, ranks.size)
    if config.latents.source == "encoder":
        pinned = ranks.device.type == "cuda"
        return EncodedFeed(BatchLoader(train, order, config.loading, share=share, pin_memory=pinned), pipeline)
    folder = Path(config.latents.folder) if config.latents.folder else parts.run.root / "latents"
    is_mirrored = isinstance(config.data, FileData) and config.data.flip
    rows = cached_latents(
        folder,
        pipeline,
        train,
        CacheSettings(encoder_hash, config.latents.storage, is_mirrored),
        sharing=Sharing(ranks.rank, ranks.size, ranks.barrier),
        progress=_told("encoding latents", parts.reporter, kind="latents"),
        num_workers=num_workers(config.loading, is_light=train.is_light, num_ranks=ranks.size),
    )
    return RowFeed(rows, train, order, share=share, seed=config.seed)


def _told(what: str, reporter: Reporter, *, kind: str | None = None) -> Callable[[int, int], None]:
    """A progress callback that speaks every few seconds and at the end."""
    last = [0.0]

    def tell(done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and now - last[0] < 5.0:
            return
        last[0] = now
        reporter.line(f"{what}: {done} of {total}")
        if kind is not None:
            reporter.event(kind, 0, done=done, total=total)

    return tell


@contextmanager
def _alone_in(folder: Path, ranks: Ranks) -> Iterator[None]:
    """The folder, held for this run alone; the system lets go of it when the process dies."""
    RunDir(folder).create()
    lock = FileLock(folder / LOCK_NAME)
    if ranks.is_main:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunTaken(
                f"{folder} is being trained by another process; wait for it, stop it (ul-train stop), or use another "
                "folder"
            ) from None
    try:
        ranks.barrier()
        yield
    finally:
        lock.release()


def _require_same_run(config: RunConfig, run: RunDir) -> None:
    if not run.config.exists() or not run.checkpoint_folders():
        return
    former = parse_config(read_json(run.config))
    if former.init_from is not None:
        former = former.model_copy(update={"init_from": str(Path(former.init_from).resolve())})
    if config.optimizer.kind != former.optimizer.kind:
        raise ConfigError(
            f"differs from the run in {run.root}, whose moments are another optimizer's", field="optimizer.kind"
        )
    for name in RunConfig.model_fields:
        if name not in MAY_CHANGE and getattr(config, name) != getattr(former, name):
            raise ConfigError(
                f"differs from the run in {run.root}; use another folder, or the run's own settings", field=name
            )


def environment(ranks: Ranks) -> dict[str, Any]:
    """What the run trains on: machine, versions, command. No variables of the environment: they may hold secrets."""
    device = ranks.device
    several = f"{ranks.size} x " if ranks.size > 1 else ""
    return {
        "machine": f"{several}{machine_text(device)}",
        "device": device.type,
        "device_memory_bytes": describe_device(device)[1],
        "num_ranks": ranks.size,
        "program": _program_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _program_version() -> str:
    try:
        return version("ul-studio")
    except PackageNotFoundError:
        return "not installed"
