"""The report on a folder: its child process, what it says, and how it goes on after a stop."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.models.compare.report import ReportPhase, ReportWish
from app.models.session import Session
from app.program import EngineSetup, Places, Program
from app.services import evaluation_run
from app.services.evaluation_run import EvaluationRun
from app.shell import Shell
from app.studio import actions
from app.studio.folder_report import FolderReporter, arguments_of
from app.ui.widgets.compare.report_dialog import ReportDialog
from tests.app.conftest import RunAsync, fake_command, until
from tests.app.driving import Make, click, texts
from ul_engine.protocol import EvaluationProgress

FAKE = Path(__file__).with_name("fake_evaluate.py")


@pytest.fixture
def program(
    qapp: Any, tmp_path: Path, model_root: Path, owned: Callable[[Any], Any], run_async: RunAsync, request: Any
) -> Any:
    """A program whose evaluation is the fake one, in the mode that the test asks for."""
    places = Places((model_root,), tmp_path / "outputs", tmp_path / "config" / "settings.json")
    setup = EngineSetup(fake_command(), evaluate=(sys.executable, str(FAKE), getattr(request, "param", "normal")))
    found = owned(Program(places, setup))
    found.load()
    yield found
    run_async(found.close())


def wish(program: Any, tmp_path: Path, **changes: Any) -> ReportWish:
    model = program.session.library.usable[0].path
    return ReportWish(**({"folder": str(tmp_path / "photos"), "model": model, "preset": "Preview"} | changes))


async def reported(program: Any, asked: ReportWish) -> Any:
    report = program.session.compare.report
    assert report.start(asked)
    assert not report.start(asked), "one at a time"
    await until(lambda: not report.view.is_busy)
    return report.view


def test_a_report_from_start_to_finish(program: Any, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        views: list[Any] = []
        program.session.compare.report.view_changed.connect(views.append)
        view = await reported(program, wish(program, tmp_path))
        assert view.phase is ReportPhase.FINISHED
        assert [Path(path).name for path in view.worst] == ["b.png", "a.png"]
        assert (view.num_samples, view.num_broken) == (2, 1)
        assert any(each.line.startswith("Measuring samples · 1 / 2") and each.fraction == 0.5 for each in views)
        (notice,) = program.session.notices.notices
        assert [action.name for action in notice.actions] == [actions.OPEN_FILE, actions.SHOW_FILE]
        assert "1 could not be read" in notice.sentence

    run_async(story())


@pytest.mark.parametrize("program", ["slow"], indirect=True)
def test_stopping(program: Any, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        report = program.session.compare.report
        report.start(wish(program, tmp_path))
        await until(lambda: report.view.fraction == 0.5)
        report.stop()
        assert report.view.phase is ReportPhase.STOPPING
        await until(lambda: report.view.phase is ReportPhase.STOPPED)
        assert program.session.notices.notices == ()

    run_async(story())


@pytest.mark.parametrize("program", ["slow"], indirect=True)
def test_stopping_before_the_child_is_there(program: Any, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        report = program.session.compare.report
        report.start(wish(program, tmp_path))
        report.stop()
        await until(lambda: report.view.phase is ReportPhase.STOPPED)

    run_async(story())


@pytest.mark.parametrize("program", ["deaf"], indirect=True)
def test_a_child_that_does_not_end_is_made_to(
    program: Any, run_async: RunAsync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation_run, "GRACE_S", 0.1)

    async def story() -> None:
        report = program.session.compare.report
        report.start(wish(program, tmp_path))
        await until(lambda: report.view.fraction == 1.0)
        report.stop()
        await until(lambda: report.view.phase is ReportPhase.STOPPED)

    run_async(story())


@pytest.mark.parametrize("program", ["chatty"], indirect=True)
def test_a_progress_bar_without_end_stops_nothing(program: Any, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        assert (await reported(program, wish(program, tmp_path))).phase is ReportPhase.FINISHED

    run_async(story())


def test_the_time_left_is_reckoned_anew_for_each_report(
    qapp: Any, owned: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second report begins with the same words as the first; its pace is its own."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    session, run = owned(Session(())), owned(EvaluationRun())
    monkeypatch.setattr(run, "start", lambda arguments: None)
    owned(FolderReporter(session, run, SimpleNamespace(root=tmp_path)))
    report = session.compare.report
    for began_s in (0.0, 3600.0):
        assert report.start(ReportWish("/photos", "/models/m", "Preview"))
        for seconds, done in ((0.0, 0), (10.0, 1)):
            now[0] = began_s + seconds
            run.progressed.emit(EvaluationProgress(doing="measuring samples", done=done, total=2))
        assert report.view.line.endswith("10 s left")
        report.update(phase=ReportPhase.STOPPED)
    run._reader.close()


@pytest.mark.parametrize("program", ["slow"], indirect=True)
def test_closing_the_program_ends_the_child(program: Any, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        report = program.session.compare.report
        report.start(wish(program, tmp_path))
        await until(lambda: report.view.fraction == 0.5)

    run_async(story())  # the fixture closes; a child left behind fails the test


@pytest.mark.parametrize(
    ("program", "words"),
    [("fails", "No pictures are in it."), ("dies", "It ended with exit code 9.")],
    indirect=["program"],
)
def test_what_went_wrong_is_said_in_words(program: Any, run_async: RunAsync, tmp_path: Path, words: str) -> None:
    async def story() -> None:
        view = await reported(program, wish(program, tmp_path))
        assert (view.phase, view.problem) == (ReportPhase.FAILED, words)
        (notice,) = program.session.notices.notices
        assert notice.sentence == words
        assert "a warning of some library" in notice.details

    run_async(story())


@pytest.mark.parametrize("program", ["other"], indirect=True)
def test_a_folder_that_changed_may_be_measured_anew(program: Any, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        view = await reported(program, wish(program, tmp_path))
        assert view.can_begin_anew
        assert "--restart" not in view.problem
        view = await reported(program, wish(program, tmp_path, is_anew=True))
        assert view.phase is ReportPhase.FINISHED

    run_async(story())


def test_equal_wishes_share_a_folder_and_others_do_not(program: Any, tmp_path: Path) -> None:
    def out(**changes: Any) -> str:
        arguments = arguments_of(wish(program, tmp_path, **changes), tmp_path)
        return arguments[arguments.index("--out") + 1]

    assert out() == out()
    assert len({out(), out(limit=5), out(preset="Paper"), out(folder=str(tmp_path / "others"))}) == 4
    assert "--limit" in arguments_of(wish(program, tmp_path, limit=5), tmp_path)


def test_the_dialog(make_shell: Make, program: Any, qapp: Any, owned: Any, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        shell = owned(Shell(program, qapp, "dark"))
        owned(shell.window)
        shell.window.show()
        page = shell.window.compare_page
        shell.window.show_page("compare")
        page.open_report()
        dialog = page.findChild(ReportDialog)
        assert dialog is not None
        click(dialog.start_button)
        assert "Choose a folder" in dialog.folder_field.error
        (tmp_path / "photos").mkdir()
        dialog.set_folder(str(tmp_path / "photos"))
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        assert dialog.stop_button.isVisible()
        await until(lambda: dialog.page_button.isVisible())
        assert "2 pictures measured" in texts(dialog)
        (saved,) = (tmp_path / "outputs" / "reports").glob("*/arguments.json")
        assert "--json-progress" in json.loads(saved.read_text())
        click(dialog.worst_button)
        assert [item.name for item in program.session.compare.inputs.items] == ["b.png", "a.png"]
        await until(lambda: all(item.problem for item in program.session.compare.inputs.items))

    run_async(story())
