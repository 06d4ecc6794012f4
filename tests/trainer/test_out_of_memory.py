"""A real shortage of memory, in a process that may not hold more: explained, or helped by smaller micro-batches."""

import json
from pathlib import Path

import psutil
import pytest
import torch

from tests.helpers.nursery import Nursery
from tests.helpers.qt import wait_until
from tests.helpers.tiny_runs import events_of, losses_of, run_config, saved_state, write_settings
from trainer.config import RunConfig
from trainer.memory import explained_shortage, needed_bytes
from trainer.run_dir import RunDir
from trainer.train import run_training

ROOM = 60 * 2**20
"""Enough for everything but a whole batch of this size at once."""


def config_of(scenes: Path, **changes: object) -> RunConfig:
    given = {"num_steps": 4, "batch_size": 256, "model__decoder__dropout": 0.0, "cadence__keep_best": False}
    return run_config(scenes, **(given | changes))


@pytest.mark.stress
def test_a_shortage_is_explained(scenes: Path, tmp_path: Path, workers: Nursery) -> None:
    folder = write_settings(config_of(scenes), tmp_path / "run")
    assert workers.start(folder, limits={"DATA": ROOM}).wait() == 1
    status = RunDir(folder).read_status()
    assert status is not None
    assert status.state == "failed"
    assert "cpu ran out of memory in a step of 256 samples at once" in status.reason
    assert "MB more were needed" in status.reason
    assert "are free; this run holds" in status.reason
    assert any(line.startswith("--set scale.") for line in status.advice)
    (failed,) = events_of(folder, "run_failed")
    assert failed["reason"] == status.reason
    console = (folder / "console.log").read_text()
    assert "ran out of memory" in console
    assert "Traceback" not in console


def trained_with_little_room(workers: Nursery, folder: Path, *, until: int) -> int:
    """Exit code of a worker that has more room again after step `until`: glibc keeps what it was given, and the threads
    that write checkpoints would find no room for their stacks."""
    worker = workers.start(folder, limits={"DATA": ROOM})
    wait_until(lambda: worker.poll() is not None or until in losses_of(folder), timeout_s=60)
    if worker.poll() is None:
        psutil.Process(worker.pid).rlimit(psutil.RLIMIT_DATA, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    return worker.wait()


@pytest.mark.stress
def test_smaller_micro_batches_help_by_themselves(scenes: Path, tmp_path: Path, workers: Nursery) -> None:
    """The batch stays what it was, and so do the losses."""
    run_training(config_of(scenes), tmp_path / "roomy", device="cpu")
    folder = write_settings(config_of(scenes, scale__auto_micro_batch=True), tmp_path / "run")
    assert trained_with_little_room(workers, folder, until=1) == 0
    sizes = [event["size"] for event in events_of(folder, "micro_batch")]
    assert sizes
    assert sizes == [256 // 2 ** (index + 1) for index in range(len(sizes))]
    assert all("ran out of memory" in event["reason"] for event in events_of(folder, "micro_batch"))
    for step, loss in losses_of(tmp_path / "roomy").items():
        assert losses_of(folder)[step] == pytest.approx(loss, rel=1e-4)  # other kernels, too: see the nursery
    first, second = saved_state(folder), saved_state(tmp_path / "roomy")
    for name, value in second.items():
        if name.startswith("module."):
            torch.testing.assert_close(first[name], value, rtol=2e-3, atol=5e-5)
    assert json.loads((folder / "micro_batch.json").read_text()) == {"micro_batch": sizes[-1]}
    again = config_of(scenes, scale__auto_micro_batch=True, num_steps=8)
    write_settings(again, folder)
    assert trained_with_little_room(workers, folder, until=5) == 0
    later = [event["size"] for event in events_of(folder, "micro_batch")][len(sizes) :]
    assert all(size < sizes[-1] for size in later)  # began with what fitted; restoring may leave less room


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("DefaultCPUAllocator: can't allocate memory: you tried to allocate 3538944 bytes. Error code 12", 3538944),
        ("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.1 GiB", 2684354560),
        ("CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; ...)", 20971520),
        ("could not create a primitive", None),
    ],
)
def test_what_torch_tells_of_the_need(text: str, wanted: int | None) -> None:
    assert needed_bytes(text) == wanted
    shortage = explained_shortage(RuntimeError(f"out of memory: can't allocate memory; {text}"), torch.device("cpu"), 4)
    assert shortage is not None
    assert shortage.needed_bytes == wanted


def test_other_failures_are_no_shortage() -> None:
    assert explained_shortage(RuntimeError("could not create a primitive"), torch.device("cpu"), 4) is not None
    assert explained_shortage(RuntimeError("mat1 and mat2 shapes cannot be multiplied"), torch.device("cpu"), 4) is None
