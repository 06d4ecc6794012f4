"""Several ranks (gloo) train what one process trains; a run continues with any number of them."""

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from PIL import Image

from tests.helpers.nursery import Nursery, Worker
from tests.helpers.qt import wait_until
from tests.helpers.tiny import simple_pictures
from tests.helpers.tiny_runs import events_of, losses_of, run_config, saved_state, write_settings
from trainer.config import RunConfig
from trainer.events import read_events
from trainer.launch import LaunchPlan, exit_code, start, stop_group
from trainer.protocol import Command, request_command
from trainer.run_dir import RunDir, read_json
from trainer.train import run_training

NO_DROPOUT = {"model__decoder__dropout": 0.0, "model__base__dropout": 0.0}


def config_of(scenes: Path, stage: str = "stage1", **changes: Any) -> RunConfig:
    return run_config(scenes, stage, **({"num_steps": 4, "batch_size": 6} | NO_DROPOUT | changes))


def finish(ranks: list[Worker], timeout_s: float = 60.0) -> list[int]:
    return [worker.wait(timeout_s) for worker in ranks]


def check_close(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Weights and averages within rounding. Adam divides by a gradient's own size: of one that is nearly nothing,
    rounding may turn the sign, and a few weights in a thousand then differ by a part of the learning rate, 1e-3."""
    assert ours.keys() == theirs.keys()
    names = [name for name in theirs if name.startswith(("module.", "ema."))]
    first, second = (torch.cat([state[name].flatten() for name in names]) for state in (ours, theirs))
    assert float(torch.isclose(first, second, rtol=1e-3, atol=2e-5).float().mean()) > 0.998
    assert float((first - second).abs().max()) < 1e-3


def check_same(folder: Path, whole: Path, *, rel: float = 1e-6) -> None:
    """Losses within rounding, and the states they lead to."""
    ours, theirs = losses_of(folder), losses_of(whole)
    assert ours.keys() == theirs.keys()
    for step, loss in theirs.items():
        assert ours[step] == pytest.approx(loss, rel=rel)
    check_close(saved_state(folder), saved_state(whole))
    norms = [{event["step"]: event["gradient_norm"] for event in events_of(each, "step")} for each in (folder, whole)]
    assert norms[0] == pytest.approx(norms[1], rel=max(1e-4, 10 * rel))


@pytest.fixture(scope="module")
def whole(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run_training(config_of(scenes), folder, device="cpu") == "finished"
    return folder


@pytest.mark.parametrize(
    ("size", "changes"),
    [
        (2, {"scale__strategy": "ddp", "scale__micro_batch": 2}),
        pytest.param(
            2,
            {"scale__strategy": "fsdp", "scale__micro_batch": 2, "scale__checkpoint_activations": True},
            marks=pytest.mark.stress,
        ),
        pytest.param(4, {"scale__strategy": "ddp"}, marks=pytest.mark.stress),  # 1, 2, 1 and 2 samples
        pytest.param(3, {"scale__strategy": "fsdp"}, marks=pytest.mark.stress),
        pytest.param(2, {"scale__checkpoint_activations": True}, marks=pytest.mark.stress),
    ],
    ids=["ddp", "fsdp", "ddp of 4", "fsdp of 3", "recomputed"],
)
def test_ranks_train_what_one_process_trains(
    size: int, changes: dict[str, Any], scenes: Path, whole: Path, tmp_path: Path, workers: Nursery
) -> None:
    folder = write_settings(config_of(scenes, **changes), tmp_path / "run")
    assert finish(workers.start_ranks(folder, size)) == [0] * size, (folder / "console.log").read_text()
    check_same(folder, whole)
    assert events_of(folder, "run_started")[0]["num_ranks"] == size
    assert read_events(folder / "events-rank1.jsonl")[0]["type"] == "run_started"
    weights = list((folder / "model").rglob("*.safetensors"))
    assert len(weights) == 3
    assert len(list((folder / "tensorboard").iterdir())) == 1  # rank 0 alone draws


@pytest.mark.parametrize(
    ("size", "strategy"),
    [(2, "ddp"), pytest.param(3, "fsdp", marks=pytest.mark.stress)],
)
def test_ranks_share_the_work_of_muon(size: int, strategy: str, scenes: Path, tmp_path: Path, workers: Nursery) -> None:
    config = config_of(scenes, optimizer__kind="muon", scale__strategy=strategy)
    run_training(config, tmp_path / "one", device="cpu")
    folder = write_settings(config, tmp_path / "shared")
    assert finish(workers.start_ranks(folder, size)) == [0] * size, (folder / "console.log").read_text()
    check_same(folder, tmp_path / "one", rel=1e-5)


@pytest.mark.stress
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_ranks_train_the_second_stage(
    strategy: str, scenes: Path, whole: Path, tmp_path: Path, workers: Nursery
) -> None:
    given = {"init_from": str(whole / "model")}
    run_training(config_of(scenes, "stage2", **given), tmp_path / "one", device="cpu")
    folder = write_settings(config_of(scenes, "stage2", scale__strategy=strategy, **given), tmp_path / "two")
    assert finish(workers.start_ranks(folder, 2)) == [0, 0]
    check_same(folder, tmp_path / "one")


@pytest.mark.stress
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_a_run_continues_with_another_number_of_ranks(
    strategy: str, scenes: Path, tmp_path: Path, workers: Nursery
) -> None:
    """Two ranks are stopped in the middle; one, and three, go on as the run that was never stopped."""
    config = config_of(scenes, num_steps=400, scale__strategy=strategy)
    folder = write_settings(config, tmp_path / "two")
    ranks = workers.start_ranks(folder, 2)
    wait_until(lambda: len(losses_of(folder)) >= 2 if RunDir(folder).events.exists() else False, timeout_s=60)
    request_command(folder, Command.STOP)
    assert finish(ranks) == [0, 0]
    stopped = saved_state(folder)["step"]
    config = config_of(scenes, num_steps=400, scale__strategy=strategy, cadence__checkpoint_every=stopped + 3)
    for size in (1, 3):
        shutil.copytree(folder, tmp_path / str(size))
        write_settings(config, tmp_path / str(size))
        ranks = workers.start_ranks(tmp_path / str(size), size)
        wait_until(lambda: stopped + 3 in losses_of(tmp_path / str(size)), timeout_s=60)  # noqa: B023
        request_command(tmp_path / str(size), Command.STOP)
        assert finish(ranks) == [0] * size
    one, three = losses_of(tmp_path / "1"), losses_of(tmp_path / "3")
    for step in range(stopped + 1, stopped + 4):
        assert three[step] == pytest.approx(one[step], rel=1e-5)
    check_close(*(saved_state(tmp_path / str(size), stopped + 3) for size in (3, 1)))


@pytest.mark.stress
def test_a_rank_that_fails_says_why_and_the_others_do_not_talk_over_it(
    scenes: Path, tmp_path: Path, workers: Nursery
) -> None:
    """What is left in the status is the cause, not that a connection was lost."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index, picture in enumerate(simple_pictures(24)):
        Image.fromarray(picture).save(pictures / f"{index:02}.png")
    data = {"kind": "pictures", "path": str(pictures), "size_px": 16, "num_valid": 3}
    config = config_of(scenes, data=data, num_steps=50, batch_size=20, condition_on="none")
    folder = write_settings(config, tmp_path / "run")
    ranks = workers.start_ranks(folder, 2)
    wait_until(lambda: RunDir(folder).events.exists() and losses_of(folder), timeout_s=60)
    for path in pictures.iterdir():
        path.write_bytes(b"no picture")
    assert finish(ranks) == [1, 1]
    status = RunDir(folder).read_status()
    assert status is not None
    assert status.state == "failed"
    assert ".png" in status.reason
    assert any("data check" in line for line in status.advice)


# ---- as launched ----------------------------------------------------------------------------------------------------


def rank_pids(folder: Path) -> dict[int, int]:
    """Process of each rank of a launched run."""
    launcher = psutil.Process(int(read_json(folder / "launcher.json")["pid"]))
    found = {}
    for child in launcher.children(recursive=True):
        environment = child.environ()
        if "RANK" in environment and str(folder) in " ".join(child.cmdline()):
            found[int(environment["RANK"])] = child.pid
    return found


@pytest.mark.stress
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_is_started_again(rank: int, scenes: Path, tmp_path: Path) -> None:
    config = config_of(scenes, num_steps=60, cadence={"checkpoint_every": 5, "log_every": 1})
    run_training(config, tmp_path / "whole", device="cpu")
    folder = write_settings(config, tmp_path / "run")
    running = start(LaunchPlan(folder, num_processes=2, device="cpu", threads=1))
    try:
        wait_until(lambda: RunDir(folder).events.exists() and len(losses_of(folder)) >= 12, timeout_s=120)
        os.kill(rank_pids(folder)[rank], signal.SIGKILL)
        assert running.wait(180)
    finally:
        stop_group(running, grace_s=1)
    assert exit_code(folder) == 0, (folder / "console.log").read_text()[-3000:]
    started = [event["resumed_from"] for event in events_of(folder, "run_started")]
    assert len(started) == 2
    assert started[1] >= 5
    check_same(folder, tmp_path / "whole", rel=1e-4)


@pytest.mark.stress
def test_sigterm_to_the_launcher_saves_on_all_ranks(scenes: Path, tmp_path: Path) -> None:
    folder = write_settings(config_of(scenes, num_steps=100_000), tmp_path / "run")
    running = start(LaunchPlan(folder, num_processes=2, device="cpu", threads=1))
    wait_until(lambda: RunDir(folder).events.exists() and len(losses_of(folder)) >= 3, timeout_s=120)
    sent = time.monotonic()
    assert stop_group(running)
    assert time.monotonic() - sent < 25
    assert exit_code(folder) == 3
    status = RunDir(folder).read_status()
    assert status is not None
    assert saved_state(folder)["step"] == status.step
