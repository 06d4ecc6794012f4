"""Training states on disk: written whole or not at all, thinned out, set aside when they are broken."""

import errno
import json
import shutil
import signal
import subprocess
import sys
import zlib
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.helpers.nursery import Nursery
from tests.helpers.tiny_runs import (
    checkpoint_content,
    differences,
    events_of,
    interrupted_run,
    run_config,
    saved_state,
    write_settings,
)
from trainer import run_dir as run_dir_module
from trainer.checkpoints import Checkpoints, Retention
from trainer.protocol import Command, request_command
from trainer.ranks import single
from trainer.run_dir import RunDir, read_json, require_free_space, write_bytes, write_json
from trainer.states import TrainingState
from trainer.train import run_training
from ul_engine.ema import EMA
from ul_engine.errors import CheckpointError, OutputError

ROOT = Path(__file__).resolve().parents[2]
Usage = namedtuple("Usage", "total used free")


def small_state(seed: int = 0, *, width: int = 3) -> TrainingState:
    torch.manual_seed(seed)
    module = nn.Linear(width, width)
    optimizer = torch.optim.AdamW(module.parameters(), fused=True)
    module(torch.ones(1, width)).sum().backward()
    optimizer.step()
    ema = EMA(module, 0.9)
    ema.update(module)
    state = TrainingState(module, ema, [optimizer], skipped=[seed])
    state.numbers["guard"] = torch.tensor([0.5, float(seed)])
    return state


def content(state: TrainingState) -> dict[str, Any]:
    nested = state.tensors()
    tensors = {f"{part}.{name}": value for part in ("module", "ema", "numbers") for name, value in nested[part].items()}
    for name, moments in nested["optimizer"].items():
        tensors |= {f"optimizer.{name}.{key}": value for key, value in moments.items()}
    return tensors | {"ema_updates": state.ema.num_updates, "skipped": list(state.skipped)}


class Shelf:
    """Checkpoints of a folder of its own, and what was reported."""

    def __init__(self, folder: Path, *, keep: int = 2, keep_best: bool = False, milestone_every: int = 0) -> None:
        self.run = RunDir(folder)
        self.run.create()
        self.retention = Retention(keep, keep_best, milestone_every)
        self.reports: list[tuple[str, int, dict[str, Any]]] = []

    def of(self, state: TrainingState) -> Checkpoints:
        def report(kind: str, step: int, **values: Any) -> None:
            self.reports.append((kind, step, values))

        return Checkpoints(
            self.run, state, single(torch.device("cpu")), self.retention, report=report, say=lambda text: None
        )

    def save(self, step: int, seed: int = 0, score: float | None = None) -> None:
        checkpoints = self.of(small_state(seed))
        if score is not None:
            checkpoints.note_score(step, score)
        checkpoints.save(step, is_awaited=True)

    @property
    def names(self) -> list[str]:
        return [path.name for path in self.run.checkpoint_folders()]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "run")


def test_round_trip(shelf: Shelf) -> None:
    state, other = small_state(0), small_state(1)
    shelf.of(state).save(7, is_awaited=True)
    assert differences(content(state), content(other)) != []
    assert shelf.of(other).restore() == 7
    assert differences(content(state), content(other)) == []
    ((kind, step, values),) = shelf.reports
    assert (kind, step, values["name"]) == ("checkpoint", 7, "step-7")
    files = [path for path in shelf.run.checkpoint_folder(7).iterdir() if path.name != "checkpoint.json"]
    assert values["num_bytes"] == sum(path.stat().st_size for path in files)


def test_before_the_first_step_there_are_moments_of_zero(shelf: Shelf) -> None:
    """Made for saving, they change nothing: neither weights nor the step that follows."""
    torch.manual_seed(0)
    modules = [nn.Linear(3, 3), nn.Linear(3, 3)]
    modules[1].load_state_dict(modules[0].state_dict())
    optimizers = [torch.optim.AdamW(module.parameters(), weight_decay=0.5, fused=True) for module in modules]
    state = TrainingState(modules[0], EMA(modules[0], 0.9), [optimizers[0]])
    shelf.of(state).save(0, is_awaited=True)
    assert torch.equal(modules[0].weight, modules[1].weight)
    for module, optimizer in zip(modules, optimizers, strict=True):
        module(torch.ones(1, 3)).square().sum().backward()
        optimizer.step()
    assert torch.equal(modules[0].weight, modules[1].weight)
    assert shelf.of(TrainingState(modules[1], EMA(modules[1], 0.9), [optimizers[1]])).restore() == 0


