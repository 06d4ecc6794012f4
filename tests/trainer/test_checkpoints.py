"""Training states on disk: written whole or not at all, pruned, refused on a full disk, named when they are broken."""

import errno
import pickle
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.helpers.tiny_runs import differences, flattened, run_config, saved_state
from trainer import run_dir as run_dir_module
from trainer.run_dir import RunDir, read_json, require_free_space, write_bytes, write_json
from trainer.states import TrainingState, restore_newest, save_state
from trainer.train import run_training
from ul_engine.ema import EMA
from ul_engine.errors import CheckpointError, OutputError

ROOT = Path(__file__).resolve().parents[2]
Usage = namedtuple("Usage", "total used free")


def small_state(seed: int = 0) -> TrainingState:
    torch.manual_seed(seed)
    module = nn.Linear(3, 3)
    optimizer = torch.optim.AdamW(module.parameters(), fused=True)
    module(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    ema = EMA(module, 0.9)
    ema.update(module)
    return TrainingState(module, ema, optimizer)


def content(state: TrainingState) -> dict[str, Any]:
    return flattened([state.module.state_dict(), state.ema.state_dict(), state.optimizer.state_dict()])


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = RunDir(tmp_path / "run")
    run.create()
    return run


def test_round_trip(run: RunDir) -> None:
    state, other = small_state(0), small_state(1)
    save_state(run, state, 7, keep=2)
    assert differences(content(state), content(other)) != []
    assert restore_newest(run, other) == 7
    assert differences(content(state), content(other)) == []


def test_an_empty_run_begins_at_0(run: RunDir) -> None:
    assert restore_newest(run, small_state()) == 0


def test_the_last_ones_are_kept_by_number_not_by_name(run: RunDir) -> None:
    for step in (8, 9, 10, 100, 11):
        save_state(run, small_state(), step, keep=3)
    assert [path.name for path in run.checkpoint_files()] == ["step-10.pt", "step-11.pt", "step-100.pt"]
    assert restore_newest(run, small_state()) == 100


def fake_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2**40, 2**40 - free, free))


def test_a_full_disk_is_noticed_before_anything_is_lost(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    save_state(run, small_state(), 1, keep=1)
    fake_disk(monkeypatch, 100)
    with pytest.raises(OutputError, match=r"MiB free.*free some space"):
        save_state(run, small_state(), 2, keep=1)
    assert [path.name for path in run.checkpoints.iterdir()] == ["step-1.pt"]


def test_free_space_wants_a_tenth_to_spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_disk(monkeypatch, 1101)
    require_free_space(tmp_path, 1000)
    fake_disk(monkeypatch, 1099)
    with pytest.raises(OutputError):
        require_free_space(tmp_path, 1000)


def test_a_run_on_a_full_disk_says_so_and_can_go_on_later(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = run_config(scenes, num_steps=4, cadence__checkpoint_every=2)
    run_training(config, tmp_path / "whole", device="cpu")
    calls = []

    def disk_usage(path: Path) -> Usage:
        calls.append(path)
        free = 2**40 if len(calls) < 2 else 10
        return Usage(2**40, 2**40 - free, free)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    with pytest.raises(OutputError, match="free some space"):
        run_training(config, tmp_path / "run", device="cpu")
    status = read_json(tmp_path / "run" / "status.json")
    assert status["state"] == "failed"
    assert "free some space" in status["reason"]
    assert status["step"] <= 4
    monkeypatch.undo()
    assert run_training(config, tmp_path / "run", device="cpu")
    assert differences(saved_state(tmp_path / "whole"), saved_state(tmp_path / "run")) == []


def test_writing_that_fails_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "a", b"old")

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_dir_module.os, "fsync", refuse)
    with pytest.raises(OutputError, match="No space left"):
        write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


# Once: clearing up after the failure fails in its turn, and that error is none of ours (`latents._build` too).
def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "a", b"new")


def test_json_is_replaced_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": 1})
    write_json(tmp_path / "a.json", {"b": [2]})
    assert read_json(tmp_path / "a.json") == {"b": [2]}


KILLED = """
import os, signal, sys
from pathlib import Path
from trainer import run_dir
run_dir.os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)  # all bytes are out, the name is not
run_dir.write_bytes(Path(sys.argv[1]), b"new" * 1000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_while_saving(scenes: Path, tmp_path: Path) -> None:
    """What is left is the checkpoint before and a file that no one takes for one; the run goes on from there."""
    run_training(run_config(scenes, num_steps=2), tmp_path / "run", device="cpu")
    run = RunDir(tmp_path / "run")
    before = run.checkpoint_file(2).read_bytes()
    for target in (run.checkpoint_file(4), run.checkpoint_file(2), run.status):
        child = subprocess.run([sys.executable, "-c", KILLED, str(target)], cwd=ROOT)
        assert child.returncode == -signal.SIGKILL
    assert run.checkpoint_file(2).read_bytes() == before
    assert run.checkpoint_files() == [run.checkpoint_file(2)]
    assert read_json(run.status)["state"] == "finished"
    assert run_training(run_config(scenes, num_steps=4), tmp_path / "run", device="cpu")
    assert saved_state(tmp_path / "run")["/step"] == 4


def cut(share: float) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def other_network(path: Path) -> None:
    loaded = torch.load(path, weights_only=True)
    loaded["module"] = nn.Linear(5, 5).state_dict()
    torch.save(loaded, path)


def part_missing(path: Path) -> None:
    loaded = torch.load(path, weights_only=True)
    del loaded["ema"]
    torch.save(loaded, path)


class Harm:
    """A pickle of it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


SPOILERS: dict[str, Callable[[Path], object]] = {
    "cut in half": cut(0.5),
    "nearly whole": cut(0.98),
    "another network": other_network,
    "a part missing": part_missing,
    "cut early": cut(0.01),
    "empty": lambda path: path.write_bytes(b""),
    # Once: these two escape as pickle.UnpicklingError, which is none of the errors that are caught.
    "noise": lambda path: path.write_bytes(b"noise, not a checkpoint"),
    "harmful": lambda path: path.write_bytes(pickle.dumps({"step": Harm(path.with_name("harm"))}, protocol=2)),
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_a_broken_checkpoint_is_named(run: RunDir, spoiler: str) -> None:
    save_state(run, small_state(), 3, keep=2)
    save_state(run, small_state(), 5, keep=2)
    SPOILERS[spoiler](run.checkpoint_file(5))
    with pytest.raises(CheckpointError, match="remove it to continue from the one before") as caught:
        restore_newest(run, small_state())
    assert caught.value.path == str(run.checkpoint_file(5))
    assert not (run.checkpoints / "harm").exists()
    run.checkpoint_file(5).unlink()
    assert restore_newest(run, small_state()) == 3


def test_an_uncreatable_run_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be created"):
        RunDir(tmp_path / "file" / "run").create()
