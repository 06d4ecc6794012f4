"""Measure any checkpoint of a run on its held-out samples, and export it as a model."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.checkpoints import Checkpoints, Retention
from trainer.config import RunConfig, Stage, parse_config
from trainer.data.opening import open_data
from trainer.latent_feed import NoFeed
from trainer.ranks import single
from trainer.run_dir import RunDir, checkpoint_step, read_json, write_json
from trainer.stage1 import Stage1
from trainer.stage2 import Stage2
from trainer.states import TrainingState
from trainer.trainable import full_averages
from ul_engine.devices import pick_device
from ul_engine.ema import EMA
from ul_engine.errors import CheckpointError

EVALUATION_NAME = "evaluation.json"


@dataclass(frozen=True)
class Measurement:
    """What is measured: of which checkpoint (None: the newest), on how many held-out samples, how finely. None: as the
    run's own validation."""

    checkpoint: int | None = None
    num_images: int | None = None
    decoder_steps: int | None = None
    bitrate_times: int | None = None


def evaluate_run(
    folder: Path, wanted: Measurement, *, device: str = "auto", export: Path | None = None
) -> dict[str, Any]:
    """Figures of the averaged weights, also written to ``evaluation.json`` of the run; `export` writes them as a model
    folder too. The run itself is not touched and may be training meanwhile.

    Raises CheckpointError where there is no such checkpoint, DataError, OutputError.
    """
    run = RunDir(folder)
    config = _with(parse_config(read_json(run.config)), wanted)
    ranks = single(pick_device(device))
    train, valid = open_data(config.data, seed=config.seed)
    config = _with(config, Measurement(num_images=min(config.validation.num_images, len(valid))))
    stage: Stage1 | Stage2
    if config.stage is Stage.STAGE1:
        stage = Stage1(config, train, valid, ranks=ranks)
    else:
        stage = Stage2(config, train, valid, ranks=ranks, feed_of=lambda *_: NoFeed())
    with closing(stage.feed):
        state = TrainingState(stage.module, EMA(stage.module, config.ema_decay), [])  # no moments: nothing is trained
        checkpoints = Checkpoints(run, state, ranks, Retention(1, False, 0), report=_unheard, say=_unsaid)
        step = _newest(run) if wanted.checkpoint is None else wanted.checkpoint
        checkpoints.restore_step(step)
        averages = full_averages(state.ema)
        figures = stage.validate(averages)
        if export is not None:
            stage.export(averages, export, figures)
    result = {"step": step, "settings": config.validation.model_dump(mode="json"), "figures": figures}
    write_json(run.root / EVALUATION_NAME, result)
    return result


def _newest(run: RunDir) -> int:
    folders = run.checkpoint_folders()
    if not folders:
        raise CheckpointError("this run has no checkpoint yet", path=run.root)
    return checkpoint_step(folders[-1])


def _with(config: RunConfig, wanted: Measurement) -> RunConfig:
    asked: Mapping[str, int | None] = {
        "num_images": wanted.num_images,
        "decoder_steps": wanted.decoder_steps,
        "bitrate_times": wanted.bitrate_times,
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    return config.model_copy(update={"validation": config.validation.model_copy(update=changes)})


def _unheard(kind: str, step: int, **values: Any) -> None:
    """Nothing is reported: no checkpoint is written here."""


def _unsaid(text: str) -> None:
    """Nothing is said either."""
