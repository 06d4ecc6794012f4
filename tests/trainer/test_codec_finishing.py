"""The last step of a codec: what it needs is looked at first; a real run of two steps is judged beside codecs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.picture_sets import encoded, picture, write_folder, write_zip
from tests.helpers.tiny import tiny_config
from trainer.cli import main
from trainer.config import RunConfig, ValidationConfig, load_config, parse_config
from trainer.finishing.codec import CHART_NAME, REPORT_NAME, TABLE_NAME, CodecExtent, Judging, check_codec, finish_codec
from trainer.finishing.codec_report import OURS, family_chart, point_of
from trainer.recipes import recipe_file, recipe_names, recipe_parts
from trainer.train import run_training
from ul_engine.checkpoint import load_model
from ul_engine.errors import ConfigError, DataError

NUM_FILES = 40
SHORT = CodecExtent(
    num_choosing=2,
    gap=ValidationConfig(num_images=2, decoder_steps=1, bitrate_times=2),
    bitrate_times=2,
    timed_size=(32, 48),
)
CREDIT = "Smooth patterns drawn for this test, CC0 1.0."


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {f"{number:02d}.png": encoded(picture(number, 60, 44)) for number in range(NUM_FILES)}
    return write_zip(tmp_path_factory.mktemp("photographs") / "all.zip", files)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {f"{number}.png": encoded(picture(100 + number, 96, 80)) for number in range(2)}
    return write_folder(tmp_path_factory.mktemp("judged"), files)


def config_of(photographs: Path, **changes: Any) -> RunConfig:
    data = {"kind": "photographs", "path": str(photographs), "size_px": 32, "scene_share": 0.0}
    settings = {
        "stage": "stage1",
        "model": tiny_config(name="Tiny Codec", image_px=32).model_dump(mode="json"),
        "data": data,
        "num_steps": 2,
        "batch_size": 4,
        "precision": "fp32",
        "loading": {"num_workers": 0},
        "cadence": {"validate_every": 100, "preview_every": 100, "checkpoint_every": 100},
        "validation": {"num_images": 2, "decoder_steps": 1, "bitrate_times": 2},
    }
    return parse_config({**settings, **changes})


@pytest.mark.parametrize("name", [name for name in recipe_names() if name.startswith("photo-codec")])
def test_recipes_of_the_codec_are_one_family(name: str) -> None:
    config = load_config(recipe_file(name, "stage1"), ("data.path=somewhere",))
    low = load_config(recipe_file("photo-codec-low", "stage1"), ("data.path=somewhere",))
    assert recipe_parts(name) == ("stage1",)
    alike = {"name", "decoder_loss"}
    assert config.model.model_dump(exclude=alike) == low.model.model_dump(exclude=alike)
    assert config.data == low.data
    assert config.model.conditioning.kind == "none"
    assert config.model.downsampling == 8


def test_a_recipe_without_photographs_says_how_to_name_them() -> None:
    with pytest.raises(ConfigError, match=r"data\.path.*--set data\.path=VALUE"):
        load_config(recipe_file("photo-codec-low", "stage1"))


def test_nothing_is_trained_before_the_pictures_to_judge_by_are_there(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["recipe", "run", "photo-codec-low", "--runs", str(tmp_path / "runs"), "--set", f"data.path={photographs}"]
    assert main(words) != 0
    assert "judge" in capsys.readouterr().err
    assert main([*words, "--judge", str(tmp_path / "nowhere"), "--credit", CREDIT]) != 0
    assert "no such file or folder" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def _without_credit(judged: Path, photographs: Path) -> tuple[RunConfig, Judging]:
    return config_of(photographs), Judging(judged, " ")


def _judged_by_its_own(judged: Path, photographs: Path) -> tuple[RunConfig, Judging]:
    return config_of(photographs), Judging(photographs, CREDIT)


def _of_scenes(judged: Path, photographs: Path) -> tuple[RunConfig, Judging]:
    return config_of(photographs, data={"kind": "scenes", "size_px": 32}), Judging(judged, CREDIT)


@pytest.mark.parametrize(
    ("wrong", "field"), [(_without_credit, "credit"), (_judged_by_its_own, "judge"), (_of_scenes, "data.kind")]
)
def test_what_would_stop_the_last_step_stops_the_training(
    wrong: Callable[[Path, Path], tuple[RunConfig, Judging]], field: str, judged: Path, photographs: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_codec(*wrong(judged, photographs))
    assert caught.value.field == field


def test_a_copy_of_a_training_picture_is_not_judged(photographs: Path, judged: Path, tmp_path: Path) -> None:
    """Wherever it lies and whatever it is called."""
    files = {"new.png": encoded(picture(100, 96, 80)), "copy.png": encoded(picture(7, 60, 44))}
    with pytest.raises(ConfigError, match=r"copy\.png is in .*all\.zip too"):
        check_codec(config_of(photographs), Judging(write_folder(tmp_path / "mixed", files), CREDIT))
    tiny = write_folder(tmp_path / "tiny", {"a.png": encoded(picture(100, 96, 8))})
    with pytest.raises(ConfigError, match=r"a\.png is smaller than 11 pixels"):
        check_codec(config_of(photographs), Judging(tiny, CREDIT))


def _point(bits_per_pixel: float, psnr_db: float, *, is_floor: bool = False) -> dict[str, Any]:
    figures = {"psnr_db": psnr_db, "ssim": 0.5, "ms_ssim": 0.5, "flip": 0.5}
    return {"bits_per_pixel": bits_per_pixel, "is_floor": is_floor, "distortion": figures}


def test_means_are_over_the_same_pictures() -> None:
    """We are 2 dB better on each of four pictures, of which JPEG cannot go as low on the three hard ones."""
    easy = {"points": {OURS: _point(0.1, 36.0), "jpeg": _point(0.1, 34.0)}}
    hard = {"points": {OURS: _point(0.1, 26.0), "jpeg": _point(0.2, 24.0, is_floor=True)}}
    point = point_of({"name": "Ours", "rows": [easy, hard, hard, hard, {"points": None}]})
    beside = point.codecs["jpeg"]
    assert point.ours.figures["psnr_db"] - beside.everywhere.figures["psnr_db"] == pytest.approx(2.0)
    assert (point.ours.num_pictures, beside.everywhere.num_pictures, beside.num_floors) == (4, 4, 3)
    assert beside.everywhere.bits_per_pixel == pytest.approx(0.175)
    assert beside.equal is not None
    theirs, ours = beside.equal
    assert (theirs.figures["psnr_db"], ours.figures["psnr_db"]) == (34.0, 36.0)
    assert theirs.num_pictures == ours.num_pictures == 1
    chart = family_chart([point])
    assert "Means over 4 pictures" in chart
    assert "floor for 3" in chart


def test_broken_pictures_are_found_before_the_training(photographs: Path, judged: Path, tmp_path: Path) -> None:
    check_codec(config_of(photographs), Judging(judged, CREDIT))
    broken = write_folder(tmp_path / "broken", {"a.png": encoded(picture(0, 96, 80))[:300]})
    with pytest.raises(DataError, match=r"a\.png"):
        check_codec(config_of(photographs), Judging(broken, CREDIT))
    with pytest.raises(DataError):
        check_codec(config_of(tmp_path / "nowhere.zip"), Judging(judged, CREDIT))


@pytest.mark.stress
def test_a_finished_codec_states_what_was_measured(photographs: Path, judged: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    low, high = (tmp_path / "runs" / f"photo-codec-{name}-stage1" for name in ("low", "high"))
    run_training(config_of(photographs), low, device="cpu")
    run_training(config_of(photographs, seed=1), high, device="cpu")
    judging = Judging(judged, CREDIT)
    finish_codec({"stage1": low}, tmp_path / "models" / "photo-codec-low", judging, SHORT)
    out = tmp_path / "models" / "photo-codec-high"
    report = finish_codec({"stage1": high}, out, judging, SHORT)

    model, manifest = load_model(out, is_verified=True)
    assert model.base is None
    assert manifest.can_reconstruct
    assert not manifest.can_generate
    figures = manifest.calibration
    assert figures["psnr_db"] == report.metrics["psnr"]["mean"]
    assert figures["bits_per_pixel"] == report.metrics["bits"]["prior"]["bits_per_pixel"]["mean"]
    assert figures["shuffle_gap_db"] == pytest.approx(report.gap["psnr_db"] - report.gap["psnr_shuffled_db"])
    assert manifest.presets["Balanced"].decoder.num_steps <= 24

    card = (out / "README.md").read_text()
    for words in (
        CREDIT,
        "Details may be invented",
        "Bits are a bound",
        "JPEG",
        "| 0.png |",
        "recipe run photo-codec-high",
    ):
        assert words in card
    table, chart = ((high / name).read_text() for name in (TABLE_NAME, CHART_NAME))
    assert table.count("**Tiny Codec**") == 2  # with the other run beside it
    assert chart.startswith("<svg")
    assert json.loads((high / REPORT_NAME).read_text())["metrics"] == report.metrics
    again = finish_codec({"stage1": high}, out, judging, SHORT)
    assert again.plain() == report.plain()
