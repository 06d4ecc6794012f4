"""What a run writes beside its states: events and their schema, TensorBoard, console, status, previews; no secrets."""

import json
import math
import os
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from PIL import Image

from tests.helpers.nursery import Nursery
from tests.helpers.qt import wait_until
from tests.helpers.tiny_runs import events_of, run_config, write_settings
from trainer import protocol, reporting
from trainer.events import EventWriter, read_events
from trainer.protocol import RunStatus
from trainer.ranks import single
from trainer.reporting import Reporter
from trainer.run_dir import RunDir, is_alive, read_json
from trainer.train import run_training
from ul_engine.errors import CheckpointError

STEP_FIGURES = {
    "images_seen",
    "loss",
    "gradient_norm",
    "learning_rate",
    "step_s",
    "images_per_s",
    "data_wait_share",
    "host_memory_mb",
    "prior_bits_per_pixel",
    "decoder_bits_per_pixel",
    "terminal_bits_per_pixel",
    "prior_band_bits",
    "decoder_band_bits",
    "latent_mean",
    "latent_std",
}
VALIDATION_FIGURES = {
    "images_seen",
    "bits_per_pixel",
    "bits_per_dim",
    "psnr_db",
    "psnr_shuffled_db",
    "shuffle_gap_db",
    "ssim",
    "latent_std",
    "loss_bits_per_pixel",
}
FRAME = {"v", "time", "type", "step"}


def test_schema_of_a_real_run(stage1_run: Path) -> None:
    lines = (stage1_run / "events.jsonl").read_text().splitlines()
    events = events_of(stage1_run)
    assert len(events) == len(lines)
    for event in events:
        assert event["v"] == 2
        assert isinstance(event["type"], str)
        assert isinstance(event["step"], int)
        assert abs(event["time"] - time.time()) < 3600
    kinds = [event["type"] for event in events]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"
    started = {name: value for name, value in events[0].items() if name not in FRAME}
    assert started == {"images_seen": 0, "num_steps": 8, "num_ranks": 1, "resumed_from": 0}
    steps = events_of(stage1_run, "step")
    assert [event["step"] for event in steps] == list(range(1, 9))
    for event in steps:
        assert event.keys() == FRAME | STEP_FIGURES
        assert event["images_seen"] == 4 * event["step"]
        assert 0 <= event["data_wait_share"] <= 1
        assert len(event["prior_band_bits"]) == len(event["decoder_band_bits"]) == 8
    validations = events_of(stage1_run, "validation")
    assert [event["step"] for event in validations] == [0, 8]  # the baseline and the end
    for event in validations:
        assert event.keys() == FRAME | VALIDATION_FIGURES
        assert event["shuffle_gap_db"] == pytest.approx(event["psnr_db"] - event["psnr_shuffled_db"])
    (checkpoint,) = events_of(stage1_run, "checkpoint")
    assert checkpoint["name"] == "step-8"
    assert checkpoint["num_bytes"] > 10_000
    assert checkpoint["seconds"] > 0


def test_previews_can_be_cut_into_their_cells(stage1_run: Path) -> None:
    previews = events_of(stage1_run, "preview")
    assert [event["step"] for event in previews] == [0, 8]
    for event in previews:
        picture = np.asarray(Image.open(stage1_run / "previews" / event["file"]))
        assert event["kind"] == "reconstruction"
        assert event["row_names"] == ["original", "reconstruction"]
        rows, columns = len(event["row_names"]), event["columns"]
        assert picture.shape == (rows * event["cell_height_px"], columns * event["cell_width_px"], 3)
    first, last = (np.asarray(Image.open(stage1_run / "previews" / event["file"])) for event in previews)
    assert np.array_equal(first[:16], last[:16])  # always the same originals
    assert not np.array_equal(first[16:], last[16:])


def test_stage_2_says_what_it_encodes(scenes: Path, stage1_model: str, tmp_path: Path) -> None:
    config = run_config(scenes, "stage2", init_from=stage1_model, base_from=None, num_steps=2)
    run_training(config, tmp_path / "run", device="cpu")
    assert [(event["done"], event["total"]) for event in events_of(tmp_path / "run", "latents")][-1] == (24, 24)
    step = events_of(tmp_path / "run", "step")[-1]
    assert {"base_weighted_nats", "base_weighted_nats_per_value", "base_band_nats"} <= step.keys()
    again = run_config(scenes, init_from=stage1_model, num_steps=1)
    run_training(again, tmp_path / "again", device="cpu")
    texts = [event["text"] for event in events_of(tmp_path / "again", "taken_over")]
    assert len(texts) == 3
    assert all(text in (tmp_path / "again" / "console.log").read_text() for text in texts)


