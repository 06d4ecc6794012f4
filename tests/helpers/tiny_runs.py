"""Real training runs of a second or less: tiny networks on a handful of 16-pixel scenes."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load

from tests.helpers.tiny import text_conditioning, tiny_config
from trainer.config import RunConfig, Stage, parse_config
from trainer.data.order import BatchOrder
from trainer.data.scenes import SceneSamples, open_scenes
from trainer.events import read_events
from trainer.figures import FigureSums
from trainer.latent_cache import CacheSettings, cached_latents
from trainer.latent_feed import RowFeed
from trainer.loop import TrainingLoop
from trainer.noise import Piece
from trainer.protocol import RunState
from trainer.ranks import single
from trainer.reporting import Reporter
from trainer.run_dir import RunDir, write_json
from trainer.stage1 import Stage1
from trainer.stage2 import Stage2
from trainer.train import opened_stage
from trainer.trainable import BatchFeed, LossCall, Trainable, full_averages
from ul_engine.data.scenes.cache import build_cache
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS
from ul_engine.ema import EMA
from ul_engine.pipelines import Pipeline

NUM_TRAIN, NUM_VALID, SIZE_PX = 24, 6, 16
SCENE_WORDS = tuple(dict.fromkeys(word for words in ATTRIBUTE_WORDS.values() for word in words))


def build_scenes(root: Path) -> Path:
    """Render both parts in this process, where `open_scenes` will look for them."""
    for seed, count in ((1, NUM_TRAIN), (2, NUM_VALID), (3, NUM_TRAIN)):
        build_cache(root / f"scenes-{SIZE_PX}px-seed{seed}-{count}", seed=seed, count=count, size_px=SIZE_PX)
    return root


def run_data(scenes: Path, stage: str = "stage1", **changes: Any) -> dict[str, Any]:
    """Settings of a run of 8 steps as plain data; `changes` by dotted name with `__` for the dot."""
    model = tiny_config(
        conditioning=text_conditioning(vocabulary=(*SCENE_WORDS, "a", "an", "on", "under", "floor", "sky"))
    )
    data: dict[str, Any] = {
        "stage": stage,
        "model": model.model_dump(mode="json"),
        "data": {
            "kind": "scenes",
            "size_px": SIZE_PX,
            "num_train": NUM_TRAIN,
            "num_valid": NUM_VALID,
            "cache": str(scenes),
        },
        "num_steps": 8,
        "batch_size": 4,
        "precision": "fp32",
        "ema_decay": 0.9,
        "optimizer": {"warmup_steps": 2},
        "cadence": {"log_every": 1, "validate_every": 100, "preview_every": 100, "checkpoint_every": 100},
        "validation": {"num_images": 3, "decoder_steps": 1, "bitrate_times": 2},
    }
    data["model"]["decoder"]["dropout"] = data["model"]["base"]["dropout"] = 0.1  # so that the global noise matters
    for name, value in changes.items():
        *parents, leaf = name.split("__")
        section = data
        for parent in parents:
            section = section.setdefault(parent, {})
        section[leaf] = value
    return data


def run_config(scenes: Path, stage: str = "stage1", **changes: Any) -> RunConfig:
    return parse_config(run_data(scenes, stage, **changes))


def sources(config: RunConfig) -> tuple[SceneSamples, SceneSamples]:
    return open_scenes(config.data)


def saved_state(folder: Path, step: int | None = None) -> dict[str, Any]:
    """The newest checkpoint of a run, or that of `step`: tensors by dotted name, and the numbers beside them."""
    run = RunDir(folder)
    return checkpoint_content(run.checkpoint_folders()[-1] if step is None else run.checkpoint_folder(step))


def checkpoint_content(folder: Path) -> dict[str, Any]:
    """A checkpoint read by torch alone, without any of the trainer's own code."""
    reader = FileSystemReader(folder)
    stored = reader.read_metadata().state_dict_metadata
    tensors: dict[str, Any] = {
        name: torch.empty(kind.size, dtype=kind.properties.dtype)
        for name, kind in stored.items()
        if isinstance(kind, TensorStorageMetadata)
    }
    assert tensors.keys() == stored.keys()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        load(tensors, storage_reader=reader, no_dist=True)
    numbers = json.loads((folder / "checkpoint.json").read_text())
    return tensors | {name: numbers[name] for name in ("step", "ema_updates", "skipped")}


