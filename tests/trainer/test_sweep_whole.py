"""A whole sweep through the command line: killed, continued, reported, never repeating what is finished."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.tiny_runs import NUM_VALID, run_data
from trainer.events import read_events
from trainer.sweep.definition import parse_sweep
from trainer.sweep.folders import PointFolder, prepare_point
from trainer.sweep.points import points_of
from ul_engine.errors import ConfigError

LOSS_FACTOR = "model.decoder_loss.loss_factor"
ROOT = Path(__file__).parents[2]


def sweep_data(scenes: Path, **changes: Any) -> dict[str, Any]:
    few = {"num_samples": NUM_VALID, "num_generated": NUM_VALID, "decoder_steps": 1, "base_steps": 1}
    measure = few | {"bitrate_times": 2, "num_gap_samples": 2}
    stage1 = run_data(scenes, num_steps=80, cadence__checkpoint_every=10)
    data = {"name": "Whole", "stage1": stage1, "stage2": {"num_steps": 4}, "measure": measure}
    return data | {"axes": {LOSS_FACTOR: [2, 4.5]}} | changes


def start(file: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "trainer.cli", "sweep", str(file), "--device", "cpu", *more]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finished(file: Path, *more: str) -> tuple[int, str, str]:
    process = start(file, *more)
    out, err = process.communicate(timeout=400)
    return process.returncode, out, err


def wait_for(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_point_begun_with_other_settings_is_refused(scenes: Path, tmp_path: Path) -> None:
    def prepared(**changes: Any) -> None:
        for point in points_of(parse_sweep(sweep_data(scenes, **changes)), tmp_path):
            folder = prepare_point(point, {})
            (folder.root / "stage1").mkdir(exist_ok=True)

    prepared()
    prepared(stage1=run_data(scenes, num_steps=80, cadence__log_every=3))  # changes no figure
    with pytest.raises(ConfigError, match=r"^num_steps: .*loss-factor-2 was begun with another value"):
        prepared(stage1=run_data(scenes, num_steps=81))


@pytest.mark.stress
def test_a_sweep_survives_a_stop_and_a_kill_and_repeats_nothing(scenes: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "sweep.yaml", tmp_path / "out"
    variants = {"broken": {"stage1.init_from": str(tmp_path / "nowhere")}}
    file.write_text(yaml.safe_dump(sweep_data(scenes, variants=variants, stage2=None)))
    given = ("--out", str(out), "--workers", "2")
    events = out / "loss-factor-2" / "stage1" / "events.jsonl"

    def has_stepped(times: int) -> bool:
        found = read_events(events) if events.exists() else []
        is_running = sum(event["type"] == "run_started" for event in found) == times
        return is_running and found[-1]["type"] == "step"

    sweep = start(file, *given)
    wait_for(lambda: has_stepped(1))
    sweep.send_signal(signal.SIGTERM)
    sweep.communicate(timeout=120)
    assert sweep.returncode == 3
    assert "stopped" in {PointFolder(out / name).read_state()["state"] for name in ("loss-factor-2", "loss-factor-4.5")}
    sweep = start(file, *given)
    wait_for(lambda: has_stepped(2))
    os.kill(sweep.pid, signal.SIGKILL)
    sweep.communicate()
    code, shown, said = finished(file, *given)
    assert code == 1, said
    assert "broken: stage1 failed" in said
    results = {name: out / name / "result.json" for name in ("loss-factor-2", "loss-factor-4.5")}
    assert all(result.is_file() for result in results.values())
    assert "broken" in shown
    before = {name: result.stat().st_mtime_ns for name, result in results.items()}
    starts = [event["step"] for event in read_events(events) if event["type"] == "run_started"]
    assert starts == sorted(starts)
    code, _, said = finished(file, *given, "--only", "2", "--only", "4.5")
    assert (code, said) == (0, "")
    assert {name: result.stat().st_mtime_ns for name, result in results.items()} == before
    report = json.loads((out / "sweep.json").read_text())
    assert [point["state"] for point in report["points"]] == ["done", "done", "failed"]
    code, _, said = finished(file, *given, "--set", "batch_size=2")
    assert code == 1
    assert "batch_size: " in said