def test_how_often_things_happen(scenes: Path, tmp_path: Path) -> None:
    cadence = {
        "log_every": 3,
        "validate_every": 4,
        "preview_every": 6,
        "checkpoint_every": 2,
        "keep_checkpoints": 2,
        "keep_best": False,
        "milestone_every": 2,
    }
    run_training(run_config(scenes, cadence=cadence), tmp_path / "run", device="cpu")

    def steps(kind: str) -> list[int]:
        return [event["step"] for event in events_of(tmp_path / "run", kind)]

    assert steps("step") == [3, 6]
    assert steps("validation") == [0, 4, 8]
    assert steps("preview") == [0, 6, 8]
    assert steps("checkpoint") == [2, 4, 6, 8]
    names = [path.name for path in RunDir(tmp_path / "run").checkpoint_folders()]
    assert names == ["step-2", "step-4", "step-6", "step-8"]


def test_the_best_state_is_saved_when_it_is_seen(scenes: Path, tmp_path: Path) -> None:
    cadence = {"validate_every": 3, "checkpoint_every": 100, "keep_checkpoints": 1}
    run_training(run_config(scenes, cadence=cadence), tmp_path / "run", device="cpu")
    scores = read_json(tmp_path / "run" / "checkpoints" / "best.json")
    assert scores.keys() == {"0", "3", "6", "8"}
    best = max(scores, key=lambda step: float(scores[step]))
    kept = {path.name for path in RunDir(tmp_path / "run").checkpoint_folders()}
    assert kept == {f"step-{step}" for step in (best, 8) if step != "0"}
    losses = {str(event["step"]): event["loss_bits_per_pixel"] for event in events_of(tmp_path / "run", "validation")}
    assert losses[best] == min(losses.values())


def test_resuming_appends(scenes: Path, tmp_path: Path) -> None:
    run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    first = (tmp_path / "run" / "events.jsonl").read_text()
    run_training(run_config(scenes, num_steps=3), tmp_path / "run", device="cpu")
    whole = (tmp_path / "run" / "events.jsonl").read_text()
    assert whole.startswith(first)
    started = events_of(tmp_path / "run", "run_started")
    assert [(event["step"], event["resumed_from"], event["images_seen"]) for event in started] == [(0, 0, 0), (2, 2, 8)]


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
    writer.write("step", 1, loss=float("nan"), rate=float("inf"), count=3, name="ü", band=[1.0, math.inf])
    writer.close()
    (event,) = read_events(tmp_path / "events.jsonl")
    assert (event["loss"], event["rate"], event["count"], event["name"]) == (None, None, 3, "ü")
    assert event["band"] == [1.0, None]
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


# ---- TensorBoard and console ----------------------------------------------------------------------------------------


