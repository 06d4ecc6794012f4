"""A stopped and resumed run is the uninterrupted one, bit for bit; what a resumed run may change and what not."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.tiny_runs import differences, run_config, saved_state, sources
from trainer.config import RunConfig
from trainer.events import read_events
from trainer.loop import StepLoss, Trainable, TrainingLoop
from trainer.run_dir import RunDir, read_json, write_json
from trainer.train import _stage, run_training
from ul_engine.devices import pick_device
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest


class Interrupted:
    """The real stage, with something happening just before the loss of one step."""

    def __init__(self, stage: Trainable, at: int, action: Callable[[], object]) -> None:
        self._stage, self._at, self._action = stage, at, action

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def loss(self, step: int) -> StepLoss:
        if step == self._at:
            self._action()
        return self._stage.loss(step)


def interrupted_run(config: RunConfig, folder: Path, at: int, action: Callable[[], object]) -> bool:
    """Train in `folder` with `action` before step `at`."""
    run = RunDir(folder)
    run.create()
    write_json(run.config, config.model_dump(mode="json"))
    stage = _stage(config, run, *sources(config), pick_device("cpu"))
    return TrainingLoop(Interrupted(stage, at, action), config, run).run()


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_resumed_equals_uninterrupted(
    stage: str, precision: str, scenes: Path, stage1_model: str, tmp_path: Path
) -> None:
    changes = {"init_from": stage1_model} if stage == "stage2" else {}
    config = run_config(scenes, stage, precision=precision, collapse__prior_gradient_ramp=1.0, **changes)
    assert run_training(config, tmp_path / "whole", device="cpu")
    assert not interrupted_run(config, tmp_path / "parts", 3, terminate)  # SIGTERM before step 3: it is finished first
    assert [path.name for path in RunDir(tmp_path / "parts").checkpoint_files()] == ["step-4.pt"]
    assert read_json(tmp_path / "parts" / "status.json")["state"] == "stopped"
    assert not (tmp_path / "parts" / "model").exists()
    assert run_training(config, tmp_path / "parts", device="cpu")
    whole, parts = saved_state(tmp_path / "whole"), saved_state(tmp_path / "parts")
    assert whole["/step"] == 8
    assert differences(whole, parts) == []
    manifests = [read_manifest(tmp_path / name / "model") for name in ("whole", "parts")]
    assert manifests[0] == manifests[1]
    losses = [
        {
            event["step"]: event["loss"]
            for event in read_events(tmp_path / name / "events.jsonl")
            if event["type"] == "step"
        }
        for name in ("whole", "parts")
    ]
    assert losses[0] == losses[1]
    assert sorted(losses[0]) == list(range(1, 9))


def test_runs_repeat_and_seeds_differ(scenes: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run_training(run_config(scenes, num_steps=2, seed=seed), tmp_path / name, device="cpu")
    first, again, other = (saved_state(tmp_path / name) for name in "abc")
    assert differences(first, again) == []
    assert len(differences(first, other)) > 20


def test_a_crash_loses_only_what_came_after_the_last_checkpoint(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, cadence__checkpoint_every=2)
    run_training(config, tmp_path / "whole", device="cpu")

    def crash() -> None:
        raise SystemError("the power failed")

    with pytest.raises(SystemError):
        interrupted_run(config, tmp_path / "parts", 5, crash)
    assert [path.name for path in RunDir(tmp_path / "parts").checkpoint_files()] == ["step-2.pt", "step-4.pt"]
    assert run_training(config, tmp_path / "parts", device="cpu")
    assert differences(saved_state(tmp_path / "whole"), saved_state(tmp_path / "parts")) == []


def test_other_settings_make_another_run(scenes: Path, tmp_path: Path) -> None:
    run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    for name, value in {"batch_size": 8, "seed": 3, "ema_decay": 0.5, "model__pixel_std": 0.6}.items():
        with pytest.raises(ConfigError, match=f"^{name.split('__')[0]}: differs"):
            run_training(run_config(scenes, num_steps=2, **{name: value}), tmp_path / "run", device="cpu")


def test_a_finished_run_can_be_extended(scenes: Path, tmp_path: Path) -> None:
    assert run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    assert run_training(run_config(scenes, num_steps=4), tmp_path / "run", device="cpu")
    assert saved_state(tmp_path / "run")["/step"] == 4


# Once: the loop restores the optimizer's whole groups, so a changed weight decay or betas, which MAY_CHANGE
# allows, are silently those of the checkpoint.
@pytest.mark.parametrize("change", [{"optimizer__weight_decay": 0.5}, {"optimizer__betas": (0.5, 0.6)}])
def test_changed_optimizer_settings_take_effect(scenes: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    for name in ("same", "changed"):
        run_training(run_config(scenes, num_steps=2), tmp_path / name, device="cpu")
    run_training(run_config(scenes, num_steps=5), tmp_path / "same", device="cpu")
    run_training(run_config(scenes, num_steps=5, **change), tmp_path / "changed", device="cpu")
    assert differences(saved_state(tmp_path / "same"), saved_state(tmp_path / "changed")) != []


# Once: starting a finished run again (as `ul-train recipe run` does with Stage 1 when Stage 2 was stopped)
# exports the model once more, without its figures.
def test_a_finished_run_started_again_keeps_its_model(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, num_steps=2)
    run_training(config, tmp_path / "run", device="cpu")
    before = read_manifest(tmp_path / "run" / "model")
    assert before.calibration
    assert run_training(config, tmp_path / "run", device="cpu")
    assert read_manifest(tmp_path / "run" / "model") == before
