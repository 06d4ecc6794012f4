"""Uncaught exceptions become a readable report and a notice, wherever they come from."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.services.crash_reports import MAX_REPORTS, CrashReport, CrashReporter
from tests.app.conftest import RunAsync, until
from tests.helpers.qt import wait_until


@pytest.fixture
def reporter(qapp: Any, tmp_path: Path) -> Iterator[CrashReporter]:
    reporter = CrashReporter(tmp_path / "logs")
    reporter.install()
    yield reporter
    reporter.uninstall()


@pytest.fixture
def reports(reporter: CrashReporter) -> list[CrashReport]:
    seen: list[CrashReport] = []
    reporter.error_reported.connect(seen.append)
    return seen


def fail(words: str = "it broke") -> None:
    raise ValueError(words)


def caught(reporter: CrashReporter) -> None:
    try:
        fail()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def test_a_report_can_be_read(reporter: CrashReporter, reports: list[CrashReport]) -> None:
    caught(reporter)
    assert reports[0].summary == "ValueError: it broke"
    text = Path(reports[0].path).read_text()
    assert text.startswith("UL Studio, ")
    assert "in fail" in text
    assert "Python 3." in text


def test_a_slot_that_raises(reporter: CrashReporter, reports: list[CrashReport]) -> None:
    from PySide6.QtCore import QTimer

    timer = QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(fail)
    timer.start(0)
    wait_until(lambda: reports)


def test_a_thread_that_raises(reporter: CrashReporter, reports: list[CrashReport]) -> None:
    thread = threading.Thread(target=fail, name="digger")
    thread.start()
    thread.join()
    wait_until(lambda: reports)
    assert "in digger" in reports[0].text


def test_a_task_that_raises(reporter: CrashReporter, reports: list[CrashReport], run_async: RunAsync) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        reporter.watch_loop(loop)
        loop.call_soon(fail)
        await until(lambda: reports)

    run_async(story())
    assert reports[0].summary == "ValueError: it broke"


def test_what_cannot_be_raised(reporter: CrashReporter, reports: list[CrashReport]) -> None:
    class Bad:
        def __del__(self) -> None:
            fail("while dying")

    Bad()
    assert reports[0].summary == "ValueError: while dying"


def test_leaving_is_no_crash(reporter: CrashReporter, reports: list[CrashReport]) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert reports == []


def test_a_receiver_that_fails_too_does_not_recurse(reporter: CrashReporter) -> None:
    def receiver(_report: CrashReport) -> None:
        fail("again")

    reporter.error_reported.connect(receiver)
    caught(reporter)


def test_without_a_disk_there_is_still_a_report(qapp: Any, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    reporter, seen = CrashReporter(tmp_path / "logs"), []
    reporter.error_reported.connect(seen.append)
    reporter.install()
    caught(reporter)
    reporter.uninstall()
    assert seen[0].path == ""


def test_old_reports_are_cleared_away(reporter: CrashReporter, tmp_path: Path) -> None:
    for _ in range(MAX_REPORTS + 3):
        caught(reporter)
    assert len(list((tmp_path / "logs").iterdir())) == MAX_REPORTS


def test_the_hooks_are_given_back(qapp: Any, tmp_path: Path) -> None:
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    reporter = CrashReporter(tmp_path)
    reporter.install()
    assert sys.excepthook != before[0]
    reporter.uninstall()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_the_report_is_read_before_it_is_passed_on(make_shell: Any, tmp_path: Path) -> None:
    from PySide6.QtGui import QGuiApplication

    from app.ui.widgets.report_dialog import ReportDialog
    from tests.app.driving import click

    shell = make_shell()
    shell.program.on_error_reported(CrashReport("ValueError: it broke", "All of it.\n/home/anna", ""))
    (notice,) = shell.program.session.notices.notices
    shell.program.session.notices.choose(notice, notice.actions[0].name, notice.actions[0].argument)
    dialog = shell.window.findChild(ReportDialog)
    assert dialog.text.toPlainText() == "All of it.\n/home/anna"
    assert not dialog.folder_button.isEnabled()
    dialog.text.setPlainText("All of it.")
    click(dialog.copy_button)
    assert QGuiApplication.clipboard().text() == "All of it."
    dialog.reject()