def test_tensorboard_has_the_same_figures(scenes: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run_training(run_config(scenes, num_steps=3, cadence__preview_every=2), tmp_path / "run", device="cpu")
    run_training(run_config(scenes, num_steps=5, cadence__preview_every=2), tmp_path / "run", device="cpu")
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    board.Reload()
    tags = board.Tags()
    steps, validations = events_of(tmp_path / "run", "step"), events_of(tmp_path / "run", "validation")
    assert [event["step"] for event in steps] == [1, 2, 3, 4, 5]
    for group, events, names in (("training", steps, STEP_FIGURES), ("validation", validations, VALIDATION_FIGURES)):
        for name in names - {"images_seen", "prior_band_bits", "decoder_band_bits"}:
            seen = [(scalar.step, scalar.value) for scalar in board.Scalars(f"{group}/{name}")]
            wanted = [(event["step"], pytest.approx(event[name], rel=1e-5, abs=1e-7)) for event in events]
            assert seen == wanted, name
    bands = [board.Scalars(f"training/prior_band_bits/{index}")[0].value for index in range(8)]
    assert bands == pytest.approx(steps[0]["prior_band_bits"], rel=1e-5, abs=1e-7)
    assert tags["images"] == ["reconstruction"]
    assert [image.step for image in board.Images("reconstruction")] == [0, 2, 3, 4, 5]


def test_the_console_log_has_what_was_printed(scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    assert (tmp_path / "run" / "console.log").read_text().splitlines() == printed
    assert any(line.startswith("validation 0: ") for line in printed)
    assert any(line.startswith("step 2/2 ") and "s/step" in line for line in printed)
    assert printed[-1] == "finished at step 2"


def test_a_worker_whose_output_is_the_console_log_writes_no_line_twice(
    scenes: Path, tmp_path: Path, workers: Nursery
) -> None:
    folder = write_settings(run_config(scenes, num_steps=2), tmp_path / "run")
    assert workers.start(folder).wait() == 0
    lines = (folder / "console.log").read_text().splitlines()
    assert len(lines) == len(set(lines))
    assert lines[-1] == "finished at step 2"


# ---- status ---------------------------------------------------------------------------------------------------------


def status_of(folder: Path) -> RunStatus:
    status = RunDir(folder).read_status()
    assert status is not None
    return status


def test_status_of_a_finished_run(stage1_run: Path) -> None:
    status = status_of(stage1_run)
    assert (status.state, status.step, status.num_steps) == ("finished", 8, 8)
    assert status.pid == os.getpid()
    assert abs(status.heartbeat - time.time()) < 3600
    assert not is_alive(status)


def test_the_heart_beats_while_a_step_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "HEARTBEAT_S", 0.02)
    run, cpu = RunDir(tmp_path), single(torch.device("cpu"))
    run.create()
    reporter = Reporter(run, cpu, 10)
    try:
        reporter.begin(3)
        first = status_of(tmp_path)
        wait_until(lambda: status_of(tmp_path).heartbeat > first.heartbeat + 0.05)  # nobody calls anything
        assert status_of(tmp_path).model_copy(update={"heartbeat": 0.0}) == first.model_copy(update={"heartbeat": 0.0})
        assert is_alive(status_of(tmp_path))
        reporter.failed(4, "why", can_retry=False, advice=("what helps",))
        time.sleep(0.1)  # a beat that came late must not bring it back to life
        assert (status_of(tmp_path).state, status_of(tmp_path).reason) == ("failed", "why")
    finally:
        reporter.close()


def alive_status(**changes: Any) -> RunStatus:
    process = psutil.Process()
    fields = {
        "state": "running",
        "step": 1,
        "num_steps": 2,
        "host": os.uname().nodename,
        "pid": process.pid,
        "pid_started": process.create_time(),
        "heartbeat": time.time(),
    }
    return RunStatus.model_validate(fields | changes)


def test_who_is_alive() -> None:
    assert is_alive(alive_status())
    assert not is_alive(alive_status(state="paused"))
    assert not is_alive(alive_status(pid_started=psutil.Process().create_time() - 60)), "the pid was used again"
    assert not is_alive(alive_status(pid=2**22 + 5)), "there is no such process"
    assert is_alive(alive_status(host="elsewhere", pid=1))
    assert not is_alive(alive_status(host="elsewhere", heartbeat=time.time() - 600))


# ---- secrets --------------------------------------------------------------------------------------------------------


def test_nothing_secret_in_the_run_folder(scenes: Path, stage1_model: str, tmp_path: Path, workers: Nursery) -> None:
    secrets = {"HF_TOKEN": "hf_verysecretvalue", "AWS_SECRET_ACCESS_KEY": "anothersecret", "UL_MARK": "plainvariable"}
    for name, config in {
        "one": run_config(scenes, num_steps=2),
        "two": run_config(scenes, "stage2", num_steps=2, init_from=stage1_model),
    }.items():
        folder = write_settings(config, tmp_path / name)
        assert workers.start(folder, environment=secrets).wait() == 0
        broken = write_settings(run_config(scenes, num_steps=2, init_from="nowhere"), tmp_path / f"{name}-broken")
        assert workers.start(broken, environment=secrets).wait() == 1
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in (*secrets, *secrets.values()) if word.encode() in content], path


def test_every_type_of_event_is_in_the_protocol(
    scenes: Path, stage1_run: Path, stage1_model: str, tmp_path: Path
) -> None:
    """And each type that the protocol names comes up in some run, here or where it is tested by itself."""
    named = set(re.findall(r"``(\w+)``", (protocol.__doc__ or "").split("steps done).")[1]))
    run_training(run_config(scenes, "stage2", init_from=stage1_model, num_steps=1), tmp_path / "two", device="cpu")
    run_training(run_config(scenes, init_from=stage1_model, num_steps=1), tmp_path / "again", device="cpu")
    seen = {
        event["type"] for folder in (stage1_run, tmp_path / "two", tmp_path / "again") for event in events_of(folder)
    }
    elsewhere = {
        "checkpoint_set_aside",
        "command",
        "micro_batch",
        "bad_step",
        "run_stopped",
        "run_paused",
        "run_failed",
    }
    assert seen | elsewhere == named
