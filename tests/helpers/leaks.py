"""A test fails if it leaves behind a thread, a child process, a running Qt timer or thread, or a top-level widget."""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

import psutil
import pytest

from tests.helpers.environment import RUN_ID
from tests.helpers.qt import flush_deferred_deletes

# They live as long as the interpreter, by design of the libraries that start them.
LASTING_THREADS = ("TMonitor", "tqdm_monitor")
LASTING_PROCESSES = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
LASTING_WIDGETS = ("QTipLabel",)

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest, no_noise: None) -> Iterator[None]:
    """Fails the test for what it left running; child processes are killed either way.

    A test that failed already is not blamed twice: its traceback keeps its objects alive.
    """
    uses_qt = "qapp" in request.fixturenames
    threads, pids = set(threading.enumerate()), set(psutil.pids())
    running = {id(thing) for thing in _running_qt_objects()} if uses_qt else set()
    widgets = {id(widget) for widget in _top_level_widgets()}
    yield
    has_failed = request.node.stash.get(FAILED, False)
    grace_s = 0.0 if has_failed else float(request.config.getini("leak_grace_s"))
    leaks = _settle(lambda: _new_threads(threads), grace_s)
    processes = _settle(lambda: _new_processes(pids), grace_s)
    leaks += [f"process {process.pid}: {_command(process)}" for process in processes]
    for process in processes:
        process.kill()
    if uses_qt:
        still_running = _settle(lambda: [t for t in _running_qt_objects() if id(t) not in running], grace_s)
        leaks += [f"running: {_describe(thing)}" for thing in still_running]
    leaks += _leaked_widgets(widgets)
    if leaks and not has_failed:
        pytest.fail("Left behind by this test:\n" + "\n".join(leaks), pytrace=False)


def _settle(find: Callable[[], list[Any]], grace_s: float) -> list[Any]:
    """What is still there when the time of grace is over."""
    deadline = time.monotonic() + grace_s
    while (found := find()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def _new_threads(before: set[threading.Thread]) -> list[str]:
    new = [thread for thread in threading.enumerate() if thread not in before]
    if any(isinstance(thread, threading._DummyThread) for thread in new):
        # Python below 3.13 never forgets a foreign thread (a QThread) that once ran Python.
        alive = {thread.id for thread in psutil.Process().threads()}
        new = [thread for thread in new if thread.native_id in alive]
    names = [f"{type(thread).__name__} {thread.name}" for thread in new]
    return [f"thread: {name}" for name in names if not name.startswith(LASTING_THREADS)]


def _new_processes(before: set[int]) -> list[psutil.Process]:
    return [process for pid in set(psutil.pids()) - before if (process := _ours(pid))]


def _ours(pid: int) -> psutil.Process | None:
    """The process, if it runs and comes from this test run: by descent, or by the mark that an orphan still carries."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or any(name in _command(process) for name in LASTING_PROCESSES):
            return None
        if os.getpid() in {parent.pid for parent in process.parents()}:
            return process
        return process if process.environ().get(RUN_ID) == os.environ[RUN_ID] else None
    except psutil.Error:
        return None


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:300]
    except psutil.Error:
        return "(its command line cannot be read)"


def _running_qt_objects() -> list[Any]:
    """Active timers and running threads that Python created; `QTimer.singleShot` makes such a timer too."""
    qt_core, shiboken = sys.modules.get("PySide6.QtCore"), sys.modules.get("shiboken6")
    if qt_core is None or shiboken is None:
        return []
    kinds = (qt_core.QTimer, qt_core.QThread)
    alive = [thing for thing in gc.get_objects() if issubclass(type(thing), kinds) and shiboken.isValid(thing)]
    return [t for t in alive if (t.isActive() if issubclass(type(t), qt_core.QTimer) else t.isRunning())]


def _top_level_widgets() -> list[Any]:
    qt_widgets = sys.modules.get("PySide6.QtWidgets")
    if qt_widgets is None or qt_widgets.QApplication.instance() is None:
        return []
    roots = [widget for widget in qt_widgets.QApplication.topLevelWidgets() if widget.parent() is None]
    return [widget for widget in roots if _class(widget) not in LASTING_WIDGETS]


def _leaked_widgets(before: set[int]) -> list[str]:
    """New top-level widgets; they are deleted here, so that only the test that made them is blamed."""

    def find() -> list[Any]:
        flush_deferred_deletes()
        return [widget for widget in _top_level_widgets() if id(widget) not in before]

    if not find():
        return []
    gc.collect()  # dropped by the test, and only waiting for the collector
    leaked = find()
    names = [f"widget: {_describe(widget)}" for widget in leaked]
    for widget in leaked:
        widget.close()
        widget.deleteLater()
    flush_deferred_deletes()
    return names


def _class(thing: Any) -> str:
    return str(thing.metaObject().className())


def _describe(thing: Any) -> str:
    name = thing.objectName()
    return f"{type(thing).__name__} {name!r} of parent {thing.parent()!r}" if name else f"{thing!r}"