def test_an_empty_run_begins_at_0(shelf: Shelf) -> None:
    assert shelf.of(small_state()).restore() == 0


def test_the_last_ones_are_kept_by_number_not_by_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "run", keep=3)
    for step in (8, 9, 10, 11, 100):
        shelf.save(step)
    assert shelf.names == ["step-10", "step-11", "step-100"]
    assert shelf.of(small_state()).restore() == 100


def test_milestones_and_the_best_stay(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "run", keep=1, keep_best=True, milestone_every=4)
    for step, score in ((1, 0.1), (2, 0.9), (3, 0.3), (4, 0.2), (5, 0.5), (6, None), (7, 0.4)):
        shelf.save(step, score=score)
    assert shelf.names == ["step-2", "step-4", "step-7"]
    assert shelf.of(small_state()).note_score(8, 0.95)
    assert not shelf.of(small_state()).note_score(9, 0.94)
    shelf.save(8)
    assert shelf.names == ["step-4", "step-8"]


def test_what_is_pinned_stays_until_it_is_let_go(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "run", keep=1)
    shelf.save(1)
    shelf.save(2)
    assert shelf.names == ["step-2"]
    shelf.run.set_pinned(2, is_pinned=True)
    shelf.save(3)
    shelf.save(4)
    assert shelf.names == ["step-2", "step-4"]
    assert shelf.of(small_state()).restore() == 4
    shelf.save(2)  # written anew, as after going back
    shelf.save(5)
    assert shelf.names == ["step-2", "step-5"]
    shelf.run.set_pinned(2, is_pinned=False)
    assert shelf.run.pinned_steps() == frozenset()
    shelf.save(6)
    assert shelf.names == ["step-6"]


def test_what_is_gone_cannot_be_pinned(shelf: Shelf) -> None:
    shelf.save(1)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        shelf.run.set_pinned(7, is_pinned=True)
    assert shelf.run.pinned_steps() == frozenset()
    shelf.run.set_pinned(7, is_pinned=False)
    (shelf.run.pins / "step-old").touch()
    shelf.run.set_pinned(1, is_pinned=True)
    assert shelf.run.pinned_steps() == {1}


# Once: a score that is no number was never beaten, and no checkpoint was the best from then on.
def test_a_score_that_is_no_number_is_not_the_best(tmp_path: Path) -> None:
    checkpoints = Shelf(tmp_path / "run").of(small_state())
    assert not checkpoints.note_score(1, float("nan"))
    assert checkpoints.note_score(2, 0.5)
    assert not checkpoints.note_score(3, float("nan"))
    assert checkpoints.note_score(4, 0.6)


def test_a_checkpoint_on_its_way_is_finished_by_the_next(shelf: Shelf) -> None:
    state = small_state()
    checkpoints = shelf.of(state)
    before = {
        name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in content(state).items()
    }
    checkpoints.save(1)
    with torch.no_grad():
        for parameter in state.module.parameters():
            parameter.add_(1.0)
    checkpoints.save(2, is_awaited=True)
    assert shelf.names == ["step-1", "step-2"]
    kept = checkpoint_content(shelf.run.checkpoint_folder(1))
    assert differences(before | {"step": 1}, kept) == []
    assert not torch.equal(checkpoint_content(shelf.run.checkpoint_folder(2))["module.weight"], kept["module.weight"])


# ---- disks ----------------------------------------------------------------------------------------------------------


def fake_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2**40, 2**40 - free, free))


