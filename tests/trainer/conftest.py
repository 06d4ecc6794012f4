"""One render cache and one Stage 1 model for all tests of the trainer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.helpers.nursery import Nursery, nursery
from tests.helpers.tiny_runs import build_scenes, run_config
from trainer.train import run_training
from ul_engine.processor import use_fast_products


@pytest.fixture(scope="package", autouse=True)
def products_of_a_training_process() -> Iterator[None]:
    """Runs in the tests' process are held against runs of real workers, to the bit: both multiply by one library."""
    former = torch.get_float32_matmul_precision()
    use_fast_products()
    yield
    torch.set_float32_matmul_precision(former)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of rendered 16-pixel scenes."""
    return build_scenes(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="session")
def stage1_run(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished Stage 1 run of 8 steps."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs") / "stage1"
    assert run_training(run_config(scenes), folder, device="cpu") == "finished"
    return folder


@pytest.fixture(scope="session")
def stage1_model(stage1_run: Path) -> str:
    """Folder of the model that the Stage 1 run exported."""
    return str(stage1_run / "model")


@pytest.fixture(scope="session")
def workers() -> Iterator[Nursery]:
    """Starts real worker processes at once."""
    with nursery() as running:
        yield running
