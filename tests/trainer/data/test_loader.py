"""Batches on time: the same for any number of processes and ranks, and nothing left behind."""

import subprocess
import sys
from collections import deque
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from tests.helpers.picture_sets import two_classes, write_folder, write_zip
from trainer.config import LoadingConfig, PicturesData
from trainer.data import workers as workers_module
from trainer.data.loader import BatchLoader, make_batch
from trainer.data.opening import open_data
from trainer.data.order import BatchOrder
from trainer.data.samples import Batch, SampleSource
from trainer.data.workers import num_workers
from ul_engine.errors import DataError

CONFIG = {"size_px": 16, "flip": True, "crop_scale": 0.5, "crop_position": "random"}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "all.zip", two_classes())


def opened(path: Path, **changes: object) -> SampleSource:
    return open_data(PicturesData.model_validate({"path": str(path), **CONFIG, **changes}), seed=3)[0]


def loaded(source: SampleSource, steps: list[int], *, workers: int = 0, share: tuple[int, int] = (0, 1)) -> list[Batch]:
    order = BatchOrder(len(source), 6, 5, source.buckets)
    with BatchLoader(source, order, LoadingConfig(num_workers=workers, prefetch=2), share=share) as loader:
        loader.start(steps)
        return [loader.next() for _ in steps]


def assert_equal(batches: list[Batch], others: list[Batch]) -> None:
    for batch, other in zip(batches, others, strict=True):
        assert torch.equal(batch.frames, other.frames)
        assert torch.equal(batch.labels, other.labels)
        assert batch.captions == other.captions
        assert np.array_equal(batch.indices, other.indices)
        assert np.array_equal(batch.epochs, other.epochs)


def loading_processes() -> list[psutil.Process]:
    """Those of this process: the children of its fork server."""
    servers = [child for child in psutil.Process().children() if "forkserver" in " ".join(child.cmdline())]
    return [process for server in servers for process in server.children()]


def joined(parts: list[Batch]) -> Batch:
    return Batch(
        torch.cat([part.frames for part in parts]),
        [caption for part in parts for caption in part.captions],
        torch.cat([part.labels for part in parts]),
        np.concatenate([part.indices for part in parts]),
        np.concatenate([part.epochs for part in parts]),
    )


@pytest.mark.parametrize("fit", ["crop", "buckets"])
def test_batches_hold_what_the_order_says(fit: str, pictures: Path) -> None:
    source = opened(pictures, fit=fit, bucket_step_px=8)
    order = BatchOrder(len(source), 6, 5, source.buckets)
    for step, batch in enumerate(loaded(source, list(range(9)))):
        indices, epochs = order.batch(step)
        assert np.array_equal(batch.indices, indices)
        assert np.array_equal(batch.epochs, epochs)
        pairs = list(zip(indices.tolist(), epochs.tolist(), strict=True))
        assert_equal([batch], [make_batch([source.sample(*pair) for pair in pairs], pairs)])
        assert batch.frames.dtype == torch.uint8
        assert len(batch) == 6


def test_processes_change_nothing_and_draw_no_random_numbers(pictures: Path) -> None:
    source = opened(pictures, fit="buckets", bucket_step_px=8)
    torch.manual_seed(1)
    expected, state = loaded(source, [0, 1, 7, 3]), torch.get_rng_state()
    assert_equal(loaded(source, [0, 1, 7, 3], workers=2), expected)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("num_ranks", [2, 4])
def test_ranks_share_the_same_batches(num_ranks: int, pictures: Path) -> None:
    source = opened(pictures)
    parts = [loaded(source, [0, 5, 6], share=(rank, num_ranks)) for rank in range(num_ranks)]
    assert_equal([joined(list(step)) for step in zip(*parts, strict=True)], loaded(source, [0, 5, 6]))


def test_starting_anew_goes_on_elsewhere(pictures: Path) -> None:
    source = opened(pictures)
    order = BatchOrder(len(source), 6, 5)
    with BatchLoader(source, order, LoadingConfig(num_workers=1)) as loader:
        loader.start(range(100))
        first = [loader.next() for _ in range(2)]
        children = {process.pid for process in loading_processes()}
        loader.start([50, 51])
        second = [loader.next() for _ in range(2)]
        assert {process.pid for process in loading_processes()} == children
        assert loader.wait_s >= 0.0
        with pytest.raises(StopIteration):
            loader.next()
    assert_equal(first + second, loaded(source, [0, 1, 50, 51]))
    for call in (loader.next, lambda: loader.start([0])):
        with pytest.raises(RuntimeError, match="loader"):
            call()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_file_is_named_with_what_to_do(workers: int, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "all", two_classes())
    source = opened(root)
    broken = {root / f"{kind}/{number:02d}.png" for number in range(24) for kind in ("cat", "dog")}
    for path in broken:
        if path.exists():
            path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match=r"truncated or broken .*; run `ul-train data check`") as caught:
        loaded(source, [0], workers=workers)
    assert caught.value.path is not None
    assert Path(caught.value.path) in broken
    assert str(caught.value).count(str(root)) == 1


def test_a_killed_loading_process_is_explained(pictures: Path) -> None:
    source = opened(pictures)
    with BatchLoader(source, BatchOrder(len(source), 6, 5), LoadingConfig(num_workers=1)) as loader:
        loader.start(range(10**6))
        loader.next()
        for worker in loading_processes():
            worker.kill()
        with pytest.raises(DataError, match=r"a loading process died .*loading.num_workers"):
            deque(iter(loader.next, None), maxlen=0)


@pytest.mark.stress
def test_loading_processes_die_with_a_killed_trainer(pictures: Path) -> None:
    command = [sys.executable, "-m", "tests.helpers.loading_parent", str(pictures)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert children
        parent.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    expected = {1: 1, 2: 1, 4: 3, 9: 8, 64: 8}
    for cores, count in expected.items():
        monkeypatch.setattr(workers_module, "num_cores", lambda cores=cores: cores)
        assert num_workers(LoadingConfig(), is_light=False, num_ranks=1) == count
    assert num_workers(LoadingConfig(), is_light=False, num_ranks=16) == 3
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    assert num_workers(LoadingConfig(), is_light=False, num_ranks=16) == 7
    assert num_workers(LoadingConfig(), is_light=True, num_ranks=1) == 0
    assert num_workers(LoadingConfig(num_workers=5), is_light=True, num_ranks=1) == 5
