"""Metrics by name and group, and what is told of those that cannot be computed."""

from pathlib import Path

import pytest

from tests.helpers.tiny import tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.evaluation import METRICS, EvaluationSettings, parse_metrics
from ul_engine.evaluation.files import SourceFile
from ul_engine.evaluation.inventory import Sample
from ul_engine.evaluation.plan import Circumstances, in_batches, make_plan
from ul_engine.metrics.feature_networks import available
from ul_engine.model_folder import Manifest, NetworkFile


def manifest(config: ModelConfig, *networks: str) -> Manifest:
    entry = NetworkFile(file="a.safetensors", sha256="0" * 64, num_parameters=1)
    return Manifest(model=config, networks=dict.fromkeys(networks or ("encoder", "prior", "decoder", "base"), entry))


def sample(index: int, height: int = 16, width: int = 16, num_frames: int = 1) -> Sample:
    return Sample(index, SourceFile(f"{index}.png", Path(f"{index}.png")), "", height, width, num_frames)


def circumstances(found: Manifest, tmp_path: Path, *samples: Sample, **settings: object) -> Circumstances:
    networks = {entry.name: entry for entry in available(tmp_path)}
    return Circumstances(found, EvaluationSettings(**settings), networks, "no weights here", samples)


def test_names_and_groups() -> None:
    choice = parse_metrics(" SSIM, generation,psnr ")
    assert choice.names == ("psnr", "ssim", "gfid", "gfd", "kid", "kd", "fvd", "fd-clip")
    assert choice.explicit == {"psnr", "ssim"}
    assert parse_metrics("all").names == tuple(METRICS)
    assert parse_metrics("all").explicit == frozenset()


@pytest.mark.parametrize(("text", "reason"), [("psnr,fid", "'fid' is no metric"), (" , ", "at least one")])
def test_unknown_names_list_what_there_is(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        parse_metrics(text)
    assert "rfid" in str(caught.value)
    assert "all" in str(caught.value)


def test_distances_go_by_fid_and_fvd_with_their_own_networks_only() -> None:
    for metric in METRICS.values():
        if metric.distance is not None:
            assert ("Small" in metric.title) == metric.distance.network.startswith("small")
            assert ("FID" in metric.title or metric.title == "KID") == (metric.distance.network == "inception")


PICTURES, CLIPS = tiny_config(), clip_config(4)
PROBLEMS = {
    "no weights": (PICTURES, (), "rfid", "put pt_inception"),
    "no LPIPS": (PICTURES, (), "lpips", "no weights here"),
    "one decode": (PICTURES, (), "mean-psnr", "--decodes"),
    "picture model": (PICTURES, (), "flicker", "for clips"),
    "picture distance": (CLIPS, (), "rfd", "for pictures"),
    "clip codecs": (CLIPS, (), "codecs", "for pictures"),
    "short clips": (CLIPS, (), "fvd", "put i3d"),
    "no encoder": (PICTURES, ("decoder", "base"), "psnr", "cannot reconstruct"),
    "no encoder for bits": (PICTURES, ("decoder", "base"), "bits", "no encoder"),
    "no base": (PICTURES, ("encoder", "prior", "decoder"), "gfd", "cannot generate"),
    "no restorer": (PICTURES, ("encoder", "decoder"), "bits", "no prior; the model has no base"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_cannot_be_computed_is_an_error_by_name_and_a_reason_in_a_group(problem: str, tmp_path: Path) -> None:
    config, networks, name, reason = PROBLEMS[problem]
    case = circumstances(manifest(config, *networks), tmp_path)
    with pytest.raises(ConfigError, match=reason) as caught:
        make_plan(parse_metrics(f"{name},all"), case)
    assert caught.value.field == "metrics"
    plan = make_plan(parse_metrics("all"), case)
    assert reason in plan.rest[name]
    assert name not in plan.names


def test_what_the_data_do_not_allow(tmp_path: Path) -> None:
    found = manifest(PICTURES)
    plan = make_plan(parse_metrics("all"), circumstances(found, tmp_path, sample(0, 10, 40)))
    assert {"ssim", "ms-ssim", "codecs"} <= plan.rest.keys()
    assert "11 pixels" in plan.rest["ssim"]
    assert "at least 2 samples" in plan.rest["rfd"]
    assert "at least 4 samples" in plan.rest["kd"]
    assert {"psnr", "flip", "bits"} <= set(plan.names)
    mixed = make_plan(parse_metrics("ssim"), circumstances(found, tmp_path, sample(0, 10, 40), sample(1)))
    assert mixed.names == ("ssim",)


def test_both_bounds_or_the_one_that_is_there(tmp_path: Path) -> None:
    alone = circumstances(manifest(PICTURES, "encoder", "decoder", "base"), tmp_path)
    plan = make_plan(parse_metrics("bits"), alone)
    assert plan.restorers == ("base",)
    assert plan.missing_restorers == {"prior": "the model has no prior"}
    both = make_plan(parse_metrics("bits"), circumstances(manifest(PICTURES), tmp_path))
    assert both.restorers == ("prior", "base")
    assert make_plan(parse_metrics("psnr"), alone).restorers == ()


def test_batches_hold_one_size_and_large_samples_go_alone() -> None:
    shapes = [(16, 16), (16, 20), (16, 16), (64, 64), (16, 16), (16, 20), (16, 16)]
    samples = [sample(index, *shape) for index, shape in enumerate(shapes)]
    batches = in_batches(samples, EvaluationSettings(batch_size=3), PICTURES)
    assert [[each.index for each in batch] for batch in batches] == [[0, 2, 4], [1, 5], [3], [6]]
