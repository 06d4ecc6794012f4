"""Real worker processes that are stopped, paused and killed at any moment: what they come to is always the same."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.nursery import Nursery
from tests.helpers.qt import wait_until
from tests.helpers.tiny_runs import differences, events_of, run_config, saved_state, write_settings
from trainer.config import RunConfig
from trainer.launch import LaunchPlan, start, stop_group
from trainer.protocol import Command, RunStatus, request_command
from trainer.run_dir import RunDir
from trainer.train import run_training
from ul_engine.errors import ConfigError

EVERY_STEP = {"log_every": 1, "validate_every": 7, "preview_every": 11, "checkpoint_every": 1, "keep_checkpoints": 3}


def status_of(folder: Path) -> RunStatus:
    status = RunDir(folder).read_status()
    assert status is not None
    return status


def has_reached(folder: Path, step: int) -> bool:
    status = RunDir(folder).read_status()
    return status is not None and status.state == "running" and status.step >= step


def until_step(folder: Path, step: int) -> None:
    wait_until(lambda: has_reached(folder, step), timeout_s=60, message=f"step {step} of {folder} did not come")


def long_run(scenes: Path, folder: Path, **changes: Any) -> Path:
    """One that will not end by itself."""
    return write_settings(run_config(scenes, **({"num_steps": 100_000} | changes)), folder)


# ---- killed ---------------------------------------------------------------------------------------------------------


def killed_again_and_again(workers: Nursery, config: RunConfig, folder: Path, *, kills: int, seed: int) -> int:
    """Kill a run at random moments, then let it finish; how many checkpoints it had come to under way."""
    moments = random.Random(seed)
    write_settings(config, folder)
    seen = 0
    for _ in range(kills):
        worker = workers.start(folder)
        if moments.random() < 0.7:  # past the beginning, into the steps and saves
            newest = max((status_of(folder).step if RunDir(folder).status.exists() else 0), 0)
            deadline = time.monotonic() + 20
            while worker.poll() is None and not has_reached(folder, newest + 3) and time.monotonic() < deadline:
                time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.4))
        if worker.poll() is None:
            worker.kill()
        seen = max(seen, len(RunDir(folder).checkpoint_folders()))
    assert workers.start(folder).wait(120) == 0
    return seen


@pytest.mark.parametrize("stage", ["stage1", pytest.param("stage2", marks=pytest.mark.stress)])
def test_killed_at_any_moment(stage: str, scenes: Path, stage1_model: str, tmp_path: Path, workers: Nursery) -> None:
    """kill -9 while data are opened, in steps, while a checkpoint is written, while one is removed."""
    changes = {"init_from": stage1_model} if stage == "stage2" else {}
    config = run_config(scenes, stage, num_steps=12, cadence=EVERY_STEP, **changes)
    run_training(config, tmp_path / "whole", device="cpu")
    assert killed_again_and_again(workers, config, tmp_path / "run", kills=4, seed=1) > 0
    assert differences(saved_state(tmp_path / "whole"), saved_state(tmp_path / "run")) == []
    assert status_of(tmp_path / "run").state == "finished"
    assert len(RunDir(tmp_path / "run").checkpoint_folders()) <= 4


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(3))
def test_killed_very_often(scenes: Path, tmp_path: Path, workers: Nursery, seed: int) -> None:
    config = run_config(scenes, num_steps=30, precision="bf16", cadence=EVERY_STEP, guard__on_bad_step="rollback")
    run_training(config, tmp_path / "whole", device="cpu")
    killed_again_and_again(workers, config, tmp_path / "run", kills=8, seed=seed)
    assert differences(saved_state(tmp_path / "whole"), saved_state(tmp_path / "run")) == []


# ---- signals and commands -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", ["pause", *(pytest.param(how, marks=pytest.mark.stress) for how in ("SIGTERM", "stop"))]
)
def test_told_to_end_it_saves_and_goes_on(scenes: Path, tmp_path: Path, workers: Nursery, how: str) -> None:
    folder = long_run(scenes, tmp_path / "run")
    worker = workers.start(folder)
    until_step(folder, 2)
    sent = time.monotonic()
    if how == "SIGTERM":
        os.kill(worker.pid, signal.SIGTERM)
    else:
        request_command(folder, Command(how))
    assert worker.wait() == 0
    assert time.monotonic() - sent < 20  # a launcher kills after 30 s
    status, wanted = status_of(folder), "paused" if how == "pause" else "stopped"
    assert status.state == wanted
    assert events_of(folder)[-1]["type"] == f"run_{wanted}"
    names = [event["name"] for event in events_of(folder, "command")]
    assert names == (["stop"] if how == "SIGTERM" else [how])
    assert saved_state(folder)["step"] == status.step
    assert not list((folder / "commands").iterdir())
    whole = run_config(scenes, num_steps=status.step + 2)
    assert run_training(whole, folder, device="cpu") == "finished"
    assert saved_state(folder)["step"] == status.step + 2


def test_save_and_preview_now(scenes: Path, tmp_path: Path, workers: Nursery) -> None:
    folder = long_run(scenes, tmp_path / "run")
    worker = workers.start(folder)
    until_step(folder, 2)
    request_command(folder, Command.SAVE)
    wait_until(lambda: events_of(folder, "checkpoint"), timeout_s=30)
    request_command(folder, Command.PREVIEW)
    wait_until(lambda: len(events_of(folder, "preview")) == 2, timeout_s=30)
    until_step(folder, events_of(folder, "preview")[-1]["step"] + 1)  # it goes on
    assert not list((folder / "commands").iterdir())
    request_command(folder, Command.STOP)
    assert worker.wait() == 0
    commands = {event["name"]: event["step"] for event in events_of(folder, "command")}
    assert list(commands) == ["save", "preview", "stop"]
    assert events_of(folder, "checkpoint")[0]["step"] == commands["save"]
    preview = events_of(folder, "preview")[-1]
    assert preview["step"] == commands["preview"]
    assert (folder / "previews" / preview["file"]).is_file()


def test_commands_of_before_the_start_and_other_files_are_no_commands(scenes: Path, tmp_path: Path) -> None:
    folder = write_settings(run_config(scenes, num_steps=3), tmp_path / "run")
    for command in Command:
        request_command(folder, command)
    for name in ("halt", "stop.txt", ".stop-77"):
        (folder / "commands" / name).touch()
    (folder / "commands" / "notes").mkdir()
    assert run_training(run_config(scenes, num_steps=3), folder, device="cpu") == "finished"
    assert events_of(folder, "command") == []
    assert sorted(path.name for path in (folder / "commands").iterdir()) == [".stop-77", "halt", "notes", "stop.txt"]


def test_a_stop_that_comes_while_the_processes_load_is_not_forgotten(scenes: Path, tmp_path: Path) -> None:
    folder = long_run(scenes, tmp_path / "run")
    for command in (Command.PREVIEW, Command.STOP):
        request_command(folder, command)
        os.utime(folder / "commands" / command.value, (1.0, 1.0))  # of another run, long ago
    running = start(LaunchPlan(folder, device="cpu"))
    try:
        request_command(folder, Command.STOP)
        wait_until(lambda: not running.is_running(), timeout_s=120, message="the run did not stop")
    finally:
        stop_group(running)
    assert status_of(folder).state == "stopped"
    assert [event["name"] for event in events_of(folder, "command")] == ["stop"]


# ---- two at once ----------------------------------------------------------------------------------------------------


def test_a_second_trainer_is_refused(scenes: Path, tmp_path: Path, workers: Nursery) -> None:
    folder = long_run(scenes, tmp_path / "run")
    worker = workers.start(folder)
    until_step(folder, 1)
    with pytest.raises(ConfigError, match=r"is being trained by another process.*ul-train stop"):
        run_training(run_config(scenes, num_steps=100_000), folder, device="cpu")
    assert workers.start(folder).wait() == 1
    assert "is being trained by another process" in (folder / "console.log").read_text()
    assert (status_of(folder).state, status_of(folder).pid) == ("running", worker.pid)
    request_command(folder, Command.STOP)
    assert worker.wait() == 0
    assert status_of(folder).state == "stopped"


def test_the_folder_of_a_killed_trainer_is_free(scenes: Path, tmp_path: Path, workers: Nursery) -> None:
    folder = long_run(scenes, tmp_path / "run")
    worker = workers.start(folder)
    until_step(folder, 1)
    worker.kill()
    assert run_training(run_config(scenes, num_steps=1), folder, device="cpu") == "finished"
