"""Distances between sets: the same numbers as from the library at once, whatever the batches."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.evaluation.tasks import MakeTask
from tests.helpers.tiny import class_conditioning, save_tiny, simple_pictures, tiny_config
from ul_engine.data.image_files import read_picture, write_picture
from ul_engine.data.pixels import pictures_from_array
from ul_engine.errors import ConfigError
from ul_engine.evaluation import Task, evaluate
from ul_engine.evaluation.generation import Generator
from ul_engine.evaluation.reconstruction import Reconstructor
from ul_engine.metrics.distribution import (
    generation_distance,
    kernel_generation_distance,
    reconstruction_distance,
)
from ul_engine.metrics.feature_networks import load_feature_network
from ul_engine.metrics.features.network import FeatureNetwork


@pytest.fixture(scope="module")
def network() -> FeatureNetwork:
    return load_feature_network("small")


def originals(pictures: Path) -> torch.Tensor:
    return pictures_from_array(np.stack([read_picture(path) for path in sorted(pictures.rglob("*.png"))]))


def test_reconstructions(task: MakeTask, pictures: Path, tmp_path: Path, network: FeatureNetwork) -> None:
    asked = task(pictures, "rfd", batch_size=4)
    found = evaluate(asked, tmp_path / "out")
    x = originals(pictures)
    frames = [read_picture(path)[None] for path in sorted(pictures.rglob("*.png"))]
    made = Reconstructor(asked.pipeline, asked.settings, found.plan).run(frames, range(6)).decodes[0][:, 0]
    expected = reconstruction_distance([(x, pictures_from_array(made))], network)
    figures = found.report["metrics"]["rfd"]
    assert figures["title"] == expected.name == "rFD-Small"
    assert figures["value"] == pytest.approx(expected.value, rel=1e-2)  # 1/255 by batch size
    assert figures["num_samples"] == [6, 6]
    assert figures["network"] == network.identity
    assert figures["warnings"] == list(expected.warnings)
    assert figures["standard_error"] is None


def test_generated_samples(task: MakeTask, pictures: Path, tmp_path: Path, network: FeatureNetwork) -> None:
    asked = task(pictures, "gfd,kd", num_generated=7, batch_size=3, seed=11, prompts=("a red cube", "a blue sphere"))
    report = evaluate(asked, tmp_path / "out").report["metrics"]
    x = originals(pictures)
    made = Generator(asked.pipeline, asked.manifest, asked.settings).run(range(7))
    distance = generation_distance([made], [x], network)
    assert report["gfd"]["title"] == distance.name == "gFD-Small"
    assert report["gfd"]["value"] == pytest.approx(distance.value, rel=1e-2)
    assert report["gfd"]["num_samples"] == [7, 6]
    assert report["gfd"]["condition"] == "2 prompts in turn"
    kernel = kernel_generation_distance([made], [x], network)
    assert report["kd"]["title"] == kernel.name == "KD-Small"
    assert report["kd"]["value"] == pytest.approx(kernel.value, rel=1e-2)
    assert report["kd"]["standard_error"] == pytest.approx(kernel.standard_error, rel=0.1)


def test_as_many_as_data_and_no_reconstruction_unless_needed(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    found = evaluate(task(pictures, "gfd", limit=4), tmp_path / "out")
    assert found.report["metrics"]["gfd"]["num_samples"] == [4, 4]
    assert found.report["metrics"]["gfd"]["condition"] == "no prompt: the null condition"
    assert sorted(path.name for path in (tmp_path / "out" / "features").iterdir()) == [
        "small-generated.npy",
        "small-original.npy",
    ]


def generated(asked: Task, *indices: int) -> torch.Tensor:
    return Generator(asked.pipeline, asked.manifest, asked.settings).run(indices)


def test_prompts_and_classes_in_turn(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    asked = task(pictures, "gfd", prompts=("a red cube", "a blue sphere"))
    single = task(pictures, "gfd", prompts=("a red cube",))
    assert torch.allclose(generated(asked, 2), generated(single, 2), atol=1e-4)
    assert not torch.allclose(generated(asked, 1), generated(single, 1), atol=1e-2)
    save_tiny(tmp_path / "m", tiny_config(conditioning=class_conditioning(3)))
    turns = task(pictures, "gfd", folder=tmp_path / "m")
    for index in (1, 5):
        named = task(pictures, "gfd", folder=tmp_path / "m", prompts=(str(index % 3),))
        assert torch.allclose(generated(turns, index), generated(named, index), atol=1e-4)


def test_conditions_that_the_model_does_not_take(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    save_tiny(tmp_path / "plain")
    with pytest.raises(ConfigError, match="neither text nor class"):
        evaluate(task(pictures, "gfd", folder=tmp_path / "plain", prompts=("a",)), tmp_path / "out")
    save_tiny(tmp_path / "classes", tiny_config(conditioning=class_conditioning(3)))
    with pytest.raises(ConfigError, match="'3' is no class of this model; it has 0 to 2"):
        evaluate(task(pictures, "gfd", folder=tmp_path / "classes", prompts=("1", "3")), tmp_path / "out")
    with pytest.raises(ConfigError, match="without frames to continue from"):
        evaluate(task(pictures, "gfd", continues=True), tmp_path / "out")


def test_too_few_are_left_in_the_end(task: MakeTask, tmp_path: Path) -> None:
    """Files that break while the evaluation runs: a distance over what is left says that it cannot be taken."""
    for index, picture in enumerate(simple_pictures(2)):
        write_picture(tmp_path / "in" / f"{index}.png", picture)

    def break_one(doing: str, done: int, total: int) -> None:
        if doing == "measuring samples":
            (tmp_path / "in" / "1.png").write_text("text")

    found = evaluate(task(tmp_path / "in", "psnr,rfd", skip_broken=True), tmp_path / "out", observe=break_one).report
    assert "at least 2 samples" in found["metrics"]["rfd"]["unavailable"]
    assert found["data"]["num_samples"] == 1
    assert [each["file"] for each in found["data"]["broken"]] == ["1.png"]
    assert "has changed" in found["data"]["broken"][0]["reason"]
