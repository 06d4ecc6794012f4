"""Measuring a point: the figures of `ul-engine evaluate` on exactly what training held out, kept over interruptions."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.helpers.tiny_runs import NUM_VALID, run_config
from trainer.data.opening import open_data
from trainer.run_dir import read_json, write_json
from trainer.sweep.definition import MeasureSettings
from trainer.sweep.folders import PointFolder, held_out_folder
from trainer.sweep.held_out import read_info, write_held_out
from trainer.sweep.measuring import evaluation_settings, measure_point
from trainer.sweep.results import figures_of
from trainer.train import run_training
from ul_engine.config import ConditioningConfig
from ul_engine.errors import CheckpointError, DataError
from ul_engine.model_folder import read_manifest

SETTINGS: dict[str, Any] = {
    "num_samples": NUM_VALID,
    "num_generated": NUM_VALID,
    "decoder_steps": 1,
    "base_steps": 1,
    "bitrate_times": 2,
    "num_gap_samples": 4,
    "batch_size": 3,
}


@pytest.fixture
def held_out(scenes: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "held-out" / "key"
    write_held_out(run_config(scenes), folder, 100)
    return folder


@pytest.fixture
def point(stage1_run: Path, tmp_path: Path) -> PointFolder:
    """A trained point without Stage 2 that waits to be measured."""
    folder = PointFolder(tmp_path / "point")
    shutil.copytree(stage1_run / "model", folder.root / "stage1" / "model")
    write_task(folder)
    return folder


def write_task(folder: PointFolder, *stages: str, **changes: Any) -> None:
    settings = MeasureSettings.model_validate(SETTINGS | changes)
    task = {
        "settings": settings.model_dump(mode="json", exclude={"batch_size"}),
        "held_out": "key",
        "stages": ["stage1", *stages],
        "batch_size": settings.batch_size,
    }
    write_json(folder.task, task)


def test_held_out_samples_are_those_of_the_data(scenes: Path, held_out: Path) -> None:
    config = run_config(scenes)
    _, valid = open_data(config.data, seed=config.seed)
    files = sorted((held_out / "samples").iterdir())
    assert len(files) == len(valid) == NUM_VALID
    for index, file in enumerate(files):
        assert np.array_equal(np.asarray(Image.open(file)), valid.sample(index, None).frames[0])
    info = read_info(held_out)
    assert info["captions"] == [valid.sample(index, None).caption for index in range(NUM_VALID)]
    assert info["fingerprint"] == valid.fingerprint


def test_held_out_samples_are_written_once(scenes: Path, held_out: Path) -> None:
    before = (held_out / "info.json").stat().st_mtime_ns
    write_held_out(run_config(scenes), held_out, 100)
    assert (held_out / "info.json").stat().st_mtime_ns == before
    assert [entry.name for entry in held_out.parent.iterdir()] == ["key"]


def test_too_few_held_out_samples_are_refused(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds out 3 samples"):
        write_held_out(run_config(scenes), tmp_path / "few", 3)


def test_place_of_held_out_samples_follows_the_data(scenes: Path) -> None:
    data = run_config(scenes).data.model_dump(mode="json")
    here = held_out_folder(Path("out"), data, 6)
    assert here == held_out_folder(Path("out"), data | {"cache": "elsewhere"}, 6)
    assert (
        len({here, held_out_folder(Path("out"), data | {"size_px": 32}, 6), held_out_folder(Path("o"), data, 7)}) == 3
    )


def test_stage_1_alone_has_everything_but_generated_samples(point: PointFolder, held_out: Path) -> None:
    measure_point(point.root, held_out, device="cpu")
    result = read_json(point.result)
    figures = figures_of(result)
    assert figures["num_samples"] == NUM_VALID
    missing = {name for name, value in figures.items() if value is None}
    assert missing == {
        *("gfd_small", "kd_small", "num_generated", "bits_per_pixel_base", "bits_per_pixel_base_error"),
    }
    assert result["metrics"]["gfd"]["unavailable"] == "the model has no base model and cannot generate"
    gap = figures["shuffle_gap_db"]
    assert gap is not None
    assert gap == pytest.approx(result["latent"]["psnr_db"] - result["latent"]["psnr_shuffled_db"])
    assert figures["latent_std"] == pytest.approx(read_manifest(point.root / "stage1" / "model").latent_std)


def test_measuring_again_keeps_what_is_there_and_other_settings_begin_anew(point: PointFolder, held_out: Path) -> None:
    measure_point(point.root, held_out, device="cpu")
    first, journal = read_json(point.result), point.evaluation / "journal.jsonl"
    before = journal.read_bytes()
    point.result.unlink()
    write_task(point, batch_size=2)
    measure_point(point.root, held_out, device="cpu")
    assert read_json(point.result)["metrics"] == first["metrics"]
    assert journal.read_bytes() == before
    write_task(point, seed=7)
    measure_point(point.root, held_out, device="cpu")
    assert read_json(point.result)["metrics"]["psnr"]["mean"] != first["metrics"]["psnr"]["mean"]


def test_both_stages_have_every_figure(scenes: Path, stage1_model: str, point: PointFolder, held_out: Path) -> None:
    config = run_config(scenes, "stage2", init_from=stage1_model)
    assert run_training(config, point.root / "stage2", device="cpu") == "finished"
    write_task(point, "stage2")
    measure_point(point.root, held_out, device="cpu")
    result = read_json(point.result)
    assert not {name for name, value in figures_of(result).items() if value is None}
    assert result["metrics"]["gfd"]["num_samples"] == [NUM_VALID, NUM_VALID]
    assert result["metrics"]["gfd"]["condition"] == f"{NUM_VALID} prompts in turn"


def test_conditions_are_those_of_the_held_out_samples(stage1_model: str) -> None:
    manifest = read_manifest(stage1_model)
    info = {"captions": ["a red cube", "a blue cone"], "labels": [3, 1]}
    settings = MeasureSettings(guidance=1.5)
    found = evaluation_settings(settings, manifest, info)
    assert found.prompts == ("a red cube", "a blue cone")
    assert found.sampling.guidance.weight == 1.5

    def told(conditioning: ConditioningConfig) -> tuple[str, ...]:
        model = manifest.model.model_copy(update={"conditioning": conditioning})
        return evaluation_settings(settings, manifest.model_copy(update={"model": model}), info).prompts

    assert told(ConditioningConfig(kind="class", num_classes=4)) == ("3", "1")
    assert told(ConditioningConfig()) == ()


def test_a_missing_model_is_named(point: PointFolder, held_out: Path) -> None:
    shutil.rmtree(point.root / "stage1")
    with pytest.raises(CheckpointError, match="stage1"):
        measure_point(point.root, held_out, device="cpu")
