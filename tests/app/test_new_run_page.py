"""The way to a new run as a person walks it, with the real data check, the real dry run and a real launch."""

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QWidget

from app.models.new_run.base_settings import Goal
from app.models.new_run.state import Trouble
from app.shell import Shell
from app.ui.widgets.train.new_run.view import DATA, MODEL, START, NewRunView
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, laid_out, texts
from tests.app.test_new_run import estimate, report
from tests.helpers.picture_sets import encoded, picture, two_classes, write_folder
from tests.helpers.tiny import tiny_config
from trainer.config import parse_config
from trainer.data.check.report import Verdict
from trainer.launch import attach, stop_group
from trainer.run_dir import RunDir, write_json

LONG_S = 240.0


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """24 pictures of two classes with captions, one of them twice, and a broken one."""
    files = two_classes(24)
    files["cat/copy.png"] = files["cat/00.png"]
    files["dog/broken.png"] = encoded(picture(99))[:300]
    return write_folder(tmp_path / "holiday pictures", files)


async def opened(shell: Shell) -> NewRunView:
    shell.window.show_page("train")
    page = shell.window.train_page
    page.open_new_run()
    await until(lambda: page.new_run.isVisible())
    await until(shell.window.isActiveWindow)
    return page.new_run


def drop(widget: QWidget, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), copy, data, button, none)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(widget, QDropEvent(QPointF(20, 20), copy, data, button, none))


def test_a_dropped_folder_is_looked_through_at_once_for_real(
    make_shell: Make, run_async: RunAsync, pictures: Path
) -> None:
    """A broken file and a duplicate among 26: found, named, blocking; without the broken one Next opens."""

    async def story() -> None:
        shell = make_shell()
        view = await opened(shell)
        model, step = view.model, view.data_step
        assert not view.footer.next_button.isEnabled()
        drop(step.source, pictures)
        assert step.strip.isVisible()
        assert step.strip.line.startswith("Opening")
        await until(lambda: model.state.report, timeout_s=LONG_S)
        found = model.state.report
        assert (found.files.num_files, found.files.num_readable) == (26, 25)
        assert not step.strip.isVisible()
        said = texts(step.report)
        assert "cannot be trained on yet" in said
        assert "26, " in said
        assert any("broken" in card.details.toPlainText() for card in step.report.problems.cards)
        assert "broken" in view.footer.words or "read" in view.footer.words
        assert not view.footer.next_button.isEnabled()
        (pictures / "dog" / "broken.png").unlink()
        model.choose_data(str(pictures))
        await until(lambda: model.state.report and model.state.sheet, timeout_s=LONG_S)
        assert model.state.report.verdict is Verdict.USABLE
        cards = step.report.problems.cards
        assert any("cat/00.png" in card.details.toPlainText() for card in cards if hasattr(card, "details"))
        assert [name for name, _ in step.report._classes.rows] == ["cat", "dog"]
        assert step.report.sheet.image.isVisible()
        assert step.report.sheet.image.image.width() > 300
        click(view.footer.next_button)
        assert view.step == MODEL
        assert [tile.card.name for tile in view.model_step.tiles if tile.isChecked()] == ["tiny"]

    run_async(story())


def test_a_folder_may_be_dropped_anywhere_on_the_page(
    make_shell: Make, run_async: RunAsync, pictures: Path, tmp_path: Path
) -> None:
    async def story() -> None:
        shell = make_shell()
        shell.window.show_page("train")
        page = shell.window.train_page
        await until(page.isVisible)
        drop(page, pictures)
        assert page.stack.currentWidget() is page.new_run
        assert page.new_run.model.state.data == str(pictures)
        page.show_run()
        other = tmp_path / "other"
        other.mkdir()
        drop(page, other)
        assert page.new_run.model.state.data == str(other)
        assert page.new_run.step == DATA

    run_async(story())


def test_what_cannot_be_opened_is_said_where_it_was_chosen(
    make_shell: Make, run_async: RunAsync, tmp_path: Path
) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        view.model.choose_data(str(tmp_path / "nowhere"))
        await until(lambda: view.model.state.check_trouble, timeout_s=LONG_S)
        assert "nowhere" in view.data_step.trouble.words
        assert "Choose another" in view.footer.words

    run_async(story())


def test_stopping_the_look_gives_the_place_back(make_shell: Make, run_async: RunAsync, pictures: Path) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        view.model.choose_data(str(pictures))
        click(view.data_step.strip.stop_button)
        assert not view.data_step.strip.isVisible()
        assert view.model.state.data == ""
        assert "Drop a folder" in texts(view.data_step.source)

    run_async(story())


def given(view: NewRunView, **changes: Any) -> None:
    """As after a look through data, without one."""
    state = view.model
    state._set(type(state.state)(data="/pictures"))
    state.note_report(report(**changes))


