"""Sweeps with one click: their definition, their folders while at work and afterwards, table and charts, a real one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from PySide6.QtGui import QGuiApplication

from app.models.sweeps.reading import SweepReport, SweepRow, find_sweeps, read_sweep_folder, stop_sweep
from app.models.sweeps.settings import SweepSettings, definition, proposed
from app.models.sweeps.sweeps import Sweeps, SweepStart
from app.services.training_launch import TrainingLaunch
from app.ui.widgets.train.sweeps.charts import SweepCharts
from app.ui.widgets.train.sweeps.new_sweep import NewSweep
from app.ui.widgets.train.sweeps.results import SweepResults
from app.ui.widgets.train.sweeps.tables import PointsTable, paper_table
from tests.app.conftest import RunAsync, until
from tests.app.driving import click, texts
from tests.helpers.picture_sets import two_classes, write_folder
from tests.helpers.tiny import tiny_config
from trainer.config import RunConfig, Stage, parse_config
from trainer.run_dir import write_json
from trainer.sweep.definition import parse_sweep
from trainer.sweep.folders import PointFolder
from trainer.sweep.points import Point, points_of
from trainer.sweep.results import figures_of


def run_settings(data: Any = None, **changes: Any) -> RunConfig:
    settings = {
        "stage": "stage1",
        "model": tiny_config(name="Holiday").model_dump(mode="json"),
        "data": data or {"kind": "pictures", "path": "/pictures", "size_px": 16, "num_valid": 40},
        "num_steps": 8,
        "batch_size": 4,
        "precision": "fp32",
        "num_threads": 1,
        "loading": {"num_workers": 0},
        "validation": {"num_images": 2, "decoder_steps": 1, "bitrate_times": 2},
    }
    return parse_config(settings | changes)


def measured(point: Point, *, bits: float, psnr: float) -> None:
    """A result as measuring writes it."""
    bound = {"bits_per_pixel": {"mean": bits, "standard_error": 0.1}, "bits_per_latent_value": {"mean": 0.5}}
    metrics = {
        "psnr": {"mean": psnr, "standard_error": 0.1, "num_samples": 12},
        "bits": {"prior": bound},
        "rfd": {"value": 1.5},
    }
    latent = {"shuffle_gap_db": 3.0, "psnr_shuffled_db": psnr - 3.0, "latent_std": 0.4}
    point.folder.mkdir(parents=True)
    result = {"metrics": metrics, "latent": latent, "num_parameters": {"encoder": 5}}
    assert figures_of(result)["psnr_db"] == psnr
    write_json(PointFolder(point.folder).result, result)
    PointFolder(point.folder).write_state("done", step="stage1", took_s=90.0)


def swept(folder: Path, **changes: Any) -> list[Point]:
    """The folder of a sweep that was just begun."""
    fields = {"name": folder.name, "loss_factors": (2.0, 4.0, 6.0)} | changes
    whole = definition(SweepSettings(**fields), run_settings())
    folder.mkdir(parents=True)
    (folder / "definition.yaml").write_text(yaml.safe_dump(whole))
    return points_of(parse_sweep(whole), folder)


# ---- what is asked for --------------------------------------------------------------------------------------------


def test_proposed_values_lie_around_what_is_set() -> None:
    config = run_settings(model=tiny_config().model_dump(mode="json") | {"decoder_loss": {"loss_factor": 4.0}})
    assert proposed(config, "x") == {"name": "x", "loss_factors": [2.0, 3.0, 4.0, 5.0, 6.0]}


@pytest.mark.parametrize("use_stage2", [False, True])
def test_the_definition_is_what_the_trainer_takes(tmp_path: Path, use_stage2: bool) -> None:
    settings = SweepSettings(name="try", loss_factors=(2.0, 4.5), biases=(-1.0, 0.0, 1.0), use_stage2=use_stage2)
    assert settings.num_points == 6
    points = points_of(parse_sweep(yaml.safe_load(yaml.safe_dump(definition(settings, run_settings())))), tmp_path)
    assert len(points) == 6
    first = points[0].stages[Stage.STAGE1]
    assert (first.model.decoder_loss.loss_factor, first.model.decoder_loss.sigmoid_bias) == (2.0, -1.0)
    assert first.data == run_settings().data
    assert (Stage.STAGE2 in points[0].stages) is use_stage2


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"loss_factors": []}, "loss_factors"),
        ({"loss_factors": [0.0]}, "loss_factors"),
        ({"loss_factors": [2.0, 2.0]}, "loss_factors"),
        ({"biases": [1.0, 1.0]}, "biases"),
        ({"name": "../x"}, "name"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(
    owned: Callable[[Any], Any], tmp_path: Path, changes: dict[str, Any], path: str
) -> None:
    sweeps = owned(Sweeps(tmp_path))
    sweeps.prepare(tmp_path, run_settings(), device="cpu", run_seconds=60.0)
    assert sweeps.form.errors == {}
    sweeps.form.update(changes)
    assert list(sweeps.form.errors) == [path]
    assert not sweeps.start()


def test_start_go_on_and_names_that_are_taken(owned: Callable[[Any], Any], tmp_path: Path) -> None:
    sweeps = owned(Sweeps(tmp_path))
    wishes: list[SweepStart] = []
    sweeps.start_wanted.connect(wishes.append)
    sweeps.prepare(tmp_path, run_settings(), device="cpu", run_seconds=60.0)
    assert sweeps.form.value("name") == "holiday-sweep"
    assert sweeps.start()
    assert wishes[0].folder == tmp_path / "holiday-sweep"
    assert wishes[0].definition is not None
    sweeps.note_failed("the disk is full")
    assert sweeps.state.trouble == "the disk is full"
    swept(tmp_path / "holiday-sweep")
    assert not sweeps.start()
    assert "already" in sweeps.state.trouble
    sweeps.note_reports(find_sweeps(tmp_path))
    sweeps.go_on()
    assert (wishes[-1].definition, wishes[-1].folder) == (None, tmp_path / "holiday-sweep")


# ---- what stands in the folder ------------------------------------------------------------------------------------


def test_a_sweep_is_read_from_its_points_while_it_goes(tmp_path: Path) -> None:
    first, second, third = swept(tmp_path / "one", biases=(0.5,))
    measured(first, bits=0.2, psnr=21.0)
    second.folder.mkdir()
    PointFolder(second.folder).write_state("running")
    with FileLock(tmp_path / "one" / ".sweep.lock"):
        found = read_sweep_folder(tmp_path / "one")
    assert (found.is_running, found.num_done, found.axes) == (True, 1, ("loss factor", "sigmoid bias"))
    assert [row.state for row in found.rows] == ["done", "running", "waiting"]
    assert found.rows[0].figures["psnr_db"] == 21.0
    assert found.rows[0].values == ("2", "0.5")
    later = read_sweep_folder(tmp_path / "one")
    assert [row.state for row in later.rows] == ["done", "interrupted", "waiting"]
    assert later.can_go_on
    assert third.slug in str(third.folder)


def test_all_sweeps_also_of_the_command_line_and_broken_ones(tmp_path: Path) -> None:
    swept(tmp_path / "one")
    (tmp_path / "a-run").mkdir()
    (tmp_path / "cli").mkdir()
    point = {"name": "loss factor 2", "axes": {"model.decoder_loss.loss_factor": 2}, "state": "done", "reason": ""}
    write_json(tmp_path / "cli" / "sweep.json", {"name": "By hand", "points": [point | {"figures": {"psnr_db": 20}}]})
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "definition.yaml").write_text("- no\n")
    found = {Path(report.folder).name: report for report in find_sweeps(tmp_path)}
    assert set(found) == {"one", "cli", "broken"}
    assert (found["cli"].name, found["cli"].rows[0].values) == ("By hand", ("2",))
    assert "mapping" in found["broken"].problem
    assert find_sweeps(tmp_path / "nowhere") == ()
    assert not stop_sweep(tmp_path / "one")


# ---- what is shown ------------------------------------------------------------------------------------------------


def reported(folder: str = "/runs/x", **changes: Any) -> SweepReport:
    figures = {"bits_per_pixel_prior": 0.2, "psnr_db": 21.5, "rfd_small": 1.25}
    rows = (
        SweepRow("loss factor 2", ("2",), "done", "", figures),
        SweepRow("loss factor 4", ("4",), "done", "", figures | {"bits_per_pixel_prior": 0.4, "psnr_db": 23.0}),
        SweepRow("loss factor 6", ("6",), "failed", "the loss was not finite", {}),
    )
    return SweepReport(folder, "x", ("loss factor",), rows, **changes)


def test_table_and_chart_show_what_is_measured(owned: Callable[[Any], Any]) -> None:
    table = owned(PointsTable("points"))
    table.show_report(reported())
    head, rows = table.content
    assert tuple(head[:4]) == ("loss factor", "state", "bits/pixel (prior)", "rFD-Small")
    assert rows[0][:5] == ("2", "measured", "0.200", "1.250", "21.50")
    assert rows[2][:3] == ("6", "failed", "–")
    table.copy()
    assert QGuiApplication.clipboard().text().splitlines()[1].startswith("2\tmeasured\t0.200")
    charts = owned(SweepCharts())
    charts.show_report(reported())
    ours, paper = charts.charts["psnr_db"].series
    assert (list(ours.x), list(ours.y)) == ([0.2, 0.4], [21.5, 23.0])
    assert paper.name == "the paper's Table 2 (ImageNet, 512 px)"
    assert (paper.x[0], paper.y[-1]) == (0.035, 30.1)
    assert charts.charts["gfd_small"].series == ()
    assert [row[0] for row in owned(paper_table(charts)).content[1]] == ["1.3", "1.5", "1.7", "1.9", "2.1"]


def test_the_page_says_how_it_stands_and_what_can_be_done(owned: Callable[[Any], Any], tmp_path: Path) -> None:
    sweeps = owned(Sweeps(tmp_path))
    page = owned(SweepResults(sweeps))
    page.resize(880, 900)
    page.show()
    sweeps.note_reports(())
    assert "No sweep yet" in texts(page)
    stopped: list[str] = []
    sweeps.stop_wanted.connect(stopped.append)
    sweeps.note_reports((reported(is_running=True),))
    assert "2 of 3 points are measured" in texts(page)
    assert "loss factor 6: the loss was not finite" in texts(page)
    assert not page.go_on_button.isVisible()
    click(page.stop_button)
    assert stopped == ["/runs/x"]
    sweeps.note_reports((reported(),))
    assert page.go_on_button.isVisible()
    assert not page.stop_button.isVisible()


def test_the_cost_is_said_before_the_start(owned: Callable[[Any], Any], tmp_path: Path) -> None:
    sweeps = owned(Sweeps(tmp_path))
    page = owned(NewSweep(sweeps))
    sweeps.prepare(tmp_path, run_settings(), device="cpu", run_seconds=600.0)
    assert page.cost == "5 runs of about 10 min: about 50 min in all, and measuring on top"
    sweeps.form.set("biases", [0.0, 1.0])
    assert page.cost.startswith("10 runs")
    sweeps.prepare(tmp_path, run_settings(), device="cpu", run_seconds=600.0, rendering_seconds=1200.0)
    assert page.cost == "5 runs of about 10 min: about 1 h 10 min in all, and measuring on top"
    sweeps.form.set("loss_factors", [])
    assert (page.cost, page.start_button.isEnabled()) == ("", False)


def real_sweep(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """Folder and definition of two points of eight steps on real pictures."""
    pictures = write_folder(tmp_path / "pictures", two_classes(48))
    data = {"kind": "pictures", "path": str(pictures), "size_px": 16, "num_valid": 4}
    whole = definition(SweepSettings(name="real", loss_factors=(2.0, 4.0)), run_settings(data))
    whole["measure"] |= {"decoder_steps": 1, "base_steps": 1, "bitrate_times": 2}
    return tmp_path / "runs" / "real", whole


def test_too_little_to_measure_on_is_said_before_the_start(owned: Callable[[Any], Any], tmp_path: Path) -> None:
    sweeps = owned(Sweeps(tmp_path))
    page = owned(NewSweep(sweeps))
    sweeps.prepare(tmp_path, run_settings(), device="cpu", run_seconds=None, num_held_out=3)
    page.show()
    assert "Only 3 samples are held out" in texts(page)
    assert not page.start_button.isEnabled()
    assert not sweeps.start()
    sweeps.prepare(tmp_path, run_settings(), device="cpu", run_seconds=None, num_held_out=4)
    assert page.start_button.isEnabled()


def test_a_sweep_that_cannot_begin_says_why_in_words(run_async: RunAsync, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder is wanted")

    async def story() -> None:
        launch = TrainingLaunch()
        failed: list[Any] = []
        launch.sweep_failed.connect(failed.append)
        launch.start_sweep(tmp_path / "taken" / "sweep", {})
        await until(lambda: failed)
        assert failed[0].words == f"{tmp_path / 'taken' / 'sweep'}: cannot be written (Not a directory)"
        await launch.close()

    run_async(story())


@pytest.mark.stress
def test_a_sweep_outlives_who_started_it_and_is_stopped_from_elsewhere(run_async: RunAsync, tmp_path: Path) -> None:
    folder, whole = real_sweep(tmp_path)

    async def story() -> None:
        launch = TrainingLaunch()
        begun: list[str] = []
        launch.sweep_began.connect(begun.append)
        launch.start_sweep(folder, whole, device="cpu")
        await until(lambda: begun, timeout_s=60)
        await until(lambda: read_sweep_folder(folder).is_running, timeout_s=60)
        await launch.close()
        assert read_sweep_folder(folder).is_running
        assert stop_sweep(folder)
        await until(lambda: not read_sweep_folder(folder).is_running, timeout_s=60)
        assert read_sweep_folder(folder).can_go_on

    run_async(story())


@pytest.mark.stress
def test_a_real_sweep_ends_with_figures_for_every_point(run_async: RunAsync, tmp_path: Path) -> None:
    folder, whole = real_sweep(tmp_path)

    async def story() -> None:
        launch = TrainingLaunch()
        launch.start_sweep(folder, whole, device="cpu")
        await until(lambda: (folder / "sweep.json").is_file(), timeout_s=170)
        await until(lambda: not read_sweep_folder(folder).is_running, timeout_s=30)
        await launch.close()

    run_async(story())
    found = read_sweep_folder(folder)
    assert [row.state for row in found.rows] == ["done", "done"]
    assert all(row.figures["psnr_db"] for row in found.rows)
