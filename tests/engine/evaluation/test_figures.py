"""Figures of an evaluation against the same quantities taken one picture at a time, in other ways."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import save_file

from tests.engine.evaluation.tasks import FAST, MakeTask
from tests.helpers.tiny import save_tiny, simple_pictures, tiny_config
from ul_engine.comparison import Rung, Study
from ul_engine.data.image_files import read_picture, write_picture
from ul_engine.data.pixels import clip_from_array
from ul_engine.errors import ConfigError, DeviceMemoryError
from ul_engine.evaluation import Evaluation, evaluate
from ul_engine.metrics.codecs import available_codecs
from ul_engine.metrics.lpips import Lpips, load_lpips
from ul_engine.metrics.rate_distortion import BITS_ARE_A_BOUND
from ul_engine.metrics.scores import score

DISTORTION = "psnr,ssim,ms-ssim,flip,mean-psnr,bits"
SEED = 40


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def found(task: MakeTask, pictures: Path, tmp_path: Path) -> Evaluation:
    return evaluate(task(pictures, DISTORTION, seed=SEED, num_decodes=3, batch_size=4), tmp_path / "out")


def studies(task: MakeTask, pictures: Path, **settings: Any) -> list[Study]:
    pipeline = task(pictures, "psnr").pipeline
    files = sorted(pictures.rglob("*.png"))
    return [
        Study(pipeline, read_picture(path)[None], seed=SEED + index, sampling=FAST, bitrate_times=3, **settings)
        for index, path in enumerate(files)
    ]


def test_each_row_is_what_a_study_of_that_picture_says(found: Evaluation, task: MakeTask, pictures: Path) -> None:
    for row, study in zip(found.rows, studies(task, pictures), strict=True):
        decoded = study.picture(Rung(5.0))
        expected = score(study.x, clip_from_array(decoded))[0]
        assert row["seed"] == study.seed
        # Kernels differ by batch size: 1/255 somewhere is some hundredths of a decibel.
        assert row["psnr_db"] == pytest.approx(expected.psnr_db, abs=0.02)
        assert row["ssim"] == pytest.approx(expected.ssim, abs=2e-3)
        assert (row["ms_ssim"], row["ms_ssim_scales"]) == (pytest.approx(expected.ms_ssim, abs=2e-3), 1)
        assert row["flip"] == pytest.approx(expected.flip, abs=2e-3)
        mean = clip_from_array(study.spread(Rung(5.0), 3).mean)
        assert row["mean_psnr_db"] == pytest.approx(float(score(study.x, mean)[0].psnr_db), abs=0.02)
        assert row["mean_psnr_db"] > row["psnr_db"]


def test_bits_are_those_of_each_seed_alone(found: Evaluation, task: MakeTask, pictures: Path) -> None:
    for row, study in zip(found.rows, studies(task, pictures), strict=True):
        for name in ("prior", "base"):
            bound = study.bitrate(restorer=name)
            bits = float(bound.nats[0]) / math.log(2)
            assert row[f"bits_per_pixel_{name}"] == pytest.approx(bits / 256, rel=1e-5)
            assert row[f"bits_per_latent_value_{name}"] == pytest.approx(bits / 64, rel=1e-5)
            whole = sum(row[f"band_bits_per_pixel_{name}"]) + row[f"terminal_bits_per_pixel_{name}"]
            assert whole == pytest.approx(row[f"bits_per_pixel_{name}"], rel=1e-5)


def test_means_and_errors(found: Evaluation) -> None:
    figures = found.report["metrics"]
    for name, key in (("psnr", "psnr_db"), ("flip", "flip"), ("mean-psnr", "mean_psnr_db")):
        values = np.array([row[key] for row in found.rows])
        assert figures[name]["mean"] == pytest.approx(values.mean(), rel=1e-12)
        assert figures[name]["standard_error"] == pytest.approx(values.std(ddof=1) / math.sqrt(6), rel=1e-12)
        assert figures[name]["num_samples"] == 6
    bits = figures["bits"]
    assert bits["note"] == BITS_ARE_A_BOUND == found.report["bits_are"]
    for name in ("prior", "base"):
        bands = bits[name]["bands"]
        assert (bands[0]["logsnr_low"], bands[-1]["logsnr_high"], len(bands)) == (-10.0, 5.0, 15)
        parts = sum(band["bits_per_pixel"]["mean"] for band in bands) + bits[name]["terminal_bits_per_pixel"]["mean"]
        assert parts == pytest.approx(bits[name]["bits_per_pixel"]["mean"], rel=1e-5)
    assert figures["ms-ssim"]["title"] == "MS-SSIM (1 of 5 scales)"


def test_batches_change_next_to_nothing(found: Evaluation, task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    single = evaluate(task(pictures, DISTORTION, seed=SEED, num_decodes=3, batch_size=1), tmp_path / "single")
    for one, other in zip(found.rows, single.rows, strict=True):
        assert one["psnr_db"] == pytest.approx(other["psnr_db"], abs=0.02)
        assert one["bits_per_pixel_prior"] == pytest.approx(other["bits_per_pixel_prior"], rel=1e-5)
    assert single.identity == found.identity


def test_files(found: Evaluation, tmp_path: Path) -> None:
    report = json.loads((tmp_path / "out" / "evaluation.json").read_text(), parse_constant=pytest.fail)
    assert report == json.loads(json.dumps(found.report))
    assert report["model"]["name"] == "Tiny"
    assert report["model"]["weights_sha256"].keys() == {"encoder", "prior", "decoder", "base"}
    assert report["settings"]["sampling"]["decoder"]["num_steps"] == 3
    assert len(report["program"]["torch"]) > 3
    lines = table(tmp_path / "out" / "per-sample.csv")
    assert [line["file"] for line in lines] == [row["file"] for row in found.rows]
    for line, row in zip(lines, found.rows, strict=True):
        assert float(line["psnr_db"]) == row["psnr_db"]
        assert float(line["bits_per_pixel_base"]) == row["bits_per_pixel_base"]
        assert (line["width"], line["height"], line["frames"], line["start"]) == ("16", "16", "1", "")
    worst = min(found.rows, key=lambda row: row["psnr_db"])
    assert report["worst_first"]["samples"][0]["file"] == worst["file"]


def test_every_setting_counts(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    plain = evaluate(task(pictures, "psnr,bits", limit=2), tmp_path / "plain").report["metrics"]
    changes: dict[str, Any] = {"seed": 1, "size_px": 12, "bitrate_times": 5, "limit": 3, "restorer": "base"}
    for name, value in changes.items():
        other = evaluate(task(pictures, "psnr,bits", **{"limit": 2, name: value}), tmp_path / name)
        assert other.report["metrics"] != plain, name
    assert other.report["metrics"]["bits"].keys() == {"title", "note", "base"}


def test_codecs_at_the_same_bits(task: MakeTask, tmp_path: Path) -> None:
    for index, picture in enumerate(simple_pictures(2, 64)):
        write_picture(tmp_path / "in" / f"{index}.png", picture)
    found = evaluate(task(tmp_path / "in", "codecs"), tmp_path / "out")
    usable = {codec.name for codec in available_codecs() if codec.problem is None}
    figures = found.report["metrics"]["codecs"]
    lines = table(tmp_path / "out" / "rate-distortion.csv")
    for row in found.rows:
        points = row["points"]
        assert points.keys() == usable | {"unified-latents"}
        ours = points["unified-latents"]
        assert ours["bits_per_pixel"] == pytest.approx(row["bits_per_pixel_prior"])
        for name in usable:
            fits = points[name]["bits_per_pixel"] <= ours["bits_per_pixel"]
            assert fits != points[name]["is_floor"]
            assert points[name]["distortion"]["psnr_db"] > 5
    assert len(lines) == 2 * (len(usable) + 1)
    for name in usable:
        parts = [figures[name][place] for place in ("at_equal_bits", "at_floor") if figures[name][place] is not None]
        assert sum(part["num_pictures"] for part in parts) == 2
        codec_psnr = [float(line["psnr_db"]) for line in lines if line["codec"] == name]
        our_psnr = [float(line["psnr_db"]) for line in lines if line["codec"] == "unified-latents"]
        differences = sum(part["difference"]["psnr_db"] * part["num_pictures"] for part in parts)
        assert differences == pytest.approx(sum(our_psnr) - sum(codec_psnr))
    for codec in available_codecs():
        if codec.problem is not None:
            assert figures[codec.name] == {"unavailable": codec.problem}


def test_samples_too_small_for_a_metric_have_none(task: MakeTask, tmp_path: Path) -> None:
    picture = simple_pictures(1)[0]
    for name, array in (("a", picture), ("b", picture[:9]), ("c", picture[:, :12])):
        write_picture(tmp_path / "in" / f"{name}.png", array)
    figures = evaluate(task(tmp_path / "in", "psnr,ssim,codecs"), tmp_path / "out").report["metrics"]
    assert (figures["psnr"]["num_samples"], figures["ssim"]["num_samples"]) == (3, 2)
    assert figures["ssim"]["warnings"] == ["1 samples are smaller than 11 pixels and have none"]
    assert [line["ssim"] == "" for line in table(tmp_path / "out" / "per-sample.csv")] == [False, True, False]
    assert len(table(tmp_path / "out" / "rate-distortion.csv")) % 2 == 0


def test_a_model_that_only_generates_is_measured_by_what_it_makes(
    task: MakeTask, pictures: Path, tmp_path: Path
) -> None:
    save_tiny(tmp_path / "m")
    manifest = json.loads((tmp_path / "m" / "config.json").read_text())
    del manifest["networks"]["encoder"]
    (tmp_path / "m" / "config.json").write_text(json.dumps(manifest))
    found = evaluate(task(pictures, "all", folder=tmp_path / "m"), tmp_path / "out").report
    assert {name for name, figures in found["metrics"].items() if "unavailable" not in figures} == {"gfd", "kd"}
    assert "cannot reconstruct" in found["metrics"]["psnr"]["unavailable"]
    with pytest.raises(ConfigError, match="no encoder"):
        evaluate(task(pictures, "bits", folder=tmp_path / "m"), tmp_path / "out")


def test_a_model_trained_in_one_stage_counts_bits_by_its_base_model(
    task: MakeTask, pictures: Path, tmp_path: Path
) -> None:
    save_tiny(tmp_path / "m", tiny_config(training="single-elbo"))
    found = evaluate(task(pictures, "bits,codecs", folder=tmp_path / "m", limit=1), tmp_path / "out")
    assert "one stage" in found.report["metrics"]["bits"]["prior"]["unavailable"]
    points = found.rows[0]["points"]["unified-latents"]
    assert points["setting"] == "bound by the base"
    assert points["bits_per_pixel"] == pytest.approx(found.rows[0]["bits_per_pixel_base"])
    assert found.report["metrics"]["bits"]["base"]["bits_per_pixel"]["standard_error"] is None


def test_lpips_with_its_weights(task: MakeTask, tmp_path: Path) -> None:
    weights = {f"features.{name}": value for name, value in Lpips("alex").features.state_dict().items()}
    save_file(weights, tmp_path / "alexnet-owt-7be5be79.safetensors")
    for index, side in enumerate((64, 64, 20)):
        write_picture(tmp_path / "in" / f"{index}.png", simple_pictures(1, side, seed=index)[0])
    asked = replace(task(tmp_path / "in", "lpips,codecs", batch_size=64), weights=tmp_path)
    found = evaluate(asked, tmp_path / "out")
    lpips = load_lpips(folder=tmp_path)
    studies = [
        Study(asked.pipeline, read_picture(tmp_path / "in" / f"{index}.png")[None], seed=index, sampling=FAST)
        for index in range(2)
    ]
    expected = [float(lpips(study.x, clip_from_array(study.picture(Rung(5.0))))) for study in studies]
    assert [row["lpips"] for row in found.rows] == [pytest.approx(value, rel=0.02) for value in expected] + [None]
    assert found.report["metrics"]["lpips"]["num_samples"] == 2
    points = [row["points"] for row in found.rows]
    assert points[0]["jpeg"]["distortion"]["lpips"] > 0
    assert points[2]["jpeg"]["distortion"]["lpips"] is None
    hashed = found.report["settings"]["lpips_weights_sha256"]
    assert len(hashed) == 64


def test_running_out_of_memory_is_explained(task: MakeTask, pictures: Path, tmp_path: Path) -> None:
    def fail(doing: str, done: int, total: int) -> None:
        raise MemoryError

    with pytest.raises(DeviceMemoryError, match="batch size"):
        evaluate(task(pictures, "psnr"), tmp_path / "out", observe=fail)
