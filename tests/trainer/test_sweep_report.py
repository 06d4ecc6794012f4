"""From figures to table and chart: rules that hold and that do not, ablations beside the paper, unfinished sweeps."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.helpers.tiny_runs import run_data
from trainer.run_dir import write_json
from trainer.sweep.definition import SweepConfig, parse_sweep
from trainer.sweep.folders import PointFolder
from trainer.sweep.paper import TABLE_2
from trainer.sweep.points import Point, points_of
from trainer.sweep.report import CHART_NAME, write_report
from trainer.sweep.results import rows_of
from trainer.sweep.rules import direction, directions_of, findings_of, lines_of
from ul_engine.errors import CheckpointError

LOSS_FACTOR, BIAS = "model.decoder_loss.loss_factor", "model.decoder_loss.sigmoid_bias"
VARIANTS = {
    "A no prior gradient": {"ablation": "no-prior-gradient", LOSS_FACTOR: 4.5},
    "B log-SNR 10": {"ablation": "logsnr-10", LOSS_FACTOR: 4.5},
}


def swept(out: Path, **changes: Any) -> tuple[SweepConfig, list[Point]]:
    data = {"name": "A sweep", "stage1": run_data(Path("scenes")), "stage2": {}, "axes": {LOSS_FACTOR: [2, 3, 4.5]}}
    sweep = parse_sweep(data | changes)
    return sweep, points_of(sweep, out)


def measured(point: Point, *, bits: float, psnr: float, rfd: float = 1.0, gfd: float | None = 2.0) -> None:
    """A result as measuring writes it, with these figures."""
    bound = {"bits_per_pixel": {"mean": bits, "standard_error": 0.1}, "bits_per_latent_value": {"mean": 0.5}}
    metrics = {
        "psnr": {"mean": psnr, "standard_error": 0.1, "num_samples": 12},
        "ssim": {"unavailable": "too small"},
        "bits": {"prior": bound, "base": bound},
        "rfd": {"value": rfd, "num_samples": [12, 12]},
        "gfd": {"value": gfd, "num_samples": [10, 12]} if gfd is not None else {"unavailable": "no base model"},
        "kd": {"value": 0.01},
    }
    latent = {"shuffle_gap_db": 3.0, "psnr_shuffled_db": psnr - 3.0, "latent_std": 0.4}
    point.folder.mkdir(parents=True)
    folder = PointFolder(point.folder)
    write_json(folder.result, {"metrics": metrics, "latent": latent, "num_parameters": {"encoder": 5, "base": 7}})
    folder.write_state("done", step="stage1", took_s=90.0)


def test_rules_hold_where_figures_rise_together(tmp_path: Path) -> None:
    _, points = swept(tmp_path)
    for number, point in enumerate(points):
        measured(point, bits=0.1 + 0.1 * number, psnr=20.0 + number, rfd=3.0 - number)
    found = findings_of(rows_of(points))
    assert [finding.holds for finding in found] == [True, True, True, True]
    assert not any(finding.exceptions for finding in found)


def test_rules_name_the_place_where_they_do_not_hold(tmp_path: Path) -> None:
    _, points = swept(tmp_path)
    for point, bits, psnr in zip(points, (0.1, 0.3, 0.2), (20.0, 22.0, 23.0), strict=True):
        measured(point, bits=bits, psnr=psnr)
    by_sentence = {finding.sentence: finding for finding in findings_of(rows_of(points))}
    rises = by_sentence["bits/pixel (prior) rises with the loss factor"]
    assert rises.exceptions == ("loss factor 3 → loss factor 4.5: bits/pixel (prior) 0.3 → 0.2",)
    together = by_sentence["bits/pixel (prior) and PSNR (dB) rise together"]
    assert together.holds is False
    assert together.exceptions[0].startswith("loss factor 4.5 → loss factor 3: ")


def test_one_point_says_nothing_about_rules(tmp_path: Path) -> None:
    _, points = swept(tmp_path)
    measured(points[0], bits=0.1, psnr=20.0)
    assert findings_of(rows_of(points)) == []


def test_two_axes_make_a_line_for_each_value_of_the_second(tmp_path: Path) -> None:
    sweep, points = swept(tmp_path, axes={LOSS_FACTOR: [3, 2], BIAS: [0.5, 1.5]})
    for number, point in enumerate(points):
        measured(point, bits=0.1 + 0.1 * number, psnr=20.0 + number)
    lines = lines_of(rows_of(points))
    assert [name for name, _ in lines] == ["0.5", "1.5"]
    assert [[row.point.axes[LOSS_FACTOR] for row in line] for _, line in lines] == [[2, 3], [2, 3]]
    write_report(sweep, points, tmp_path)
    assert "sigmoid bias 1.5" in (tmp_path / CHART_NAME).read_text()


def test_ablations_stand_beside_the_paper(tmp_path: Path) -> None:
    _, points = swept(tmp_path, variants=VARIANTS)
    for point in points[:3]:
        measured(point, bits=0.2, psnr=22.0, rfd=1.0, gfd=2.0)
    measured(points[3], bits=0.5, psnr=21.0, rfd=1.01, gfd=3.0)
    measured(points[4], bits=0.02, psnr=12.0, rfd=9.0, gfd=None)
    found = [(each.variant[0], each.here, each.paper, each.agrees) for each in directions_of(rows_of(points))]
    assert found == [
        ("A", "up", "up", True),
        ("A", "same", "up", False),
        ("A", "up", "up", True),
        ("B", "down", "down", True),
        ("B", "up", "up", True),
        ("B", None, None, None),
    ]


def test_directions_have_a_margin() -> None:
    assert [direction(1.0, value) for value in (0.9, 0.96, 1.04, 1.1, None)] == ["down", "same", "same", "up", None]


def test_report_of_an_unfinished_sweep(tmp_path: Path) -> None:
    sweep, points = swept(tmp_path, variants=VARIANTS, description="What it is for.")
    measured(points[0], bits=0.1234, psnr=20.0)
    measured(points[1], bits=0.2, psnr=21.0, gfd=None)
    points[3].folder.mkdir()
    PointFolder(points[3].folder).write_state("failed", reason="the loss is not finite")
    rows = write_report(sweep, points, tmp_path)
    assert [row.state for row in rows] == ["done", "done", "waiting", "failed", "waiting"]
    text = (tmp_path / "sweep.md").read_text()
    for part in ("What it is for.", "0.123", "A no prior gradient: failed (the loss is not finite)", "| 2.1 | 0.116 |"):
        assert part in text
    assert "not an FID" in text
    assert "| 1.5 |" in text  # minutes
    assert all("| –" in line for line in text.splitlines() if line.startswith("| B log-SNR 10 (4.5)"))


def test_files_hold_what_was_measured(tmp_path: Path) -> None:
    sweep, points = swept(tmp_path)
    for number, point in enumerate(points):
        measured(point, bits=0.1 + 0.1 * number, psnr=20.0 + number)
    write_report(sweep, points, tmp_path)
    lines = list(csv.DictReader(io.StringIO((tmp_path / "sweep.csv").read_text())))
    assert [float(line["bits_per_pixel_prior"]) for line in lines] == pytest.approx([0.1, 0.2, 0.3])
    assert [line[LOSS_FACTOR] for line in lines] == ["2", "3", "4.5"]
    assert lines[0]["ssim"] == ""
    found = json.loads((tmp_path / "sweep.json").read_text())
    assert found["points"][2]["figures"]["psnr_db"] == 22.0
    assert found["points"][2]["figures"]["num_parameters"] == 12
    root = ElementTree.fromstring((tmp_path / CHART_NAME).read_text())
    circles = list(root.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) >= 3 * (len(points) + len(TABLE_2))


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    sweep, points = swept(tmp_path)
    points[0].folder.mkdir(parents=True)
    PointFolder(points[0].folder).result.write_text("{")
    with pytest.raises(CheckpointError, match=r"result\.json: is not valid JSON"):
        write_report(sweep, points, tmp_path)
