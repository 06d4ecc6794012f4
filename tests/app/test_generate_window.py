"""Generate's newer parts in the real window, by mouse and keyboard."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from app.models.form_state import Between, Mode
from app.models.job_queue import JobState
from app.shell import Shell
from app.ui.widgets.mask_editor import MaskEditor
from app.ui.widgets.name_dialog import NameDialog
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, laid_out, made, prepare, started, texts, tiles
from tests.app.model_folders import write_model
from ul_engine.config import ConditioningConfig, ModelConfig, TextConfig, VideoConfig
from ul_engine.model_folder import NetworkFile

FILE = NetworkFile(file="weights.safetensors", sha256="0" * 64, num_parameters=1000)
NETWORKS = {"encoder": FILE, "base": FILE, "decoder": FILE}


@pytest.fixture(autouse=True)
def models(model_root: Path) -> None:
    """A model that starts from pictures, and one that continues clips."""
    write_model(model_root, "whole", name="Whole", networks=NETWORKS)
    words = ConditioningConfig(kind="text", text=TextConfig(vocabulary=("a", "red", "cube"), max_tokens=8))
    video = VideoConfig(num_frames=8, temporal_downsampling=1, context_frames=2)
    model = ModelConfig(name="Motion", image_px=64, conditioning=words, video=video)
    write_model(model_root, "motion", kind="none", networks=NETWORKS, model=model)


def choose(shell: Shell, name: str) -> None:
    session = shell.program.session
    session.form.choose_model(next(one for one in session.library.usable if one.name == name))


def picture(path: Path) -> str:
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(QColor("teal"))
    assert image.save(str(path))
    return str(path)


def assert_nothing_sticks_out(shell: Shell) -> None:
    panel = shell.window.generate_page.panel
    body = panel._scroll.widget()
    assert body.width() <= panel._scroll.viewport().width()
    for child in body.findChildren(QWidget):
        if child.isVisible():
            assert child.mapTo(body, QPoint(child.width(), 0)).x() <= body.width(), child
    for label in body.findChildren(QLabel):
        if label.isVisible() and label.wordWrap():
            assert label.height() >= label.heightForWidth(label.width()), label.text()


def test_no_mode_is_wider_than_its_place(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        form = shell.program.session.form
        choose(shell, "Whole")
        shell.program.beginner.begin_with(picture(tmp_path / ("a very long name " * 5 + ".png")))
        await until(lambda: form.state.init_image)
        form.update(mask_image="/m.png", variation_strength=0.2, prompt="a red cube")
        shell.window.generate_page.panel.expert.set_open(True)
        for changes in (
            {"mode": Mode.PICTURES},
            {"mode": Mode.GRID, "x_values": "1, nonsense", "y_field": "prompt", "y_values": "a zebra | a yak"},
            {"mode": Mode.BETWEEN, "between": Between.PROMPTS, "second_prompt": "a zebra in a very long sentence"},
            {"mode": Mode.BETWEEN, "between": Between.SEEDS, "second_seed": "x"},
        ):
            form.update(**changes)
            await laid_out(shell.window)
            assert_nothing_sticks_out(shell)
        choose(shell, "Motion")
        form.update(mode=Mode.CONTINUE, continue_from="/a/" + "long" * 30 + ".mp4")
        await laid_out(shell.window)
        assert_nothing_sticks_out(shell)
        assert shell.window.size().width() == 1280

    run_async(story())


def test_only_what_a_mode_needs_is_on_show(make_shell: Make) -> None:
    shell = make_shell()
    panel, form = shell.window.generate_page.panel, shell.program.session.form
    choose(shell, "Whole")
    shown = {
        Mode.PICTURES: (panel.count, panel.start_picture),
        Mode.GRID: (panel.axes, panel.start_picture),
        Mode.BETWEEN: (panel.between,),
    }
    special = (panel.count, panel.axes, panel.between, panel.start_picture, panel.continuing, panel.frames)
    for mode, wanted in shown.items():
        form.update(mode=mode)
        assert [widget for widget in special if widget.isVisibleTo(panel)] == [
            widget for widget in special if widget in wanted
        ]
    choose(shell, "Motion")
    form.update(mode=Mode.CONTINUE)
    assert [widget for widget in special if widget.isVisibleTo(panel)] == [panel.count, panel.continuing, panel.frames]
    assert panel.bar.generate_button.text() == "Make 4 continuations"


def test_a_mask_is_painted_by_mouse_and_keyboard(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        session = shell.program.session
        choose(shell, "Whole")
        shell.program.beginner.begin_with(picture(tmp_path / "start.png"))
        await until(lambda: session.form.state.init_image)
        shell.window.generate_page.dialogs._on_mask()
        editor = shell.window.findChild(MaskEditor)
        await until(lambda: editor.painting is not None)
        assert not editor.undo.isEnabled()
        QTest.mousePress(editor.canvas, Qt.MouseButton.LeftButton, pos=editor.canvas.rect().center())
        QTest.mouseRelease(editor.canvas, Qt.MouseButton.LeftButton, pos=editor.canvas.rect().center())
        assert editor.undo.isEnabled()
        by_mouse = editor.painting.pixels()
        editor.undo.click()
        assert editor.painting.is_empty
        QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
        assert not editor.painting.is_empty
        QTest.keyClick(editor.canvas, Qt.Key.Key_Right)
        QTest.keyClick(editor.canvas, Qt.Key.Key_Space)
        assert editor.painting.pixels() != by_mouse
        before = editor.canvas.brush.size
        QTest.keyClick(editor, Qt.Key.Key_BracketRight)
        assert editor.canvas.brush.size > before
        QTest.keyClick(editor, Qt.Key.Key_E)
        assert editor.canvas.brush.is_eraser
        click(editor.use_button)
        await until(lambda: session.form.state.mask_image)
        mask = QImage(session.form.state.mask_image)
        assert (mask.width(), mask.height()) == (64, 48)
        assert {mask.pixelColor(32, 24).name(), mask.pixelColor(0, 0).name()} == {"#ffffff", "#000000"}

    run_async(story())


def test_a_picture_in_the_clipboard_is_one_to_start_from(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        choose(shell, "Whole")
        image = QImage(8, 8, QImage.Format.Format_RGB32)
        image.fill(QColor("red"))
        QGuiApplication.clipboard().setImage(image)
        editor = shell.window.generate_page.panel.prompt_field.editor
        editor.setFocus()
        editor.paste()  # the prompt's field passes pictures on
        await until(lambda: shell.program.session.form.state.init_image)
        assert editor.prompt == ""
        QGuiApplication.clipboard().clear()

    run_async(story())


def test_the_three_ways_to_stop_stand_beside_each_other(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.05)
        await started(shell)
        queue, page = shell.program.session.queue, shell.window.generate_page
        for _ in range(3):
            prepare(shell, base_steps=40)
            click(page.panel.bar.generate_button)
        await until(lambda: queue.progress.fraction > 0)
        choices = page.stage.progress.choices
        buttons = (choices.stop_button, choices.skip_button, choices.last_button)
        assert all(button.isVisible() for button in buttons)
        first = queue.view.running
        click(choices.skip_button)
        assert queue.view.running is not None
        assert queue.view.running.state is JobState.STOPPING  # before the engine has answered
        assert not any(button.isEnabled() for button in buttons)
        await until(lambda: queue.view.running is not None and queue.view.running.is_stop_noted)
        assert page.stage.progress.line == "Stopping after this step…"
        await until(lambda: queue.view.running is not None and queue.view.running.job_id != first.job_id)
        click(choices.last_button)
        assert queue.view.ends_after_this
        click(choices.stop_button)
        await until(lambda: queue.view.running is None)
        assert len(queue.view.waiting) == 1
        assert queue.view.is_paused

    run_async(story())


def test_keys_star_and_walk_through_the_prompts(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        await made(shell, prompt="a red cube")
        await made(shell, prompt="a blue cone")
        page = shell.window.generate_page
        page.stage.grid.setFocus()
        page.stage.grid.setCurrentIndex(shell.program.session.results.index(1))
        QTest.keyClick(page.stage.grid, Qt.Key.Key_S)
        assert tiles(shell)[0].is_starred
        editor = page.panel.prompt_field.editor
        QTest.keyClick(editor, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert editor.prompt == "a red cube"
        QTest.keyClick(editor, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        assert editor.prompt == "a blue cone"
        menu = page.panel.prompt_tools.make_history_menu()
        assert [action.text() for action in menu.actions()][:2] == ["a blue cone", "a red cube"]

    run_async(story())


def test_saving_a_preset_asks_for_a_name(make_shell: Make) -> None:
    shell = make_shell()
    page, form = shell.window.generate_page, shell.program.session.form
    form.update(base_steps=77)
    assert not page.panel.preset.make_menu().actions()[1].isEnabled()  # nothing of the person's own to rename
    page.panel.preset.save_requested.emit()
    dialog = shell.window.findChild(NameDialog)
    assert not dialog.ok_button.isEnabled()
    dialog.edit.setText("Paper")
    assert "another name" in texts(dialog)
    dialog.edit.setText("Slow")
    click(dialog.ok_button)
    assert form.preset == "Slow"
    assert "Slow" in page.panel.preset._combo.currentText()
    assert page.panel.preset.make_menu().actions()[2].isEnabled()


def test_clips_are_called_clips_and_play(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(frames=4)
        await started(shell)
        choose(shell, "Motion")
        page = shell.window.generate_page
        assert "Describe a clip" in texts(page.stage)
        assert page.panel.bar.generate_button.text() == "Generate 4 clips"
        first, *_ = await made(shell, prompt="a red cube")
        assert page.stage.bar._count.text() == "2 clips"
        page.stage.open_tile(first)
        assert page.stage.single.player.bar.isVisible()
        await until(lambda: page.stage.single.player.play.frame > 0)
        verb: Any = page.verbs.begin_requested
        verb.emit(first)
        await until(lambda: shell.program.session.form.state.mode is Mode.CONTINUE)
        assert shell.program.session.form.state.continue_from == first.path

    run_async(story())