def test_a_full_disk_is_noticed_before_anything_is_lost(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.save(1)
    fake_disk(monkeypatch, 100)
    with pytest.raises(OutputError, match=r"MiB free.*free some space"):
        shelf.save(2)
    assert [path.name for path in shelf.run.checkpoints.iterdir()] == ["step-1"]


def test_free_space_wants_a_tenth_to_spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_disk(monkeypatch, 1101)
    require_free_space(tmp_path, 1000)
    fake_disk(monkeypatch, 1099)
    with pytest.raises(OutputError):
        require_free_space(tmp_path, 1000)


@pytest.mark.stress
def test_a_disk_that_refuses_in_the_middle(scenes: Path, tmp_path: Path, workers: Nursery) -> None:
    """A limit on file size is as good as a full disk: the older checkpoint stays whole, the run says why it ends, and
    goes on to the very same state when there is room."""
    config = run_config(scenes, num_steps=4, cadence__checkpoint_every=2)
    run_training(config, tmp_path / "whole", device="cpu")
    interrupted_run(config, tmp_path / "run", 1, lambda: request_command(tmp_path / "run", Command.STOP))
    before = saved_state(tmp_path / "run", 2)
    assert workers.start(tmp_path / "run", limits={"FSIZE": 200_000}).wait() == 1
    status = RunDir(tmp_path / "run").read_status()
    assert status is not None
    assert status.state == "failed"
    assert "checkpoint of step 4 could not be written" in status.reason
    assert "the one before it is whole" in status.reason
    assert "File too large" in status.reason
    assert any("resume" in line for line in status.advice)
    assert [path.name for path in RunDir(tmp_path / "run").checkpoint_folders()] == ["step-2"]
    assert differences(saved_state(tmp_path / "run", 2), before) == []
    assert "Traceback" not in (tmp_path / "run" / "console.log").read_text()
    assert workers.start(tmp_path / "run").wait() == 0
    assert differences(saved_state(tmp_path / "whole"), saved_state(tmp_path / "run")) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("name", ["events.jsonl", "console.log"])
def test_a_full_disk_under_the_log(scenes: Path, tmp_path: Path, name: str) -> None:
    folder = write_settings(run_config(scenes, num_steps=2), tmp_path / "run")
    (folder / name).symlink_to("/dev/full")
    with pytest.raises(OutputError, match=f"{name}.*No space left"):
        run_training(run_config(scenes, num_steps=2), folder, device="cpu")
    status = RunDir(folder).read_status()
    assert status is not None
    assert status.state == "failed"
    assert "No space left" in status.reason


def test_writing_that_fails_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bytes(tmp_path / "a", b"old")

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_dir_module.os, "fsync", refuse)
    with pytest.raises(OutputError, match="No space left"):
        write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


# Once: clearing up after the failure fails in its turn, and that error is none of ours.
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
def test_killed_while_writing_a_small_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "status.json", b"old")
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "status.json")], cwd=ROOT)
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "status.json").read_bytes() == b"old"


# ---- broken ones ----------------------------------------------------------------------------------------------------


def data_file(folder: Path) -> Path:
    return max(folder.glob("*.distcp"), key=lambda path: path.stat().st_size)


def cut(share: float) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = data_file(folder)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    return spoil


def garbage(folder: Path) -> None:
    path = data_file(folder)
    path.write_bytes(b"\xa5" * path.stat().st_size)


