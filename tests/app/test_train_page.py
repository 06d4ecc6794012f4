"""The page Train by clicks and keys, on run folders that real events were replayed into."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel

from app.models.runs.chart_specs import TABLE_2
from app.models.runs.run_view import RunView
from app.shell import Shell
from app.ui.pages.train import TrainPage
from app.ui.widgets.train.preview_grid import Spot
from tests.app.conftest import RunAsync, until
from tests.app.driving import click, texts
from tests.app.run_folders import (
    make_run,
    step_figures,
    validation_figures,
    write_checkpoint,
    write_events,
    write_preview,
    write_status,
)
from trainer.events import EventWriter
from trainer.run_dir import RunDir

Make = Callable[..., Shell]


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    run = make_run(tmp_path / "runs" / "flowers")
    write_events(run, 40)
    write_checkpoint(run, 20, score=-1.0)
    write_status(run, "running")
    return run


async def opened(make_shell: Make) -> tuple[Shell, TrainPage]:
    """The page on show; the run that is at work is in front by itself."""
    shell = make_shell()
    shell.program.late.training.start()
    shell.window.show_page("train")
    page = shell.window.train_page
    await until(lambda: shell.program.session.runs.list.is_known)
    return shell, page


def current(shell: Shell) -> RunView:
    view = shell.program.session.runs.current
    assert view is not None
    return view


async def caught_up(shell: Shell, steps: int = 40) -> RunView:
    await until(lambda: shell.program.session.runs.current is not None)
    view = current(shell)
    await until(lambda: len(view.figure("step/loss")) >= steps)
    await until(lambda: view.is_caught_up)
    return view


def test_without_runs_the_page_says_how_to_begin(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        _, page = await opened(make_shell)
        assert page.stack.currentWidget() is page.nothing
        assert "Train a model on your own pictures" in texts(page)
        assert "No run yet" in texts(page.panel)

    run_async(story())


def test_a_run_at_work_is_found_and_shown(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        await until(lambda: page.live.wall.charts and page.live.wall.is_settled)
        assert page.live.header.line.text().startswith("Step 40 / 400 · 2.0 it/s")
        charts = page.live.wall.charts
        assert list(charts)[:4] == ["trail", "losses", "bits", "psnr"]
        names = [series.name for series in charts["losses"].series]
        assert names == ["Prior", "Decoder", "Total", "Total, held out"]
        total = charts["losses"].series[2]
        assert total.y[-1] == pytest.approx(10.0 / 3.0)
        assert len(charts["trail"].plot.marks) == len(TABLE_2)
        assert list(charts["trail"].series[0].labels) == ["step 0", "step 20", "step 40"]

    run_async(story())


def test_charts_follow_the_run_and_the_toolbar(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        view = await caught_up(shell)
        wall, toolbar = page.live.wall, page.live.toolbar
        await until(lambda: wall.charts and wall.is_settled)
        writer = EventWriter(run.events)
        writer.write("step", 41, **step_figures(41))
        writer.close()
        await until(lambda: len(view.figure("step/loss")) == 41)
        await until(lambda: len(wall.charts["losses"].series[0].x) == 41)
        toolbar._smoothing.setValue(90)
        await until(lambda: wall.charts["losses"].plot.smoothing == 0.9)
        toolbar._axis.activated.emit(2)
        await until(lambda: wall.charts["losses"].axes[0].title == "Samples seen")
        assert wall.charts["losses"].series[0].x[-1] == 41 * 32
        click(toolbar._references)
        await until(lambda: not wall.charts["trail"].plot.marks)
        click(toolbar._log_x)
        await until(lambda: wall.charts["losses"].axes[0].is_log)

    run_async(story())


def test_an_axis_that_was_chosen_outlives_new_figures(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        view = await caught_up(shell)
        wall = page.live.wall
        await until(lambda: wall.charts and wall.is_settled)
        menu = wall.charts["losses"].menu()
        next(action for action in menu.actions() if action.text() == "Logarithmic y axis").trigger()
        menu.deleteLater()
        assert not wall.charts["losses"].axes[1].is_log
        writer = EventWriter(run.events)
        writer.write("step", 41, **step_figures(41))
        writer.close()
        await until(lambda: len(view.figure("step/loss")) == 41)
        await until(lambda: len(wall.charts["losses"].series[0].x) == 41)
        assert not wall.charts["losses"].axes[1].is_log

    run_async(story())


def test_runs_lie_over_each_other(make_shell: Make, run_async: RunAsync, run: RunDir, tmp_path: Path) -> None:
    async def story() -> None:
        write_events(make_run(tmp_path / "runs" / "other"), 20)
        shell, page = await opened(make_shell)
        await caught_up(shell)
        runs, wall = shell.program.session.runs, page.live.wall
        await until(lambda: runs.list.rowCount() == 2)
        menu = page.live.toolbar.overlay_menu()
        (action,) = menu.actions()
        assert action.text() == "other"
        action.trigger()
        menu.deleteLater()
        await until(lambda: runs.overlays and runs.overlays[0].figure("step/loss"))
        await until(lambda: [series.name for series in wall.charts["losses"].series] == ["flowers", "other"])
        assert wall.charts["losses"].title == "Losses: Total"
        assert [key.text() for key in wall.legend.keys] == ["flowers", "other"]
        click(wall.legend.keys[0])
        await until(lambda: [series.name for series in wall.charts["losses"].series] == ["other"])

    run_async(story())


# ---- steering -----------------------------------------------------------------------------------------------------


def commands_of(run: RunDir) -> set[str]:
    return {path.name for path in run.commands.iterdir() if not path.name.startswith(".")}


def test_buttons_ask_the_run_and_say_so(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        header = page.live.header
        assert not header.resume_button.isVisible()
        click(header.preview_button)
        await until(lambda: commands_of(run) == {"preview"})
        assert "a preview is drawn after this step" in header.line.text()
        assert not header.preview_button.isEnabled()
        writer = EventWriter(run.events)
        write_preview(run, writer, 41)
        writer.close()
        await until(header.preview_button.isEnabled)
        click(header.pause_button)
        await until(lambda: "pause" in commands_of(run))
        assert header.line.text().startswith("Pausing")
        assert not header.stop_button.isEnabled()
        write_status(run, "paused", 42)
        await until(lambda: header.line.text().startswith("Paused at step 42"))
        assert header.resume_button.isVisible()
        assert not header.pause_button.isVisible()

    run_async(story())


def test_a_run_that_cannot_be_asked_is_a_notice(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        run.commands.rmdir()
        run.commands.write_text("a file where the folder should be")
        click(page.live.header.save_button)
        await until(lambda: shell.program.session.notices.notices)
        assert shell.program.session.notices.notices[0].title == "The run could not be asked"
        assert page.live.header.save_button.isEnabled()

    run_async(story())


def test_an_interrupted_run_offers_to_go_on(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        write_status(run, "running", 40, pid_started=1.0)  # the pid is another process's now
        shell, page = await opened(make_shell)
        await caught_up(shell)
        await until(lambda: page.live.notices_bar.cards)
        assert "Interrupted at step 40" in texts(page.live)
        assert shell.program.session.notices.notices == ()
        assert "checkpoint of step 20" in texts(page.live)
        assert page.live.header.line.text().startswith("Interrupted at step 40 / 400")
        report = next(button for button in page.findChildren(QAbstractButton) if button.text() == "Copy report")
        click(report)
        assert "step 40/400" in QGuiApplication.clipboard().text()

    run_async(story())


def test_a_run_that_ends_before_ones_eyes_is_told_once(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        write_status(run, "failed", 41, reason="the disk is full")
        ended: list[Any] = []
        shell.program.session.runs.ended.connect(ended.append)
        await until(lambda: ended and page.live.notices_bar.cards)
        assert shell.program.session.notices.notices == ()
        assert len(page.live.notices_bar.cards) == 1

    run_async(story())


def test_a_run_that_ends_is_told_on_other_pages(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        shell.window.show_page("generate")
        write_status(run, "failed", 41, reason="the disk is full")
        await until(lambda: shell.program.session.notices.notices)
        (notice,) = shell.program.session.notices.notices
        assert notice.title == "flowers"
        assert "The disk is full" in notice.sentence or "the disk is full" in notice.sentence
        click(next(b for b in shell.window.notices.findChildren(QAbstractButton) if b.text() == "Show the run"))
        assert shell.window.page == "train"
        assert page.stack.currentWidget() is page.live

    run_async(story())


def test_what_can_be_done_is_in_the_palette(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        commands = shell.program.session.commands
        commands.run("train.previews")
        assert page.live.tab == "previews"
        commands.run("train.save")
        await until(lambda: commands_of(run) == {"save"})
        QTest.keyClick(shell.window, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
        await until(lambda: page.live.tab == "log")

    run_async(story())


def test_what_was_chosen_is_remembered(make_shell: Make, run_async: RunAsync, run: RunDir, tmp_path: Path) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        elsewhere = make_run(tmp_path / "elsewhere" / "kept")
        page.folder_chosen.emit(str(elsewhere.root.parent))
        await until(lambda: shell.program.session.runs.list.rowCount() == 2)
        page.live.toolbar._smoothing.setValue(80)
        shell.program.memory.save(shell.settings())
        shell.program.late.training.close()
        again = make_shell()
        runs = again.program.session.runs
        assert (runs.opened, runs.options.smoothing) == ((str(elsewhere.root.parent),), 0.8)

    run_async(story())


# ---- previews -----------------------------------------------------------------------------------------------------


def test_previews_are_walked_marked_and_compared(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        page.live.show_tab("previews")
        panel, grid = page.live.previews, page.live.previews.grid
        await until(lambda: len(grid.rows) == 4)
        assert [(row.step, row.is_original) for row in grid.rows] == [(40, True), (0, False), (20, False), (40, False)]
        await until(lambda: not grid._asked)
        grid.setFocus()
        assert grid.current == Spot(3, 0)  # the newest
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Space, Qt.Key.Key_Down, Qt.Key.Key_Space):
            QTest.keyClick(grid, key)
        assert [cell.title for cell in grid.marked] == ["reconstruction 2, step 20", "reconstruction 2, step 40"]
        assert grid.accessibleDescription() == "reconstruction 2, step 40, marked"
        assert "A: reconstruction 2, step 20. B: reconstruction 2, step 40." in texts(panel)
        place = grid._place(Spot(3, 0)).center()
        QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
        QTest.mouseDClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert panel.stack.currentWidget() is panel.large
        assert [cell.title for cell in grid.marked] == ["reconstruction 2, step 20", "reconstruction 2, step 40"]
        panel.close_large()
        crops: list[Any] = []
        shell.program.late.training.crops_ready.connect(crops.append)
        click(panel.compare_button)
        await until(lambda: crops)
        assert [Path(path).name for path in crops[0]] == [
            "flowers, reconstruction 2, step 20.png",
            "flowers, reconstruction 2, step 40.png",
        ]
        assert shell.window.page == "compare"

    run_async(story())


def test_one_preview_large_keeps_its_place_step_by_step(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        page.live.show_tab("previews")
        panel = page.live.previews
        await until(lambda: len(panel.grid.rows) == 4)
        panel.grid.setFocus()
        QTest.keyClick(panel.grid, Qt.Key.Key_Return)
        assert panel.stack.currentWidget() is panel.large
        await until(lambda: panel.large.image is not None)
        assert panel.large.image.pixelColor(4, 4).green() == 40
        QTest.keyClick(panel.large, Qt.Key.Key_Up)
        await until(lambda: panel.large.image.pixelColor(4, 4).green() == 20)
        QTest.keyClick(panel.large, Qt.Key.Key_Escape)
        assert panel.stack.currentWidget() is panel.grid

    run_async(story())


def test_pictures_stand_where_they_belong(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        page.live.show_tab("previews")
        grid = page.live.previews.grid
        await until(lambda: len(grid.rows) == 4 and len(grid._sheets) == 3)
        image = grid.viewport().grab().toImage()
        num_seen = 0
        for row, green in ((0, 255), (1, 0), (2, 20), (3, 40)):
            for column in range(4):
                middle = grid._place(Spot(row, column)).center()
                if image.rect().contains(middle):
                    colour = image.pixelColor(middle)
                    assert (colour.red(), colour.green()) == (60 * column, green), (row, column)
                    num_seen += 1
        assert num_seen >= 4, "a row at least is in sight"

    run_async(story())


# ---- checkpoints and log ------------------------------------------------------------------------------------------


def test_checkpoints_and_the_way_into_the_library(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        run.model.mkdir()
        (run.model / "config.json").write_text("{}")
        shell, page = await opened(make_shell)
        await caught_up(shell)
        page.live.show_tab("checkpoints")
        panel = page.live.checkpoints
        await until(lambda: len(panel.rows) == 2)
        shown = texts(panel)
        assert "Finished model" in shown
        assert "Step 20 · best so far" in shown
        assert "PSNR 13.4 dB" in shown
        asked: list[Any] = []
        page.wished.connect(asked.append)
        panel._on_chosen(("promote", None))
        panel._on_target_chosen(" ../my model ")
        target = shell.program.session.folders.places.models / "-my model"
        await until(lambda: target.is_dir())
        assert asked[0].target == "-my model"
        await until(lambda: "library" in shell.program.session.notices.notices[0].title)

    run_async(story())


def test_a_checkpoint_is_kept_and_let_go_again(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        page.live.show_tab("checkpoints")
        panel = page.live.checkpoints
        await until(lambda: len(panel.rows) == 1)
        pin = panel.rows[0].pin
        pin.setFocus()
        QTest.keyClick(pin, Qt.Key.Key_Space)
        assert not pin.isChecked(), "not before it is so"
        await until(lambda: panel.rows[0].pin.isChecked())
        assert run.pinned_steps() == {20}
        assert "Step 20 · best so far · kept" in texts(panel)
        assert panel.rows[0].pin.hasFocus(), "the next press lets it go"
        QTest.keyClick(panel.rows[0].pin, Qt.Key.Key_Space)
        await until(lambda: not panel.rows[0].pin.isChecked())
        assert run.pinned_steps() == frozenset()

    run_async(story())


def test_the_log_is_there_to_be_copied(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        page.live.show_tab("log")
        await until(lambda: "step 40/400" in page.live.log.text.toPlainText())
        with run.console.open("a") as stream:
            stream.write("step 41/400\n")
        await until(lambda: page.live.log.text.toPlainText().endswith("step 41/400"))

    run_async(story())


# ---- the list -----------------------------------------------------------------------------------------------------


def test_the_list_is_walked_by_keys_and_keeps_its_place(
    make_shell: Make, run_async: RunAsync, run: RunDir, tmp_path: Path
) -> None:
    async def story() -> None:
        write_events(make_run(tmp_path / "runs" / "other"), 4)
        shell, page = await opened(make_shell)
        runs = shell.program.session.runs
        await until(lambda: runs.list.rowCount() == 2)
        assert current(shell).path == str(run.root)
        page.panel.list.setFocus()
        QTest.keyClick(page.panel.list, Qt.Key.Key_Down)
        assert current(shell).name == "other"
        write_events(make_run(tmp_path / "runs" / "third"), 4)
        shell.program.late.training._watcher.refresh()
        await until(lambda: runs.list.rowCount() == 3)
        assert current(shell).name == "other"
        assert runs.list.runs[page.panel.list.currentIndex().row()].name == "other"

    run_async(story())


def test_every_control_has_a_name(make_shell: Make, run_async: RunAsync, run: RunDir) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        await caught_up(shell)
        await until(lambda: page.live.wall.charts)
        for button in page.live.findChildren(QAbstractButton):
            assert button.accessibleName() or button.text(), button
        for chart in page.live.wall.charts.values():
            assert chart.plot.accessibleName()

    run_async(story())


@pytest.mark.parametrize("size", [(1280, 720), (960, 600)])
def test_nothing_is_cut_off(make_shell: Make, run_async: RunAsync, run: RunDir, size: tuple[int, int]) -> None:
    async def story() -> None:
        shell, page = await opened(make_shell)
        shell.window.resize(*size)
        await caught_up(shell)
        await until(lambda: page.live.wall.charts and page.live.wall.is_settled)
        for button in page.live.header.findChildren(QAbstractButton):
            if button.isVisible():
                corner = button.mapTo(page.live.header, QPoint(button.width(), button.height()))
                assert corner.x() <= page.live.header.width()
                assert button.width() >= button.minimumSizeHint().width(), button.text()
        for label in page.live.toolbar.findChildren(QLabel):
            assert label.width() >= label.minimumSizeHint().width(), label.text()
        assert page.live.wall.horizontalScrollBar().maximum() == 0

    run_async(story())


# ---- in a hurry ---------------------------------------------------------------------------------------------------


@pytest.mark.stress
def test_fifty_events_a_second_with_previews_are_followed_to_the_last(
    make_shell: Make, run_async: RunAsync, run: RunDir
) -> None:
    """A long past at once, then fifty events a second and two previews a second, for four seconds."""

    async def story() -> None:
        writer = EventWriter(run.events)
        for step in range(41, 6000):
            writer.write("step", step, **step_figures(step))
        shell, page = await opened(make_shell)
        gaps: list[float] = []
        watching = asyncio.get_running_loop().create_task(_gaps(gaps))
        view = await caught_up(shell, 5999)
        await until(lambda: page.live.wall.is_settled)
        for beat in range(200):
            step = 6000 + beat
            writer.write("step", step, **step_figures(step))
            if beat % 25 == 0:
                writer.write("validation", step, **validation_figures(step))
                write_preview(run, writer, step)
            await asyncio.sleep(0.02)
        await until(lambda: view.last("step/loss") is not None and view.figure("step/loss").steps[-1] == 6199)
        watching.cancel()
        worst = sorted(gaps)[-10:]
        print(f"gaps of the event loop, worst ten in ms: {[round(1000 * gap) for gap in worst]}, of {len(gaps)}")
        assert len(gaps) > 200, "the loop went on turning; how evenly is a figure of the bench"
        writer.close()

    run_async(story())


async def _gaps(gaps: list[float]) -> None:
    """How late a timer of five milliseconds comes."""
    before = time.perf_counter()
    while True:
        await asyncio.sleep(0.005)
        now = time.perf_counter()
        gaps.append(now - before - 0.005)
        before = now
