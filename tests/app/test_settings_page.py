"""The page Settings: what is set there is on at once, kept soon, and every fault found comes with its mend."""

import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel

from app.models.engine_state import EnginePhase
from app.models.machine import Device
from app.services.settings import SettingsFile
from app.shell import Shell
from app.ui.theme.theme import colours
from app.ui.widgets.models.token_dialog import TokenDialog
from app.ui.widgets.question_dialog import QuestionDialog
from app.ui.widgets.settings.check import FindingLine
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, made, prepare, started, texts, told

SECTIONS = ["appearance", "folders", "files", "engine", "hub", "notifications", "check", "about"]


def opened(shell: Shell) -> Any:
    shell.window.show_page("settings")
    return shell.window.settings_page


def kept(tmp_path: Path) -> dict[str, Any]:
    return SettingsFile(tmp_path / "config" / "settings.json").load().settings.preferences


def test_the_page_is_built_when_it_is_first_shown(make_shell: Make) -> None:
    page = make_shell().window.settings_page
    assert page._area is None
    page.window().show_page("settings")
    assert list(page._sections) == SECTIONS


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_found_from_the_palette(make_shell: Make, name: str) -> None:
    shell = make_shell()
    shell.window.open_palette()
    shell.window._on_command_requested(f"settings.{name}")
    page = shell.window.settings_page
    assert shell.window.page == "settings"
    assert page._names[name].isChecked()
    section = page.section(name)
    assert section.isVisible()
    assert not section.visibleRegion().isEmpty()