def one_bit(folder: Path) -> None:
    path = data_file(folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def garbled_index(folder: Path) -> None:
    path = folder / ".metadata"
    path.write_bytes(b"noise, not a pickle".ljust(path.stat().st_size, b"\x07"))


SPOILERS: dict[str, Callable[[Path], object]] = {
    "cut in half": cut(0.5),
    "nearly whole": cut(0.999),
    "empty": cut(0.0),
    "garbage": garbage,
    "one bit": one_bit,
    "index is noise": garbled_index,
    "index missing": lambda folder: (folder / ".metadata").unlink(),
    "data missing": lambda folder: data_file(folder).unlink(),
    "its own list is noise": lambda folder: (folder / "checkpoint.json").write_text("{"),
    "its own list is empty": lambda folder: (folder / "checkpoint.json").write_text("{}"),
    "its own list is no object": lambda folder: (folder / "checkpoint.json").write_text("[]"),
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_a_broken_checkpoint_is_set_aside_and_the_one_before_taken(shelf: Shelf, spoiler: str) -> None:
    shelf.save(3, seed=3)
    shelf.save(5, seed=5)
    SPOILERS[spoiler](shelf.run.checkpoint_folder(5))
    shelf.reports.clear()
    state = small_state(9)
    assert shelf.of(state).restore() == 3
    assert differences(content(state), content(small_state(3))) == []
    ((kind, step, values),) = shelf.reports
    assert (kind, step, values["name"]) == ("checkpoint_set_aside", 5, "broken-step-5")
    assert values["reason"]
    assert shelf.names == ["step-3"]
    assert (shelf.run.checkpoints / "broken-step-5").is_dir()


def test_a_step_set_aside_can_be_saved_again(shelf: Shelf) -> None:
    state = small_state(1)
    checkpoints = shelf.of(state)
    for step in (3, 5):
        checkpoints.save(step, is_awaited=True)
    garbage(shelf.run.checkpoint_folder(5))
    assert checkpoints.restore() == 3
    checkpoints.save(5, is_awaited=True)
    assert shelf.names == ["step-3", "step-5"]
    assert shelf.of(small_state()).restore() == 5


def test_without_a_whole_one_the_run_begins_anew(shelf: Shelf) -> None:
    shelf.save(3)
    garbage(shelf.run.checkpoint_folder(3))
    assert shelf.of(small_state(9)).restore() == 0
    assert shelf.names == []


@pytest.mark.stress
def test_a_run_goes_on_from_the_one_before(scenes: Path, tmp_path: Path) -> None:
    config = run_config(scenes, cadence={"checkpoint_every": 3, "log_every": 1})
    run_training(config, tmp_path / "whole", device="cpu")
    run_training(config, tmp_path / "run", device="cpu")
    shutil.rmtree(tmp_path / "run" / "model")
    cut(0.9)(RunDir(tmp_path / "run").checkpoint_folder(8))
    assert run_training(config, tmp_path / "run", device="cpu") == "finished"
    assert differences(saved_state(tmp_path / "whole"), saved_state(tmp_path / "run")) == []
    (event,) = events_of(tmp_path / "run", "checkpoint_set_aside")
    assert "is cut short" in event["reason"]
    assert events_of(tmp_path / "run", "run_started")[-1]["resumed_from"] == 6
    assert "set aside as broken-step-8" in (tmp_path / "run" / "console.log").read_text()


def test_a_checkpoint_of_other_networks_is_refused_not_set_aside(shelf: Shelf) -> None:
    shelf.of(small_state(width=4)).save(3, is_awaited=True)
    with pytest.raises(CheckpointError, match="belongs to other networks") as caught:
        shelf.of(small_state()).restore()
    assert caught.value.path == str(shelf.run.checkpoint_folder(3))
    assert shelf.names == ["step-3"]


def test_a_foreign_checkpoint_in_a_run(scenes: Path, stage1_run: Path, tmp_path: Path) -> None:
    config = run_config(scenes, model__encoder__channels=(16, 32))
    folder = write_settings(config, tmp_path / "run")
    shutil.copytree(stage1_run / "checkpoints" / "step-8", folder / "checkpoints" / "step-8")
    with pytest.raises(CheckpointError, match="belongs to other networks"):
        run_training(config, folder, device="cpu")
    assert (folder / "checkpoints" / "step-8").is_dir()


def test_what_a_killed_save_leaves(shelf: Shelf) -> None:
    """Whole but for its name: it is used. Unfinished: it is ignored, and cleared away by the next save."""
    shelf.save(3, seed=3)
    shelf.save(5, seed=5)
    folders = shelf.run.checkpoints
    (folders / "step-5").rename(folders / ".step-5.tmp")
    shutil.copytree(folders / "step-3", folders / ".step-6.tmp")
    (folders / ".step-6.tmp" / "checkpoint.json").unlink()
    shutil.copytree(folders / "step-3", folders / ".step-7.tmp")
    cut(0.5)(folders / ".step-7.tmp")
    state = small_state(9)
    assert shelf.of(state).restore() == 5
    assert differences(content(state), content(small_state(5))) == []
    shelf.of(state).save(8, is_awaited=True)
    assert sorted(path.name for path in folders.iterdir()) == ["step-5", "step-8"]


def test_a_half_removed_checkpoint_is_none(shelf: Shelf) -> None:
    """The list of its files goes first when one is removed."""
    shelf.save(3)
    shelf.save(5)
    (shelf.run.checkpoint_folder(5) / "checkpoint.json").unlink()
    assert shelf.names == ["step-3"]
    assert shelf.of(small_state()).restore() == 3


def test_its_list_names_every_file(shelf: Shelf) -> None:
    shelf.save(3)
    folder = shelf.run.checkpoint_folder(3)
    listed = json.loads((folder / "checkpoint.json").read_text())
    files = [path for path in folder.iterdir() if path.name != "checkpoint.json"]
    assert listed["files"] == {path.name: [path.stat().st_size, zlib.crc32(path.read_bytes())] for path in files}
    assert (listed["step"], listed["num_ranks"]) == (3, 1)


def test_an_uncreatable_run_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be created"):
        RunDir(tmp_path / "file" / "run").create()