def stage_of(config: RunConfig, folder: Path | None = None) -> Stage1 | Stage2:
    """The stage as a run of one process on the CPU makes it; Stage 2 needs a `folder` for its latents."""
    ranks = single(torch.device("cpu"))
    train, valid = sources(config)
    if config.stage is Stage.STAGE1:
        return Stage1(config, train, valid, ranks=ranks)
    assert folder is not None

    def feed(pipeline: Pipeline, encoder_hash: str, order: BatchOrder) -> BatchFeed:
        settings = CacheSettings(encoder_hash, config.latents.storage, False)
        rows = cached_latents(folder, pipeline, train, settings)
        return RowFeed(rows, train, order, share=(0, 1), seed=config.seed)

    return Stage2(config, train, valid, ranks=ranks, feed_of=feed)


def loss_at(stage: Stage1 | Stage2, step: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss per value and sums of figures of the whole batch of a step, mean over the batch, as the loop takes it."""
    stage.feed.start([step])
    batch = stage.feed.next()
    size = stage.config.batch_size
    stage.module.train()
    loss, sums = stage.loss(stage.loss_module, batch, slice(0, size), Piece(step, step, 0, size, size))
    return loss / size, sums


def figures_at(stage: Stage1 | Stage2, step: int) -> dict[str, Any]:
    """Figures of one step as they are logged."""
    sums = FigureSums()
    sums.add(loss_at(stage, step)[1])
    return stage.figures(sums.means(stage.ranks))


def weights_of(stage: Stage1 | Stage2) -> dict[str, Tensor]:
    """Averages at their start: the weights themselves, as they are now."""
    return full_averages(EMA(stage.module, 0.9))


class Watched:
    """A real stage that notes which samples make up each step, calls `before` ahead of a step's loss, and multiplies
    the loss of a data step by `factor`."""

    def __init__(
        self,
        stage: Trainable,
        before: Callable[[Piece], object] = lambda piece: None,
        factor: Callable[[int], float] = lambda data_step: 1.0,
    ) -> None:
        self._stage, self._before, self._factor = stage, before, factor
        self.seen: list[tuple[int, tuple[int, ...]]] = []
        """Step and samples of every micro-batch."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def loss(self, call: LossCall, batch: Any, rows: slice, piece: Piece) -> tuple[Tensor, dict[str, Tensor]]:
        if rows.start == 0:
            self._before(piece)
        self.seen.append((piece.step, tuple(batch.indices[rows].tolist())))
        loss, sums = self._stage.loss(call, batch, rows, piece)
        return loss * self._factor(piece.data_step), sums


@contextmanager
def watched_loop(config: RunConfig, folder: Path, **watching: Any) -> Iterator[tuple[TrainingLoop, Watched]]:
    """The loop of a run in this process, ready to run, and its stage; see `Watched` for `watching`."""
    run, ranks = RunDir(folder), single(torch.device("cpu"))
    run.create()
    reporter = Reporter(run, ranks, config.num_steps)
    try:
        config, stage = opened_stage(config, run, ranks, reporter)
        watched = Watched(stage, **watching)
        yield TrainingLoop(watched, config, run, ranks, reporter), watched
    finally:
        reporter.close()


def interrupted_run(config: RunConfig, folder: Path, at: int, action: Callable[[], object]) -> RunState:
    """Train in `folder` with `action` before step `at`, as `run_training` does in one process."""
    with watched_loop(config, folder, before=lambda piece: action() if piece.step == at else None) as (loop, _):
        return loop.run()


def write_settings(config: RunConfig, folder: Path) -> Path:
    """A run folder that a worker can be started on."""
    run = RunDir(folder)
    run.create()
    write_json(run.config, config.model_dump(mode="json"))
    return folder


def events_of(folder: Path, kind: str | None = None) -> list[dict[str, Any]]:
    """Events of rank 0, all or those of one type; none before the run has begun."""
    if not RunDir(folder).events.exists():
        return []
    return [event for event in read_events(RunDir(folder).events) if kind in (None, event["type"])]


def losses_of(folder: Path) -> dict[int, float]:
    """Logged loss by step; where a step was done again, the last one."""
    return {event["step"]: event["loss"] for event in events_of(folder, "step")}


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Names whose values are not the same to the last bit."""
    assert first.keys() == second.keys()
    return [
        name
        for name, value in first.items()
        if not (torch.equal(value, second[name]) if isinstance(value, Tensor) else value == second[name])
    ]
