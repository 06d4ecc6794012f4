"""The page Generate with real models and a fake engine, driven by keys and clicks."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.models.form_state import SeedMode
from app.models.job_queue import JobState
from app.ui.widgets.export_dialog import ExportDialog
from app.ui.widgets.picture_menu import PictureMenu
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, laid_out, made, prepare, started, texts, tiles, told
from tests.app.model_folders import EXAMPLES, write_model
from ul_engine.metadata import read_request


def test_from_typing_to_pictures(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        page, session = shell.window.generate_page, shell.program.session
        assert "Describe a picture" in texts(page.stage)
        await started(shell)
        prepare(shell, prompt="")
        page.panel.prompt_field.editor.setFocus()
        QTest.keyClicks(page.panel.prompt_field.editor, "a red cone")
        QTest.keyClick(page.panel.prompt_field.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert session.queue.view.waiting[0].request.prompt == "a red cone"
        await until(lambda: len([tile for tile in tiles(shell) if tile.path]) == 2)
        assert page.stage.grid.isVisible()
        assert "2 pictures" in texts(page.stage)
        assert shell.window.status.words == "Engine ready"

    run_async(story())


def test_generate_can_be_pressed_while_the_engine_warms_up(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(start_s=0.3)
        shell.program.client.start()
        assert shell.window.status.words == "Engine is warming up"
        prepare(shell)
        click(shell.window.generate_page.panel.bar.generate_button)
        assert "Warming up" in texts(shell.window.generate_page.stage)
        await until(lambda: len(tiles(shell)) == 2)

    run_async(story())


def test_an_example_fills_the_prompt(make_shell: Make) -> None:
    shell = make_shell()
    click(shell.window.generate_page.stage.empty._examples[1])
    assert shell.program.session.form.state.prompt == EXAMPLES[1]


def test_escape_stops_at_once(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.05)
        page, queue = shell.window.generate_page, shell.program.session.queue
        await started(shell)
        prepare(shell)
        click(page.panel.bar.generate_button)
        await until(lambda: queue.progress.fraction > 0)
        QTest.keyClick(shell.window, Qt.Key.Key_Escape)
        assert page.panel.bar.stop_button.text() == "Stopping…"
        assert page.stage.progress.line == "Stopping…"
        await until(lambda: queue.view.is_idle)
        assert not page.panel.bar.stop_button.isEnabled()

    run_async(story())


def test_progress_reads_as_promised(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.03)
        await started(shell)
        prepare(shell, num_images=4, batch_size=2)
        click(shell.window.generate_page.panel.bar.generate_button)
        line = shell.window.generate_page.stage.progress
        said: list[str] = []
        shell.program.session.queue.progress_changed.connect(lambda _view: said.append(line.line))
        await until(lambda: shell.program.session.queue.view.is_idle, timeout_s=30)
        # News come at most twenty times a second: which steps are told depends on the machine, but the last always is.
        pattern = r"Picture 3–4 of 4 · Decoder · Step 4 / 4( · [\d.]+ (it/s|s/it))? · (.* left|estimating time left)"
        assert any(re.fullmatch(pattern, words) for words in said), said

    run_async(story())


def test_waiting_jobs_are_listed_and_can_be_dropped(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.05)
        page, queue = shell.window.generate_page, shell.program.session.queue
        await started(shell)
        for _ in range(6):
            prepare(shell)
            click(page.panel.bar.generate_button)
        await until(lambda: queue.view.running is not None)
        assert page.stage.queue_list.isVisible()
        assert "5 jobs wait" in texts(page.stage.queue_list)
        assert "and 2 more" in texts(page.stage.queue_list)
        row = page.stage.queue_list._rows[0]
        row._on_drop_clicked()
        assert len(queue.view.waiting) == 4
        choices = page.stage.progress.choices
        click(choices.last_button)
        assert queue.view.ends_after_this
        assert choices.last_button.isChecked()
        assert "on hold" in texts(page.stage.queue_list)
        click(page.stage.queue_list._clear)
        assert queue.view.waiting == ()
        assert not choices.skip_button.isVisible()
        click(choices.stop_button)
        assert queue.view.running is not None
        assert queue.view.running.state is JobState.STOPPING
        assert page.stage.progress.line == "Stopping…"
        await until(lambda: queue.view.is_idle)

    run_async(story())


def test_something_wrong_is_pointed_at(make_shell: Make) -> None:
    shell = make_shell()
    panel = shell.window.generate_page.panel
    prepare(shell, logsnr_low=5.0)
    click(panel.bar.generate_button)
    assert shell.program.session.queue.view.is_idle
    assert panel.expert.is_open
    assert "needs a look" in texts(panel.bar)


def test_without_models_the_page_says_what_to_do(make_shell: Make, model_root: Path, run_async: RunAsync) -> None:
    shutil.rmtree(model_root / "scenes")
    shell = make_shell()
    stage = shell.window.generate_page.stage
    assert "No usable model found" in texts(stage)
    assert str(model_root) in texts(stage)
    assert not shell.window.generate_page.panel.bar.generate_button.isEnabled()
    write_model(model_root)
    stage.empty.refresh_requested.emit()
    assert "Models known: Scenes" in texts(stage)
    assert shell.window.generate_page.panel.bar.generate_button.isEnabled()


# ---- one picture --------------------------------------------------------------------------------------------------


def test_a_picture_opens_walks_and_closes(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        first, second = await made(shell, seed="5", seed_mode=SeedMode.FIXED)
        stage = shell.window.generate_page.stage
        await until(lambda: stage.grid.visualRect(stage.grid.model().index(1, 0)).isValid())
        place = stage.grid.visualRect(stage.grid.model().index(1, 0)).center()
        QTest.mouseClick(stage.grid.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        assert stage.is_single
        assert "1 of 2" in texts(stage.single)
        assert "5" in texts(stage.single._facts)
        QTest.keyClick(stage.single, Qt.Key.Key_Right)
        assert stage.single.tile == second
        QTest.keyClick(stage.single, Qt.Key.Key_Right)
        assert stage.single.tile == second
        zoom = stage.single.canvas.zoom
        QTest.keyClick(stage.single, Qt.Key.Key_Plus)
        assert stage.single.canvas.zoom == zoom * 1.25
        QTest.keyClick(stage.single, Qt.Key.Key_0)
        assert stage.single.canvas.zoom == zoom
        QTest.keyClick(shell.window, Qt.Key.Key_Escape)
        assert not stage.is_single
        assert stage.grid.current_tile() == second
        QTest.keyClick(stage.grid, Qt.Key.Key_Left)
        assert stage.grid.current_tile() == first
        QTest.keyClick(stage.grid, Qt.Key.Key_Return)
        assert stage.single.tile == first

    run_async(story())


def test_escape_closes_the_picture_before_it_stops_the_job(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.03)
        await started(shell)
        first, _ = await made(shell)
        queue = shell.program.session.queue
        click(shell.window.generate_page.panel.bar.generate_button)
        await until(lambda: queue.view.running is not None)
        shell.window.generate_page.stage.open_tile(first)
        QTest.keyClick(shell.window, Qt.Key.Key_Escape)
        assert queue.view.running.state is JobState.RUNNING
        QTest.keyClick(shell.window, Qt.Key.Key_Escape)
        assert queue.view.running.state is JobState.STOPPING
        await until(lambda: queue.view.is_idle)

    run_async(story())


def test_copying_and_saving_a_picture(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        first, _ = await made(shell)
        page = shell.window.generate_page
        page.verbs.copy_requested.emit(first)
        image = QGuiApplication.clipboard().image()
        assert image.pixelColor(3, 2).red() == first.pixels.data[(2 * 16 + 3) * 3]  # type: ignore[union-attr]
        page.verbs.save_requested.emit(first)
        dialog = shell.window.findChild(ExportDialog)
        assert dialog is not None
        target = tmp_path / "mine.png"
        shell.program.session.export.set_path(str(target))
        click(dialog.go_button)
        await until(target.exists)
        assert read_request(target).request.seed == first.seed
        await until(lambda: "Exported" in told(shell))

    run_async(story())


def test_the_menu_of_a_picture(make_shell: Make, run_async: RunAsync, owned: Callable[[Any], Any]) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        first, _ = await made(shell, seed="5", seed_mode=SeedMode.FIXED)
        prepare(shell, prompt="a cone", seed="1", seed_mode=SeedMode.RANDOM)
        menu = owned(PictureMenu(first, shell.window.generate_page.verbs, shell.window))
        menu.actions()[0].trigger()
        state = shell.program.session.form.state
        assert (state.prompt, state.seed, state.seed_mode) == ("a red cube", "5", SeedMode.FIXED)
        assert "Settings taken over" in told(shell)

    run_async(story())


def test_every_picture_is_painted(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(side=64)
        await started(shell)
        await made(shell, seed="0", seed_mode=SeedMode.FIXED)
        grid = shell.window.generate_page.stage.grid
        await laid_out(shell.window)
        for row in (1, 2):
            rect = grid.visualRect(grid.model().index(row, 0))
            image = grid.grab().toImage()
            origin = grid.viewport().pos() + rect.topLeft() + QPoint(4, 4)
            # 64 pixels three times as large: the colour of picture pixel (60, 30), seed 0 or 1
            pixel = image.pixelColor(origin + QPoint(60 * 3 + 1, 30 * 3 + 1))
            assert (pixel.red(), pixel.green(), pixel.blue()) == (255 * 60 // 64, 255 * 30 // 64, (row - 1) * 53)

    run_async(story())
