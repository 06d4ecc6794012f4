"""A tiny model on the disk, folders of pictures, and an evaluation of one under the other."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine.evaluation.tasks import FAST, MakeTask
from tests.helpers.tiny import save_tiny, simple_pictures, text_conditioning, tiny_config
from ul_engine.checkpoint import load_model
from ul_engine.data.image_files import write_picture
from ul_engine.evaluation import EvaluationSettings, Task, parse_metrics
from ul_engine.pipelines import Pipeline


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny(folder, tiny_config(conditioning=text_conditioning()))
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six pictures of 16 pixels, in two folders."""
    folder = tmp_path / "pictures"
    for index, picture in enumerate(simple_pictures(6)):
        write_picture(folder / ("a" if index < 3 else "b") / f"{index}.png", picture)
    return folder


@pytest.fixture
def task(model: Path) -> MakeTask:
    def make(data: Path, metrics: str, *, folder: Path = model, **settings: Any) -> Task:
        networks, manifest = load_model(folder)
        fields = {"sampling": FAST, "bitrate_times": 3} | settings
        return Task(
            Pipeline(networks, torch.device("cpu")),
            manifest,
            folder,
            (data,),
            parse_metrics(metrics),
            settings=EvaluationSettings(**fields),
        )

    return make
