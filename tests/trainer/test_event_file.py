"""The event file: its schema, torn lines, and values that JSON does not know; the status beside it."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.helpers.tiny_runs import run_config
from trainer.events import EventWriter, read_events
from trainer.run_dir import RunDir, read_json
from trainer.train import run_training
from ul_engine.errors import CheckpointError


def test_schema_of_a_real_run(stage1_run: Path) -> None:
    lines = (stage1_run / "events.jsonl").read_text().splitlines()
    events = read_events(stage1_run / "events.jsonl")
    assert len(events) == len(lines)
    for event in events:
        assert event["v"] == 1
        assert isinstance(event["type"], str)
        assert isinstance(event["step"], int)
        assert abs(event["time"] - time.time()) < 3600
    kinds = [event["type"] for event in events]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"
    assert events[0]["num_steps"] == 8
    steps = [event for event in events if event["type"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 9))
    for event in steps:
        assert event["images_seen"] == 4 * event["step"]
        assert {
            "loss",
            "gradient_norm",
            "learning_rate",
            "step_s",
            "images_per_s",
            "prior_bits_per_pixel",
            "decoder_bits_per_pixel",
            "latent_std",
        } <= event.keys()
    validations = [event for event in events if event["type"] == "validation"]
    assert [event["step"] for event in validations] == [0, 8]  # the baseline and the end
    for event in validations:
        assert {
            "bits_per_pixel",
            "bits_per_dim",
            "psnr_db",
            "psnr_shuffled_db",
            "shuffle_gap_db",
            "ssim",
        } <= event.keys()
        assert event["shuffle_gap_db"] == pytest.approx(event["psnr_db"] - event["psnr_shuffled_db"])
    for event in events:
        if event["type"] == "preview":
            assert (stage1_run / "previews" / event["file"]).is_file()
    assert [event["step"] for event in events if event["type"] == "preview"] == [0, 8]
    assert [event["file"] for event in events if event["type"] == "checkpoint"] == ["step-8.pt"]


def test_status_of_a_finished_run(stage1_run: Path) -> None:
    status = read_json(stage1_run / "status.json")
    assert status["state"] == "finished"
    assert (status["step"], status["num_steps"]) == (8, 8)
    assert status["pid"] == os.getpid()
    assert abs(status["heartbeat"] - time.time()) < 3600


def test_how_often_things_happen(scenes: Path, tmp_path: Path) -> None:
    cadence = {"log_every": 3, "validate_every": 4, "preview_every": 6, "checkpoint_every": 2, "keep_checkpoints": 3}
    run_training(run_config(scenes, cadence=cadence), tmp_path / "run", device="cpu")
    events = read_events(tmp_path / "run" / "events.jsonl")

    def steps(kind: str) -> list[int]:
        return [event["step"] for event in events if event["type"] == kind]

    assert steps("step") == [3, 6]
    assert steps("validation") == [0, 4, 8]
    assert steps("preview") == [0, 6, 8]
    assert sorted(set(steps("checkpoint"))) == [2, 4, 6, 8]
    names = [path.name for path in RunDir(tmp_path / "run").checkpoint_files()]
    assert names == ["step-4.pt", "step-6.pt", "step-8.pt"]


def test_resuming_appends(scenes: Path, tmp_path: Path) -> None:
    run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    first = (tmp_path / "run" / "events.jsonl").read_text()
    run_training(run_config(scenes, num_steps=3), tmp_path / "run", device="cpu")
    whole = (tmp_path / "run" / "events.jsonl").read_text()
    assert whole.startswith(first)
    started = [event for event in read_events(tmp_path / "run" / "events.jsonl") if event["type"] == "run_started"]
    assert [event["step"] for event in started] == [0, 2]


@pytest.mark.parametrize("torn", ['{"v": 1, "type": "st', '{"v": 1}', "7", "", "null", '"text"'])
def test_a_torn_line_spoils_only_itself(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    writer.write("step", 1, loss=2.0)
    writer.close()
    with path.open("a") as stream:
        stream.write(torn)
    writer = EventWriter(path)
    writer.write("step", 2, loss=1.0)
    writer.close()
    assert [(event["step"], event["loss"]) for event in read_events(path)] == [(1, 2.0), (2, 1.0)]


def test_values_that_are_not_finite_become_null(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "events.jsonl")
    writer.write("step", 1, loss=float("nan"), rate=float("inf"), count=3, name="ü")
    writer.close()
    (event,) = read_events(tmp_path / "events.jsonl")
    assert (event["loss"], event["rate"], event["count"], event["name"]) == (None, None, 3, "ü")
    json.loads((tmp_path / "events.jsonl").read_text(), parse_constant=pytest.fail)


def test_an_event_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "events.jsonl")
    writer.write("step", 1)
    assert len(read_events(tmp_path / "events.jsonl")) == 1
    writer.close()


def test_broken_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"status\.json: is not valid JSON"):
        read_json(tmp_path / "status.json")
    with pytest.raises(CheckpointError, match=r"absent\.json: cannot be read"):
        read_json(tmp_path / "absent.json")
