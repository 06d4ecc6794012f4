"""A stopped and resumed run is the uninterrupted one, bit for bit; what a resumed run may change and what not."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.tiny_runs import (
    differences,
    events_of,
    interrupted_run,
    losses_of,
    run_config,
    saved_state,
)
from trainer.config import RunConfig
from trainer.protocol import Command, request_command
from trainer.run_dir import RunDir
from trainer.train import run_training
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def names(folder: Path) -> list[str]:
    return [path.name for path in RunDir(folder).checkpoint_folders()]


def check_equal(whole: Path, parts: Path) -> None:
    """The same state to the last bit, the same losses, the same model."""
    first, second = saved_state(whole), saved_state(parts)
    assert first["step"] == 8
    assert differences(first, second) == []
    assert read_manifest(whole / "model") == read_manifest(parts / "model")
    assert losses_of(whole) == losses_of(parts)
    assert sorted(losses_of(whole)) == list(range(1, 9))


@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.stress)])
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_resumed_equals_uninterrupted(
    stage: str, precision: str, scenes: Path, stage1_model: str, tmp_path: Path
) -> None:
    changes = {"init_from": stage1_model} if stage == "stage2" else {}
    config = run_config(scenes, stage, precision=precision, collapse__prior_gradient_ramp=1.0, **changes)
    assert run_training(config, tmp_path / "whole", device="cpu") == "finished"
    # SIGTERM before step 3: it is finished first
    assert interrupted_run(config, tmp_path / "parts", 3, terminate) == "stopped"
    assert names(tmp_path / "parts") == ["step-4"]
    status = RunDir(tmp_path / "parts").read_status()
    assert status is not None
    assert (status.state, status.step) == ("stopped", 4)
    assert not (tmp_path / "parts" / "model").exists()
    assert run_training(config, tmp_path / "parts", device="cpu") == "finished"
    check_equal(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.stress
@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer__kind": "muon", "optimizer__weight_decay": 0.1},
        {"scale__micro_batch": 3},
        {"scale__checkpoint_activations": True},
        {"guard__on_bad_step": "rollback"},
    ],
    ids=["muon", "micro-batches", "recomputed", "rollback"],
)
def test_other_ways_to_train_resume_exactly(scenes: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    config = run_config(scenes, **changes)
    run_training(config, tmp_path / "whole", device="cpu")
    ask = lambda: request_command(tmp_path / "parts", Command.PAUSE)  # noqa: E731
    assert interrupted_run(config, tmp_path / "parts", 4, ask) == "paused"
    assert run_training(config, tmp_path / "parts", device="cpu") == "finished"
    check_equal(tmp_path / "whole", tmp_path / "parts")


def test_runs_repeat_and_seeds_differ(scenes: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run_training(run_config(scenes, num_steps=2, seed=seed), tmp_path / name, device="cpu")
    first, again, other = (saved_state(tmp_path / name) for name in "abc")
    assert differences(first, again) == []
    assert len(differences(first, other)) > 20


@pytest.mark.stress
def test_saving_behind_the_training_saves_the_step_it_was_asked_for(scenes: Path, tmp_path: Path) -> None:
    """The copy is made at once: what is written while the next steps change the weights is not touched by them."""
    run_training(
        run_config(scenes, cadence={"checkpoint_every": 1, "keep_checkpoints": 9}), tmp_path / "a", device="cpu"
    )
    for step in (3, 6):
        config = run_config(scenes, num_steps=8)
        assert interrupted_run(config, tmp_path / str(step), step - 1, terminate) == "stopped"
        assert differences(saved_state(tmp_path / "a", step), saved_state(tmp_path / str(step), step)) == []


def test_a_crash_loses_only_what_came_after_the_last_checkpoint(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, cadence__checkpoint_every=2)
    run_training(config, tmp_path / "whole", device="cpu")

    def crash() -> None:
        raise SystemError("the power failed")

    with pytest.raises(SystemError):
        interrupted_run(config, tmp_path / "parts", 5, crash)
    assert names(tmp_path / "parts") == ["step-2", "step-4"]
    assert run_training(config, tmp_path / "parts", device="cpu") == "finished"
    check_equal(tmp_path / "whole", tmp_path / "parts")


def test_other_settings_make_another_run(scenes: Path, tmp_path: Path) -> None:
    run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    for name, value in {"batch_size": 8, "seed": 3, "ema_decay": 0.5, "model__pixel_std": 0.6}.items():
        with pytest.raises(ConfigError, match=f"^{name.split('__')[0]}: differs"):
            run_training(run_config(scenes, num_steps=2, **{name: value}), tmp_path / "run", device="cpu")


# Once: a start that was refused wrote "failed at step 0" over what the run had come to.
def test_a_refused_start_does_not_forget_how_far_the_run_came(scenes: Path, tmp_path: Path) -> None:
    run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    with pytest.raises(ConfigError):
        run_training(run_config(scenes, num_steps=2, seed=5), tmp_path / "run", device="cpu")
    status = RunDir(tmp_path / "run").read_status()
    assert status is not None
    assert status.step == 2


def test_a_finished_run_can_be_extended(scenes: Path, tmp_path: Path) -> None:
    assert run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu") == "finished"
    assert run_training(run_config(scenes, num_steps=4), tmp_path / "run", device="cpu") == "finished"
    assert saved_state(tmp_path / "run")["step"] == 4


# Once: the loop restores the optimizer's whole groups, so a changed weight decay or betas, which MAY_CHANGE
# allows, are silently those of the checkpoint.
@pytest.mark.stress
@pytest.mark.parametrize("change", [{"optimizer__weight_decay": 0.5}, {"optimizer__betas": (0.5, 0.6)}])
def test_changed_optimizer_settings_take_effect(scenes: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    run_training(run_config(scenes, num_steps=2), tmp_path / "same", device="cpu")
    shutil.copytree(tmp_path / "same", tmp_path / "changed")
    run_training(run_config(scenes, num_steps=5), tmp_path / "same", device="cpu")
    run_training(run_config(scenes, num_steps=5, **change), tmp_path / "changed", device="cpu")
    assert differences(saved_state(tmp_path / "same"), saved_state(tmp_path / "changed")) != []


# Once: starting a finished run again (as `ul-train recipe run` does with Stage 1 when Stage 2 was stopped)
# exports the model once more, without its figures.
def test_a_finished_run_started_again_keeps_its_model(scenes: Path, tmp_path: Path) -> None:
    config: RunConfig = run_config(scenes, num_steps=2)
    run_training(config, tmp_path / "run", device="cpu")
    before = read_manifest(tmp_path / "run" / "model")
    assert before.calibration
    events = len(events_of(tmp_path / "run"))
    assert run_training(config, tmp_path / "run", device="cpu") == "finished"
    assert read_manifest(tmp_path / "run" / "model") == before
    assert len(events_of(tmp_path / "run")) == events


# Once: a run told to stop after its last step was called stopped, without its last validation and preview.
def test_a_stop_at_the_last_step_finishes_the_run(scenes: Path, tmp_path: Path) -> None:
    assert interrupted_run(run_config(scenes, num_steps=3), tmp_path / "run", 2, terminate) == "finished"
    assert [event["step"] for event in events_of(tmp_path / "run", "validation")] == [0, 3]
    assert (tmp_path / "run" / "model").is_dir()
