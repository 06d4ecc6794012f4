"""Stage 2's latents: z_clean of the right encoder and data, built once, in float16, or not at all."""

import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.tiny import save_tiny, tiny_model
from tests.helpers.tiny_runs import run_config, sources
from trainer.latents import cached_latents
from trainer.pictures import ScenesPictures
from trainer.stage2 import Stage2
from ul_engine.checkpoint import load_model
from ul_engine.data.pixels import pictures_from_array
from ul_engine.errors import OutputError
from ul_engine.pipelines import Pipeline

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def pictures(scenes: Path) -> ScenesPictures:
    return sources(run_config(scenes))[0]


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline(tiny_model(), torch.device("cpu"))


def test_latents_are_z_clean(tmp_path: Path, pictures: ScenesPictures, pipeline: Pipeline) -> None:
    latents = cached_latents(tmp_path / "c", pipeline, pictures, encoder_hash="a")
    assert latents.shape == (len(pictures), 4, 4, 4)
    assert latents.dtype == np.float16
    z = pipeline.encode(pictures_from_array(pictures.batch(np.arange(len(pictures)))))[:, :, 0]
    difference = torch.from_numpy(np.asarray(latents).astype(np.float32)) - z
    assert float(difference.abs().max()) < 2e-3 * float(z.abs().max())  # far below the noise of 0.08 on z_0


def test_many_pictures_keep_their_places(
    tmp_path: Path, pictures: ScenesPictures, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = np.array(cached_latents(tmp_path / "whole", pipeline, pictures, encoder_hash="a"))
    monkeypatch.setattr("trainer.latents.ENCODE_BATCH", 7)
    parts = cached_latents(tmp_path / "parts", pipeline, pictures, encoder_hash="a")
    assert np.abs(whole.astype(np.float32) - parts).max() < 2e-3


def test_built_once_per_encoder_and_data(
    tmp_path: Path, scenes: Path, pictures: ScenesPictures, pipeline: Pipeline
) -> None:
    folder = tmp_path / "c"
    cached_latents(folder, pipeline, pictures, encoder_hash="a")
    (file,) = folder.iterdir()
    stamp = file.stat().st_mtime_ns
    cached_latents(folder, pipeline, pictures, encoder_hash="a")
    assert [path.stat().st_mtime_ns for path in folder.iterdir()] == [stamp]
    cached_latents(folder, pipeline, pictures, encoder_hash="b")
    assert len(list(folder.iterdir())) == 2
    others, _ = sources(run_config(scenes, data__train_seed=3))
    cached_latents(folder, pipeline, others, encoder_hash="a")
    assert len(list(folder.iterdir())) == 3


def test_another_encoder_is_never_served_old_latents(scenes: Path, tmp_path: Path) -> None:
    """The same folder of a Stage 1 model, trained on: Stage 2 sees latents of the new encoder."""
    config = run_config(scenes, "stage2", init_from=str(tmp_path / "m"))
    seen = []
    for seed in (1, 2):
        save_tiny(tmp_path / "m", config.model, seed=seed)
        stage = Stage2(config, *sources(config), device=torch.device("cpu"), cache=tmp_path / "latents")
        model, _ = load_model(tmp_path / "m")
        z = Pipeline(model, torch.device("cpu")).encode(pictures_from_array(stage.train_pictures.batch(np.arange(4))))
        torch.testing.assert_close(
            torch.from_numpy(stage.latents[:4].astype(np.float32)), z[:, :, 0], atol=5e-3, rtol=5e-3
        )
        seen.append(np.array(stage.latents[:4]))
    assert len(list((tmp_path / "latents").iterdir())) == 2
    assert not np.allclose(seen[0], seen[1], atol=1e-2)


def test_half_built_latents_are_not_taken(tmp_path: Path, pictures: ScenesPictures, pipeline: Pipeline) -> None:
    class Stopping(ScenesPictures):
        """The real pictures, until the power fails."""

        def batch(self, indices):
            raise SystemError("the power failed")

    stopping = Stopping(pictures._cache)
    with pytest.raises(SystemError):
        cached_latents(tmp_path / "c", pipeline, stopping, encoder_hash="a")
    assert not [path for path in (tmp_path / "c").iterdir() if not path.name.endswith(".tmp.npy")]
    assert cached_latents(tmp_path / "c", pipeline, pictures, encoder_hash="a").shape[0] == len(pictures)


# Once: clearing up after the failure raises NotADirectoryError in its place.
def test_an_unwritable_place(tmp_path: Path, pictures: ScenesPictures, pipeline: Pipeline) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        cached_latents(tmp_path / "file" / "c", pipeline, pictures, encoder_hash="a")


# Once: nothing asks for free space first. The file is mapped into memory and grows as it is written: on a full
# disk the process dies of SIGBUS instead of raising OutputError.
def test_a_full_disk(
    tmp_path: Path, pictures: ScenesPictures, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(2**40, 2**40 - 10, 10))
    with pytest.raises(OutputError):
        cached_latents(tmp_path / "c", pipeline, pictures, encoder_hash="a")
