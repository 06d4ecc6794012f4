"""The window around the pages: dropped files, navigation, keyboard order, remembered settings."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from app.models.form_state import Mode, SeedMode
from app.services.settings import SettingsFile
from app.shell import Shell
from app.ui.theme.theme import colours
from app.ui.widgets.question_dialog import QuestionDialog
from app.ui.widgets.restore_dialog import RestoreDialog
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, laid_out, made, prepare, started, texts, told
from ul_engine.requests import ReconstructRequest

# ---- files on the window ------------------------------------------------------------------------------------------


def drop(shell: Shell, *paths: str) -> bool:
    """What the system does when files are dropped; whether the window took them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    copy, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(500, 300), copy, data, button, none)
    enter.ignore()
    QApplication.sendEvent(shell.window, enter)
    if not enter.isAccepted():
        return False
    assert shell.window._hint.isVisible()
    QApplication.sendEvent(shell.window, QDropEvent(QPointF(500, 300), copy, data, button, none))
    assert not shell.window._hint.isVisible()
    return True


def test_a_dropped_picture_asks_before_it_changes_anything(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        first, _ = await made(shell, seed="5", seed_mode=SeedMode.FIXED)
        prepare(shell, prompt="a cone", seed="1", base_steps=9)
        assert drop(shell, first.path)
        await until(lambda: shell.window.findChild(RestoreDialog))
        dialog = shell.window.findChild(RestoreDialog)
        ticks = {tick.text(): tick for tick in dialog.findChildren(QCheckBox)}
        assert sorted(ticks) == ["Base model", "Prompt", "Seed"]
        assert "a cone" in texts(dialog)
        assert "a red cube" in texts(dialog)
        assert shell.program.session.form.state.prompt == "a cone"
        ticks["Base model"].click()
        click(dialog._apply)
        state = shell.program.session.form.state
        assert (state.prompt, state.seed, state.base_steps) == ("a red cube", "5", 9)

    run_async(story())


def test_cancelling_changes_nothing(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        first, _ = await made(shell)
        prepare(shell, prompt="a cone")
        before = shell.program.session.form.state
        drop(shell, first.path)
        await until(lambda: shell.window.findChild(RestoreDialog))
        shell.window.findChild(RestoreDialog).reject()
        assert shell.program.session.form.state == before

    run_async(story())


def test_foreign_files_give_a_notice(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        image = QImage(4, 4, QImage.Format.Format_RGB888)
        image.fill(0)
        image.save(str(tmp_path / "foreign.png"))
        drop(shell, str(tmp_path / "foreign.png"))
        await until(lambda: "No settings to take over" in told(shell))
        assert "another program" in told(shell)

    run_async(story())


def test_several_files_are_not_taken(make_shell: Make) -> None:
    assert not drop(make_shell(), "/a.png", "/b.png")


# ---- the shell ----------------------------------------------------------------------------------------------------


def test_only_pages_that_exist_are_offered(make_shell: Make) -> None:
    shell = make_shell()
    assert list(shell.window.rail._buttons) == ["generate", "compare", "train", "models", "library", "settings"]
    for name, button in shell.window.rail._buttons.items():
        click(button)
        assert shell.window._pages[name].isVisible()


def test_nothing_is_wider_than_its_place(make_shell: Make, run_async: RunAsync) -> None:
    """At 1280 x 720 no text is cut and no control sticks out, in any palette and with everything unfolded."""

    async def story() -> None:
        shell = make_shell()
        panel = shell.window.generate_page.panel
        panel.expert.set_open(True)
        prepare(shell, prompt="a red sphre, gren", width_px=64, logsnr_low=9.0)
        await laid_out(shell.window)
        body = panel._scroll.widget()
        assert body.width() <= panel._scroll.viewport().width()
        for child in body.findChildren(QWidget):
            if child.isVisible():
                right = child.mapTo(body, QPoint(child.width(), 0)).x()
                assert right <= body.width(), child
        for label in body.findChildren(QLabel):
            if label.isVisible() and label.wordWrap():
                assert label.height() >= label.heightForWidth(label.width()), label.text()
        assert shell.window.size().width() == 1280
        assert shell.window.size().height() == 720

    run_async(story())


def test_the_keyboard_walks_through_the_form_in_reading_order(make_shell: Make) -> None:
    shell = make_shell()
    assert QTest.qWaitForWindowActive(shell.window, 5000)
    panel = shell.window.generate_page.panel
    wanted = [
        panel.modes.buttons[Mode.PICTURES],
        panel.model_chooser._combo,
        panel.prompt_field.editor,
        *panel.prompt_field.suggestions._tabs,
        *panel.prompt_field.suggestions._chips,
        panel.prompt_tools.more_button,
        panel.count.box,
        panel.preset._combo,
        panel.preset.more_button,
        panel.seed._edit,
        panel.seed._die,
        panel.seed._mode,
        panel.start_picture.choose,
        panel.expert._button,
        panel.bar.generate_button,
    ]
    wanted[0].setFocus()
    for widget in wanted[1:]:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert QApplication.focusWidget() is widget, (QApplication.focusWidget(), widget)


def test_every_control_has_a_name_for_screen_readers(make_shell: Make) -> None:
    shell = make_shell()
    shell.window.generate_page.panel.expert.set_open(True)
    for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QPlainTextEdit, QLineEdit):
        for widget in shell.window.findChildren(kind):
            if widget.objectName().startswith("qt_") or widget.focusPolicy() == Qt.FocusPolicy.NoFocus:
                continue
            name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
            assert name, widget


def test_the_theme_button_turns_day_into_night(make_shell: Make) -> None:
    shell = make_shell()
    click(shell.window.status._theme)
    assert colours().name == "light"
    click(shell.window.status._theme)
    assert colours().name == "dark"


def test_closing_remembers(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        run = asyncio.get_running_loop().create_task(shell.run())
        await until(lambda: shell.program.client.is_ready)
        prepare(shell, prompt="a cone")
        shell.window.generate_page.stage.bar._choose_size(332)
        shell.window.close()
        await run
        shell.program.memory.save(shell.settings())
        settings = SettingsFile(tmp_path / "config" / "settings.json").load().settings
        assert (settings.form["prompt"], settings.tile_px, settings.theme) == ("a cone", 332, "dark")
        assert settings.geometry
        await shell.close()

    run_async(story())


def test_closing_asks_before_work_is_lost(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.05)
        await started(shell)
        request = ReconstructRequest(model="m", inputs=("a.png",))
        shell.program.session.queue.add(request, "Model", (16, 16), page="compare")
        shell.window.close()
        question = shell.window.findChild(QuestionDialog)
        assert "would be lost" in question.sentence
        assert shell.window.isVisible()
        assert not shell.closed.is_set()
        QTest.keyClick(question, Qt.Key.Key_Return)
        assert not shell.closed.is_set()
        shell.window.close()
        await until(lambda: shell.window.findChild(QuestionDialog) is not question)
        click(shell.window.findChild(QuestionDialog).go_button)
        assert shell.closed.is_set()

    run_async(story())


def test_another_folder_for_results(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        (tmp_path / "else where").mkdir()
        shell.window.settings_page.folder_chosen.emit(("outputs", tmp_path / "else where"))
        first, _ = await made(shell)
        assert Path(first.path).is_relative_to(tmp_path / "else where")
        assert shell.settings().outputs == str(tmp_path / "else where")

    run_async(story())


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_state_can_be_painted_in_both_palettes(make_shell: Make, run_async: RunAsync, name: str) -> None:
    async def story() -> None:
        shell = make_shell("oom")
        shell.theme.set_wish(name)
        await started(shell)
        prepare(shell)
        click(shell.window.generate_page.panel.bar.generate_button)
        await until(lambda: shell.program.session.notices.notices)
        await laid_out(shell.window)
        image, palette = shell.window.grab().toImage(), colours()
        assert palette.name == name
        assert image.pixelColor(3, 500).name() == palette.rail
        assert image.pixelColor(700, 8).name() == palette.error_tint
        button = shell.window.generate_page.panel.bar.generate_button
        assert image.pixelColor(button.mapTo(shell.window, QPoint(8, 8))).name() == palette.accent
        shell.theme.set_wish("dark")

    run_async(story())