def test_a_switch_strips_the_settings_from_files(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        await started(shell)
        first, second = await made(shell)
        with Image.open(first.path) as picture:
            assert "ul_studio" in picture.info
        opened(shell).section("files").keeps.click()
        bare, _, *_ = await made(shell)
        assert bare.path not in (first.path, second.path)
        with Image.open(bare.path) as picture:
            assert not set(picture.info) & {"ul_studio", "parameters"}
        await until(lambda: kept(tmp_path) == {"keeps_request": False})

    run_async(story())


def test_folders_are_shown_and_moved(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = make_shell()
        folders = opened(shell).section("folders")
        assert folders.path_shown("outputs") == str(tmp_path / "outputs")
        shell.window.settings_page.choose_folder("runs")
        dialog = folders.findChild(QFileDialog)
        (tmp_path / "drills").mkdir()
        dialog.fileSelected.emit(str(tmp_path / "drills"))
        dialog.reject()
        assert folders.path_shown("runs") == str(tmp_path / "drills")
        assert shell.program.session.folders.places.runs == tmp_path / "drills"
        await until(lambda: kept(tmp_path) == {"runs_folder": str(tmp_path / "drills")})

    run_async(story())


def test_a_folder_that_is_not_there_is_refused(make_shell: Make, tmp_path: Path) -> None:
    shell = make_shell()
    opened(shell).folder_chosen.emit(("runs", tmp_path / "nowhere"))
    assert "Nothing can be written into" in told(shell)
    assert shell.program.session.folders.places.runs != tmp_path / "nowhere"


def test_devices_are_offered_and_a_lost_one_stays_visible(make_shell: Make) -> None:
    shell = make_shell()
    session, engine = shell.program.session, opened(shell).section("engine")
    session.machine.update(devices=(Device("cuda:0", "Card A"), Device("cuda:1", "Card B")), num_cores=8)
    names = [engine.device.itemData(row) for row in range(engine.device.count())]
    assert names == ["auto", "cuda:0", "cuda:1", "cpu"]
    engine._on_device_activated(2)
    assert session.preferences.state.device == "cuda:1"
    assert shell.program.client.command[-1] == "--device=cuda:1"
    session.machine.update(devices=())
    assert engine.device.currentText() == "cuda:1 (not found here)"
    engine.threads.setValue(3)
    assert session.preferences.state.threads == 3


def test_an_open_list_of_devices_outlives_news_that_change_nothing(make_shell: Make) -> None:
    shell = make_shell()
    engine = opened(shell).section("engine")
    changed: list[Any] = []
    engine.device.model().rowsAboutToBeRemoved.connect(changed.append)
    shell.program.session.machine.update(num_cores=6)
    assert engine.threads.maximum() == 6
    assert changed == []


def test_the_access_token_is_changed_from_there(make_shell: Make) -> None:
    shell = make_shell()
    opened(shell).section("hub").token_button.click()
    assert shell.window.page == "models"
    dialog = shell.window.models_page.findChild(TokenDialog)
    assert dialog.isVisible()
    dialog.reject()


def test_release_asks_while_a_job_runs(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell(step_s=0.05)
        await started(shell)
        engine = opened(shell).section("engine")
        prepare(shell, base_steps=200)
        shell.program.runner.generate()
        await until(lambda: shell.program.session.queue.view.running is not None)
        click(engine.release)
        question = shell.window.findChild(QuestionDialog)
        assert shell.program.client.pid is not None
        click(question.go_button)
        await until(lambda: shell.program.session.engine.status.phase is EnginePhase.RELEASED)
        assert "memory is free" in engine._state.text()
        assert not engine.release.isEnabled()
        click(engine.restart)
        await until(lambda: shell.program.client.is_ready)

    run_async(story())


def test_a_mirror_must_be_an_address(make_shell: Make) -> None:
    shell = make_shell()
    hub, state = opened(shell).section("hub"), shell.program.session.preferences
    hub.endpoint.setFocus()
    QTest.keyClicks(hub.endpoint, "mirror.example")
    QTest.keyClick(hub.endpoint, Qt.Key.Key_Return)
    assert state.state.hub_endpoint == ""
    assert "begins with https" in texts(hub)
    hub.endpoint.setText("https://mirror.example/")
    QTest.keyClick(hub.endpoint, Qt.Key.Key_Return)
    assert state.state.hub_endpoint == "https://mirror.example"
    assert "begins with https" not in texts(hub)


def doctor(words: str) -> tuple[str, ...]:
    return (sys.executable, "-c", words)


def test_a_check_shows_the_command_that_mends(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        shell.program.probe._command = doctor(
            'import json; print(json.dumps([{"is_good": True, "text": "Python", "mend": ""},'
            ' {"is_good": False, "text": "no Qt", "mend": "sudo apt-get install libegl1"}]))'
        )
        check = opened(shell).section("check")
        click(check.start)
        assert not check.start.isEnabled()
        await until(lambda: not shell.program.session.machine.state.is_checking)
        assert check._words.text() == "1 thing needs mending."
        lines = list(check._list.findChildren(FindingLine))
        assert [line._finding.text for line in lines] == ["no Qt", "Python"]
        mend = next(label for label in lines[0].findChildren(QLabel) if label.property("role") == "code")
        assert mend.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
        lines[0]._on_copy_clicked()
        assert QGuiApplication.clipboard().text() == "sudo apt-get install libegl1"
        click(check.copy)
        assert "FAIL no Qt\n     sudo apt-get install libegl1" in QGuiApplication.clipboard().text()

    run_async(story())


@pytest.mark.parametrize(
    ("words", "problem"),
    [("raise SystemExit('it broke')", "it broke"), ("print('[{}]')", "without a word"), ("", "without a word")],
)
def test_a_check_that_fails_says_why(make_shell: Make, run_async: RunAsync, words: str, problem: str) -> None:
    async def story() -> None:
        shell = make_shell()
        shell.program.probe._command = doctor(words)
        check = opened(shell).section("check")
        click(check.start)
        await until(lambda: not shell.program.session.machine.state.is_checking)
        assert problem in check._words.text()
        assert check.start.isEnabled()

    run_async(story())


def test_closing_during_a_check_ends_it(make_shell: Make, run_async: RunAsync) -> None:
    async def story() -> None:
        shell = make_shell()
        shell.program.probe._command = doctor("import time; time.sleep(60)")
        click(opened(shell).section("check").start)
        assert shell.program.session.machine.state.is_checking

    run_async(story())


def test_looking_at_the_machine(make_shell: Make, run_async: RunAsync, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        shell = make_shell()
        about = opened(shell).section("about")
        await until(lambda: shell.program.session.machine.state.num_cores > 0)
        assert shell.program.session.machine.state.has_token
        assert "hf_secret" not in texts(shell.window.settings_page)
        assert "PySide6-Essentials 6." in about._versions.text()

    run_async(story())


def test_the_theme_is_chosen_there_too(make_shell: Make) -> None:
    shell = make_shell()
    appearance = opened(shell).section("appearance")
    appearance._on_wish_activated(2)
    assert colours().name == "light"
    shell.theme.set_wish("dark")
    assert appearance.wish.currentText() == "Dark"
