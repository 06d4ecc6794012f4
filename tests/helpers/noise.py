"""A test fails on log records at WARNING or above, on Qt warnings, and on exceptions that a slot lets out."""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest

ALLOWED = pytest.StashKey[list[str]]()
qt_log = logging.getLogger("qt")


class Recorder(logging.Handler):
    """Keeps what was logged during one test, as `logger: message` lines with the place that logged it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.name}: {record.getMessage()}"
        if record.exc_info and record.exc_info[0]:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info))
        self.lines.append((text, f"{record.levelname} {text}  [{record.pathname}:{record.lineno}]"))


def _on_qt_message(kind: Any, context: Any, message: str) -> None:
    """Turns Qt's own messages into log records, so that one guard and one opt-out serve both."""
    from PySide6.QtCore import QtMsgType

    if message.startswith("This plugin does not support "):  # offscreen cannot raise windows or give size hints
        return
    levels = {QtMsgType.QtWarningMsg: logging.WARNING, QtMsgType.QtCriticalMsg: logging.ERROR}
    category = f"{context.category}: " if context.category not in (None, "default") else ""
    qt_log.log(levels.get(kind, logging.DEBUG), "%s%s", category, message)
    sys.stderr.write(f"Qt: {category}{message}\n")


def listen_to_qt() -> None:
    """Routes Qt's messages into the log, if Qt is loaded; anew for every test, as a program installs its own."""
    qt_core = sys.modules.get("PySide6.QtCore")
    if qt_core is not None:
        qt_core.qInstallMessageHandler(_on_qt_message)


def pytest_unconfigure() -> None:
    qt_core = sys.modules.get("PySide6.QtCore")
    if qt_core is not None:
        qt_core.qInstallMessageHandler(None)


@pytest.fixture
def allowed_logs(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`allowed_logs(pattern)`: from here on this test expects log records or Qt messages that match (re.search).

    The pattern is held against `logger: message`; Qt's messages come from the logger `qt`. The marker
    ``@pytest.mark.allowed_logs(pattern, ...)`` says the same for a whole test, class or module.
    """
    return request.node.stash[ALLOWED].append


@pytest.fixture(autouse=True)
def no_noise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails the test for warnings and errors nobody expected."""
    marked = [str(pattern) for mark in request.node.iter_markers("allowed_logs") for pattern in mark.args]
    allowed = request.node.stash.setdefault(ALLOWED, marked)
    escaped: list[str] = []

    def keep(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        escaped.append("".join(traceback.format_exception(kind, error, trace)))
        sys.__excepthook__(kind, error, trace)

    monkeypatch.setattr(sys, "excepthook", keep)
    recorder = Recorder()
    logging.getLogger().addHandler(recorder)
    listen_to_qt()
    yield
    logging.getLogger().removeHandler(recorder)
    noise = [line for text, line in recorder.lines if not any(re.search(pattern, text) for pattern in allowed)]
    if escaped:
        pytest.fail("An exception escaped into the event loop:\n" + "\n".join(escaped), pytrace=False)
    if noise:
        pytest.fail("Logged, and not expected (see the fixture allowed_logs):\n" + "\n".join(noise), pytrace=False)