def with_cost(view: NewRunView, **changes: Any) -> None:
    view.show_step(START)
    view.model.estimate_unwanted.emit()
    view.model.note_estimate(view.model._key(), estimate(**changes))


def test_next_next_start_and_the_run_is_in_front(
    make_shell: Make, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        shell = make_shell()
        view = await opened(shell)
        given(view)
        click(view.footer.next_button)
        click(view.footer.next_button)
        assert view.step == START
        assert not view.footer.next_button.isEnabled()
        assert view.footer.skip_button.isVisible()
        starts: list[bool] = []
        view.model.launch_wanted.disconnect()
        view.model.launch_wanted.connect(lambda _wish: starts.append(True))
        click(view.footer.skip_button)
        assert starts == [True], "who does not want to wait presses once"
        view.model.note_launch_failed("no")
        with_cost(view)
        assert view.footer.next_button.text() == "Start"
        await until(lambda: "about 33 min" in texts(view.start_step.cost))
        shown = texts(view.start_step.cost)
        for words in ("3 GB", "70 GFLOP a step", "1 M"):
            assert words in shown
        wishes: list[Any] = []
        view.model.launch_wanted.disconnect()
        view.model.launch_wanted.connect(wishes.append)
        click(view.footer.next_button)
        assert (view.footer.next_button.text(), view.footer.next_button.isEnabled()) == ("Starting…", False)
        view.model.note_began(str(wishes[0].plan.run))
        assert shell.window.train_page.stack.currentWidget() is not view

    run_async(story())


def test_a_blocker_offers_its_remedy_and_a_failed_start_its_reason(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        given(view)
        with_cost(view, memory={"needed": 9 * 10**9, "largest_micro_batch": 8})
        assert "9 GB" in view.footer.words
        assert view.footer.mend_button.text() == "Take 8 at a time"
        click(view.footer.mend_button)
        assert view.model.form.value("scale.micro_batch") == 8
        with_cost(view)
        view.model.note_launch_failed("the disk is full")
        assert "the disk is full" in view.footer.words

    run_async(story())


def test_wrong_settings_bring_their_field_into_view(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        given(view)
        with_cost(view)
        view.model.form.set("guard.max_rollbacks", 0)
        assert "It must be at least 1." in view.footer.words
        view._on_start()
        row = view.start_step.form_view.row("guard.max_rollbacks")
        assert row is not None
        await until(row.isVisible)
        await until(row.control.input.hasFocus)

    run_async(story())


def test_goals_change_what_is_asked(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        await until(lambda: view.model.state.starts is not None)
        assert not view.data_step.start.isVisible()
        click(view.data_step.goal.chips[Goal.STAGE2])
        assert view.data_step.start.isVisible()
        assert "Stage 1 run or model" in view.footer.words
        view.data_step.start.take_folder("/nowhere")
        assert "holds no Stage 1 model" in view.data_step.start._field.error
        given(view)
        click(view.data_step.goal.chips[Goal.TUNE])
        from ul_engine.assets import assets_dir

        view.data_step.start.take_folder(str(assets_dir() / "models" / "scenes"))
        assert view.data_step.start._field.error == ""
        assert view.model.config.init_from.endswith("scenes")
        click(view.footer.next_button)
        assert "that of Scenes" in texts(view.model_step)

    run_async(story())


def test_the_keyboard_reaches_everything_and_everything_has_a_name(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        given(view)
        for step in (DATA, MODEL, START):
            view.show_step(step)
            view.model.estimate_unwanted.emit()
            view.model_step.large_fold.setChecked(True)
            for widget in view.findChildren(QWidget):
                if not widget.isVisible() or widget.objectName().startswith("qt_"):
                    continue
                if isinstance(widget, QLineEdit | QComboBox | QAbstractButton):
                    assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget
                    name = widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text())
                    assert name, widget
        view.show_step(DATA)
        QTest.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert view.step == MODEL

    run_async(story())


def test_keys_mean_what_is_on_show_also_over_the_sweeps(
    make_shell: Make, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run behind the page of a sweep must not start."""

    async def story() -> None:
        view = await opened(make_shell())
        given(view)
        view.show_step(START)
        deeds: list[str] = []
        monkeypatch.setattr(view.model, "launch", lambda: deeds.append("run") or True)
        monkeypatch.setattr(view.sweeps.new_sweep._sweeps, "start", lambda: deeds.append("sweep"))
        click(view.start_step.sweep_button)
        await until(view.sweeps.new_sweep.isVisible)
        QTest.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert deeds == ["sweep"]
        QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        assert view.start_step.isVisible()
        QTest.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert deeds == ["sweep", "run"]

    run_async(story())


def test_no_sweep_is_made_of_wrong_settings(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        given(view)
        view.show_step(START)
        view.model.form.set("num_steps", -1)
        click(view.start_step.sweep_button)
        assert view.start_step.isVisible()
        row = view.start_step.form_view.row("num_steps")
        assert row.error
        assert row.control.input.hasFocus()

    run_async(story())


@pytest.mark.parametrize("width_px", [1280, 960])
def test_nothing_is_wider_than_its_place(make_shell: Make, run_async: RunAsync, width_px: int) -> None:
    async def story() -> None:
        shell = make_shell()
        shell.window.resize(width_px, 720)
        view = await opened(shell)
        given(view)
        with_cost(view)
        for step in (DATA, MODEL, START):
            view.show_step(step)
            view.model.estimate_unwanted.emit()
            await laid_out(shell.window)
            area = view.area(step)
            body = area.widget()
            assert body.width() <= area.viewport().width()
            for each in body.findChildren(QLabel):
                if each.isVisible() and each.wordWrap() and each.width() > 0:
                    assert each.height() >= each.heightForWidth(each.width()) - 2, each.text()

    run_async(story())


def test_a_real_run_is_started_trains_and_outlives_the_window(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, pictures: Path
) -> None:
    """A tiny model on the pictures: several real steps, seen in its status, then stopped as a group."""
    (pictures / "dog" / "broken.png").unlink()
    settings = {
        "stage": "stage1",
        "model": tiny_config().model_dump(mode="json"),
        "data": {"kind": "pictures", "path": str(pictures), "size_px": 16, "num_valid": 2},
        "num_steps": 100_000,
        "batch_size": 4,
        "precision": "fp32",
        "num_threads": 1,
        "loading": {"num_workers": 0},
        "validation": {"num_images": 2, "decoder_steps": 1, "bitrate_times": 1},
        "cadence": {"log_every": 1, "validate_every": 10**6, "preview_every": 10**6, "checkpoint_every": 10**6},
    }
    source = RunDir(tmp_path / "runs" / "tried-stage1")
    source.create()
    write_json(source.config, parse_config(settings).model_dump(mode="json"))
    begun: list[str] = []

    async def story() -> None:
        shell = make_shell()
        shell.program.session.folders.move(runs=tmp_path / "runs")
        view = await opened(shell)
        shell.window.train_page.open_new_run(str(source.root))
        await until(lambda: view.model.is_clone)
        assert view.step == START
        with_cost(view)
        view.run_started.connect(begun.append)
        click(view.footer.next_button)
        await until(lambda: begun, timeout_s=60)
        run = RunDir(Path(begun[0]))
        assert run.root == tmp_path / "runs" / "tried-stage1-2"

        def step() -> int:
            status = run.read_status()
            return status.step if status is not None else 0

        await until(lambda: step() >= 3, timeout_s=LONG_S)
        await shell.close()

    run_async(story())
    running = attach(Path(begun[0]))
    assert running is not None
    assert running.is_running()
    assert stop_group(running)
    status = RunDir(Path(begun[0])).read_status()
    assert status is not None
    assert status.state == "stopped"
    assert json.loads(RunDir(Path(begun[0])).config.read_text())["batch_size"] == 4


@pytest.mark.stress
def test_the_whole_way_with_a_real_dry_run(
    make_shell: Make, run_async: RunAsync, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder, Next, Next, and the cost is measured by real steps; another batch is measured anew."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (pictures / "dog" / "broken.png").unlink()

    async def story() -> None:
        view = await opened(make_shell())
        view.model.choose_data(str(pictures))
        await until(lambda: view.model.state.report, timeout_s=LONG_S)
        click(view.footer.next_button)
        click(view.footer.next_button)
        await until(lambda: view.model.state.estimate or view.model.state.estimate_trouble, timeout_s=LONG_S)
        found = view.model.state.estimate
        assert view.model.state.estimate_trouble is None
        assert found.step.seconds > 0
        assert found.memory.fits
        assert view.footer.next_button.isEnabled()
        view.model.form.set("batch_size", 4)
        assert view.model.state.is_estimate_old
        await until(lambda: not view.model.state.is_estimate_old, timeout_s=LONG_S)
        assert view.model.state.estimate.flops_per_step * 4 == pytest.approx(found.flops_per_step, rel=0.01)

    run_async(story())


def test_a_cost_that_cannot_be_found_out_is_no_wall(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        view = await opened(make_shell())
        given(view)
        view.show_step(START)
        view.model.estimate_unwanted.emit()
        view.model.note_estimate_failed(view.model._key(), "it was killed", "last lines")
        assert view.model.state.estimate_trouble == Trouble("it was killed", "last lines")
        assert "It was killed." in texts(view.start_step.cost)
        assert view.footer.next_button.isEnabled()

    run_async(story())
