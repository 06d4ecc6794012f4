"""What a sweep file says: points, their settings, the ways to change it, and every refusal."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.tiny_runs import run_data
from trainer.cli.sweep import add_parser
from trainer.cli.sweep import run as run_command
from trainer.config import Stage
from trainer.sweep.definition import SweepConfig, parse_sweep, read_sweep, sweep_file
from trainer.sweep.points import Point, points_of
from ul_engine.errors import ConfigError

LOSS_FACTOR, BIAS = "model.decoder_loss.loss_factor", "model.decoder_loss.sigmoid_bias"


def sweep_data(**changes: Any) -> dict[str, Any]:
    stage1 = run_data(Path("scenes"))
    return {"name": "A sweep", "stage1": stage1, "stage2": {"num_steps": 5}, "axes": {LOSS_FACTOR: [2, 4.5]}} | changes


def points(**changes: Any) -> list[Point]:
    return points_of(parse_sweep(sweep_data(**changes)), Path("out"))


def read(tmp_path: Path, *changes: str, axes: Sequence[str] = (), **data: Any) -> SweepConfig:
    file = tmp_path / "sweep.yaml"
    file.write_text(yaml.safe_dump(sweep_data(**data)))
    return read_sweep(file, changes, axes)


def test_grid_has_every_pair_and_zip_has_pairs_in_turn() -> None:
    axes = {LOSS_FACTOR: [2, 3], BIAS: [0.5, 1.5]}
    pairs = [tuple(point.axes.values()) for point in points(axes=axes)]
    assert pairs == [(2, 0.5), (2, 1.5), (3, 0.5), (3, 1.5)]
    assert [tuple(point.axes.values()) for point in points(axes=axes, combine="zip")] == [(2, 0.5), (3, 1.5)]


def test_a_change_reaches_both_stages_and_stage_2_starts_from_stage_1() -> None:
    first, _ = points()
    assert first.slug == "loss-factor-2"
    assert {config.model.decoder_loss.loss_factor for config in first.stages.values()} == {2.0}
    stage2 = first.stages[Stage.STAGE2]
    assert stage2.init_from == str(Path("out/loss-factor-2/stage1/model"))
    assert (first.stages[Stage.STAGE1].num_steps, stage2.num_steps) == (8, 5)
    assert stage2.batch_size == first.stages[Stage.STAGE1].batch_size


def test_a_change_of_one_stage_leaves_the_other_alone() -> None:
    (point,) = points(axes={"stage2.num_steps": [17]})
    assert (point.stages[Stage.STAGE1].num_steps, point.stages[Stage.STAGE2].num_steps) == (8, 17)


def test_variants_take_ablations_and_keep_their_place_on_the_axes() -> None:
    variant = points(variants={"B log-SNR 10": {"ablation": "logsnr-10", LOSS_FACTOR: 4.5}})[-1]
    assert variant.is_variant
    assert variant.slug == "b-log-snr-10"
    assert variant.axes == {LOSS_FACTOR: 4.5}
    assert {config.model.latent.logsnr_max for config in variant.stages.values()} == {10.0}
    base = points(variants={"D": {"ablation": "learned-variance"}})[-1]
    assert base.axes == {LOSS_FACTOR: 1.5}  # the recipe's own
    both = points(variants={"AD": {"ablation": ["no-prior-gradient", "learned-variance"]}})[-1]
    model = both.stages[Stage.STAGE1].model
    assert (model.prior.kind, model.encoder.variance) == ("detached", "learned")


def test_a_recipe_of_the_program_can_be_the_base() -> None:
    sweep = parse_sweep({"name": "r", "recipe": "scenes-tiny", "stage2": {}, "axes": {"seed": [0, 1]}})
    point = points_of(sweep, Path("out"))[1]
    assert point.stages[Stage.STAGE1].num_steps == 800
    assert point.stages[Stage.STAGE2].num_steps == 1000
    assert {config.seed for config in point.stages.values()} == {1}


def test_settings_and_axes_from_the_command_line(tmp_path: Path) -> None:
    changes = ("batch_size=6", "stage2.num_steps=3", "measure.num_samples=9")
    sweep = read(tmp_path, *changes, axes=(f"{LOSS_FACTOR}=1,1e1", "seed=0,1"))
    assert sweep.axes == {LOSS_FACTOR: (1, 10.0), "seed": (0, 1)}
    assert sweep.measure.num_samples == 9
    stages = points_of(sweep, Path("out"))[0].stages
    assert {config.batch_size for config in stages.values()} == {6}
    assert (stages[Stage.STAGE1].num_steps, stages[Stage.STAGE2].num_steps) == (8, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {}}, "at least one axis or one variant"),
        ({"axes": {LOSS_FACTOR: []}}, "has no values"),
        ({"axes": {LOSS_FACTOR: [1, 2], "seed": [1]}, "combine": "zip"}, "as many values"),
        ({"nonsense": 1}, "nonsense"),
        ({"measure": {"num_samples": 1}}, "measure.num_samples"),
    ],
)
def test_a_wrong_file_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_sweep(sweep_data(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {"model.decoder_loss.loss_facto": [1]}}, "loss facto 1.*decoder_loss.loss_facto"),
        ({"axes": {"num_steps.deep": [1]}}, "num_steps is a value, not a section"),
        ({"axes": {LOSS_FACTOR: [2, 2]}}, "share the folder loss-factor-2"),
        ({"variants": {"x": {"ablation": "logsnr-11"}}}, "did you mean logsnr-10"),
        ({"variants": {"???": {"seed": 3}}}, "no name for a folder"),
    ],
)
def test_points_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        points(**changes)


def test_changes_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no Stage 2"):
        read(tmp_path, "stage2.num_steps=1", stage2=None)
    with pytest.raises(ConfigError, match="key=value,value"):
        read(tmp_path, axes=("seed",))
    with pytest.raises(ConfigError, match=r"no sweep file 'x'.*loss-factor-scenes-32"):
        sweep_file("x")


@pytest.mark.parametrize("name", ["loss-factor-cifar-32", "loss-factor-scenes-32"])
def test_sweeps_of_the_loss_factor_are_whole(name: str) -> None:
    found = points_of(read_sweep(sweep_file(name)), Path("out"))
    factors = [point.axes[LOSS_FACTOR] for point in found if not point.is_variant]
    assert len(factors) == 5
    assert factors == sorted(factors)
    variants = [point for point in found if point.is_variant]
    assert [point.name[0] for point in variants] == ["A", "B", "D"]
    assert all(point.axes[LOSS_FACTOR] in factors for point in variants)


def test_the_sweep_of_the_bundled_model_has_both_neighbours_of_its_loss_factor_and_bias() -> None:
    found = points_of(read_sweep(sweep_file("loss-factor-scenes-64")), Path("out"))
    assert [point.axes[LOSS_FACTOR] for point in found if not point.is_variant] == [5.0, 2.5, 10.0]
    biases = [
        config.model.decoder_sigmoid_bias for point in found if point.is_variant for config in point.stages.values()
    ]
    usual = next(iter(found[0].stages.values())).model.decoder_sigmoid_bias
    assert [bias - usual for bias in biases] == pytest.approx([-2.0, -2.0, 2.0, 2.0], abs=0.01)


def test_the_sweep_of_remedies_is_whole() -> None:
    found = points_of(read_sweep(sweep_file("collapse-scenes-32")), Path("out"))
    assert len(found) == 9
    assert sum(point.is_variant for point in found) == 3


def test_the_sweep_of_time_is_whole() -> None:
    found = points_of(read_sweep(sweep_file("time-scenes-32")), Path("out"))
    assert [point.axes["model.video.temporal_downsampling"] for point in found] == [4, 2, 1]
    frames = [config.model.latent_shape(32, 32, 16)[1] for point in found for config in point.stages.values()]
    assert frames == [4, 4, 8, 8, 16, 16]


def test_dry_run_lists_points_and_only_chooses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:

    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    file = tmp_path / "sweep.yaml"
    file.write_text(yaml.safe_dump(sweep_data(variants={"D learned": {"ablation": "learned-variance"}})))
    given = ["sweep", str(file), "--out", str(tmp_path / "out"), "--dry-run"]
    assert run_command(parser.parse_args([*given, "--only", "4.5", "--only", "D"])) == 0
    listed = capsys.readouterr().out
    assert "2 points" in listed
    assert "changes: model.decoder_loss.loss_factor=4.5" in listed
    assert "changes: ablation=learned-variance" in listed
    assert "stage2: 5 steps of 4" in listed
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="no point 'E'; there are loss factor 2"):
        run_command(parser.parse_args([*given, "--only", "E"]))
