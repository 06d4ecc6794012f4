"""``ul-train`` from start to end, in this process and as a child that is told to stop."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.nursery import Nursery
from tests.helpers.qt import wait_until
from tests.helpers.tiny_runs import run_config, run_data, saved_state, write_settings
from trainer.cli import main
from trainer.events import read_events
from trainer.recipes import recipe_names
from trainer.run_dir import RunDir, checkpoint_step, read_json, write_json
from ul_engine.checkpoint import load_model
from ul_engine.presets import MODEL_PRESETS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def recipe(scenes: Path, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(run_data(scenes, num_steps=2)))
    return path


def train(*words: Any) -> int:
    return main([str(word) for word in words])


def test_both_stages(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert train("stage1", "--config", recipe, "--out", one, "--device", "cpu") == 0
    words = ("--config", recipe, "--set", f"init_from={one / 'model'}", "--set", "num_steps=3")
    assert train("stage2", *words, "--out", two, "--device", "cpu") == 0
    printed = capsys.readouterr()
    assert "validation 0:" in printed.out
    assert "step 3/3" in printed.out
    _, manifest = load_model(two / "model", is_verified=True)
    assert manifest.can_generate
    assert manifest.can_reconstruct
    assert json.loads((two / "config.json").read_text())["stage"] == "stage2"
    assert json.loads((two / "environment.json").read_text())["torch"]


def test_a_dry_run_says_what_it_would_cost(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--config", recipe, "--out", tmp_path / "run", "--set", "optimizer.learning_rate=5e-4", "--device", "cpu")
    assert train("stage1", *words, "--dry-run") == 0
    printed = capsys.readouterr().out
    settings, _ = json.JSONDecoder().raw_decode(printed)
    assert settings["optimizer"]["learning_rate"] == 5e-4
    assert settings["stage"] == "stage1"
    assert not (tmp_path / "run").exists()


def test_list_of_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("recipe", "list") == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in lines] == list(dict.fromkeys((*recipe_names(), *MODEL_PRESETS)))
    assert all(sentence[0].isupper() and sentence.endswith(".") for _, sentence in lines)
    assert dict(lines)["photo-codec-low"] == "Encoder, prior and decoder for photographs of any size, at few bits."


@pytest.mark.parametrize("name", ["scenes-tiny", "tiny"])
@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_recipes_are_shown_as_yaml(name: str, stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("recipe", "show", name, "--stage", stage) == 0
    assert yaml.safe_load(capsys.readouterr().out)["stage"] == stage


def test_stage_2_follows_from_the_stage_1_run(recipe: Path, stage1_run: Path, tmp_path: Path) -> None:
    """Data, model and arithmetic come from the run; nothing has to be said twice."""
    small = (
        "cadence.log_every=1",
        "num_steps=2",
        "batch_size=4",
        "validation.num_images=2",
        "validation.bitrate_times=2",
    )
    words = [word for change in small for word in ("--set", change)]
    assert train("stage2", "--from", stage1_run, "--out", tmp_path / "two", "--device", "cpu", *words) == 0
    config = json.loads((tmp_path / "two" / "config.json").read_text())
    former = json.loads((stage1_run / "config.json").read_text())
    assert config["data"] == former["data"]
    assert config["precision"] == former["precision"]
    assert config["model"]["encoder"] == former["model"]["encoder"]
    assert config["model"]["conditioning"]["kind"] == "text"
    assert (tmp_path / "two" / "model" / "config.json").is_file()


def test_status_and_steering_of_a_run_that_is_over(stage1_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("status", stage1_run) == 0
    assert "finished at step 8 of 8" in capsys.readouterr().out
    assert train("status", stage1_run, "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    for command in ("stop", "pause", "save", "preview"):
        assert train(command, stage1_run) == 1
        assert "there is nobody to ask" in capsys.readouterr().out
    assert not list((stage1_run / "commands").iterdir())


def test_pinning_from_the_command_line(stage1_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunDir(tmp_path / "run")
    shutil.copytree(stage1_run, run.root)
    step = checkpoint_step(run.checkpoint_folders()[-1])
    assert train("pin", run.root, step) == 0
    assert "stays" in capsys.readouterr().out
    assert run.pinned_steps() == {step}
    assert train("pin", run.root, step, "--off") == 0
    assert run.pinned_steps() == frozenset()
    assert train("pin", run.root, step + 1) == 1
    assert "no such checkpoint" in capsys.readouterr().err


def test_status_of_a_killed_run_says_how_to_go_on(
    scenes: Path, tmp_path: Path, workers: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_settings(run_config(scenes, num_steps=100_000), tmp_path / "run")
    worker = workers.start(folder)
    wait_until(lambda: is_stepping(folder / "status.json"), timeout_s=60)
    assert train("status", folder) == 0
    assert f"running, step {read_json(folder / 'status.json')['step']}"[:7] in capsys.readouterr().out
    worker.kill()
    assert train("status", folder) == 0
    printed = capsys.readouterr().out
    assert "interrupted at step" in printed
    assert f"ul-train resume {folder}" in printed


def test_commands_reach_a_running_worker(
    scenes: Path, tmp_path: Path, workers: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_settings(run_config(scenes, num_steps=100_000), tmp_path / "run")
    worker = workers.start(folder)
    wait_until(lambda: is_stepping(folder / "status.json"), timeout_s=60)
    assert train("pause", folder) == 0
    assert worker.wait() == 0
    assert train("status", folder) == 0
    assert "paused at step" in capsys.readouterr().out
    step = read_json(folder / "status.json")["step"]
    assert train("resume", folder, "--device", "cpu", "--set", f"num_steps={step + 1}") == 0
    assert saved_state(folder)["step"] == step + 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--set", "num_steps=0"), "num_steps: "),
        (("--set", "num_steps"), "write it as key=value"),
        (("--set", "data.size_px=18"), "multiple"),
        (("--set", "init_from=nowhere"), "nowhere: there is no such folder"),
        (("--device", "toaster"), "is no device"),
    ],
)
def test_problems_are_one_line(
    recipe: Path, tmp_path: Path, words: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("stage1", "--config", recipe, "--out", tmp_path / "run", *words) == 1
    error = capsys.readouterr().err
    assert error.startswith("ul-train: ")
    assert error.count("\n") == 1
    assert reason in error


def test_no_recipe_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("stage1", "--config", tmp_path / "absent.yaml", "--out", tmp_path / "run") == 1
    assert "cannot be read" in capsys.readouterr().err
    assert train("recipe", "run", "scenes-4096") == 1
    assert "known: photo-codec-high, photo-codec-low, scenes, scenes-motion, scenes-tiny" in capsys.readouterr().err


def test_a_recipe_that_could_not_be_measured_says_so_before_it_trains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = ("--set", "model.video.context_frames=0")
    assert train("recipe", "run", "scenes-motion", "--runs", tmp_path / "runs", *changed) == 1
    assert "continues no clips" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def is_stepping(status: Path) -> bool:
    return status.exists() and read_json(status)["step"] > 0


@pytest.mark.stress
def test_a_child_told_to_stop_saves_and_goes_on(recipe: Path, scenes: Path, tmp_path: Path) -> None:
    """SIGTERM to a real process: it ends at once with exit code 3 and a state from which the run goes on."""
    out = tmp_path / "run"
    words = ["stage1", "--config", str(recipe), "--out", str(out), "--device", "cpu", "--set", "num_steps=100000"]
    with subprocess.Popen(
        [sys.executable, "-m", "trainer.cli", *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as child:
        wait_until(lambda: is_stepping(out / "status.json"), timeout_s=60, message="no status was written")
        status = read_json(out / "status.json")
        assert (status["state"], status["pid"]) == ("running", child.pid)
        child.send_signal(signal.SIGTERM)
        sent = time.monotonic()
        _, errors = child.communicate(timeout=30)
    assert child.returncode == 3, errors.decode()
    assert time.monotonic() - sent < 25  # a launcher kills after 30
    assert errors == b""
    status = read_json(out / "status.json")
    step = status["step"]
    assert status["state"] == "stopped"
    assert step > 0
    assert RunDir(out).checkpoint_folders()[-1].name == f"step-{step}"
    assert saved_state(out)["step"] == step
    assert read_events(out / "events.jsonl")[-1]["type"] == "run_stopped"
    assert train("stage1", "--config", recipe, "--out", out, "--device", "cpu", "--set", f"num_steps={step + 2}") == 0
    assert saved_state(out)["step"] == step + 2
    assert read_json(out / "status.json")["state"] == "finished"


def test_a_model_that_is_older_than_the_run_is_exported_anew(recipe: Path, tmp_path: Path) -> None:
    """What a kill between the last save and the export leaves of an extended run: a model of its former end."""
    run = RunDir(tmp_path / "run")
    command = ["stage1", "--config", str(recipe), "--out", str(run.root), "--device", "cpu"]
    assert main([*command, "--set", "num_steps=2"]) == 0
    shutil.copytree(run.model, tmp_path / "old")
    assert main(["resume", str(run.root), "--device", "cpu", "--set", "num_steps=3"]) == 0
    newer = (run.model / "encoder.safetensors").read_bytes()
    shutil.rmtree(run.model)
    shutil.copytree(tmp_path / "old", run.model)
    write_json(run.exported, {"step": 2})
    assert main(["resume", str(run.root), "--device", "cpu"]) == 0
    assert read_json(run.exported) == {"step": 3}
    assert (
        (run.model / "encoder.safetensors").read_bytes()
        == newer
        != (tmp_path / "old" / "encoder.safetensors").read_bytes()
    )


def test_another_optimizer_makes_another_run(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(["stage1", "--config", str(recipe), "--out", str(out), "--device", "cpu", "--set", "num_steps=2"]) == 0
    assert main(["resume", str(out), "--device", "cpu", "--set", "optimizer.kind=muon"]) == 1
    assert "optimizer.kind: differs" in capsys.readouterr().err
    assert main(["resume", str(out), "--device", "cpu", "--set", "num_steps=3"]) == 0
