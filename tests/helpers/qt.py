"""The application object for tests, and ways to wait that keep Qt's events flowing. Loads Qt only when used."""

import gc
import locale
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from PySide6.QtCore import QObject, SignalInstance
    from PySide6.QtWidgets import QApplication


WITH_QT = frozenset(("qapp", "imports_out_of_sight"))
"""Fixtures of tests with Qt: the application object, and one that every test of the window has."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """As in the program, the cyclic garbage of a test with Qt is collected in this thread only. Collected by a thread
    that writes files, a Qt object with a timer dies there, and takes the interpreter with it, perhaps tests later.

    The collection comes when pytest itself has let go of what the test and its fixtures held.
    """
    if WITH_QT.isdisjoint(getattr(item, "fixturenames", ())):
        return (yield)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.enable()


@pytest.fixture(scope="session")
def qapp() -> "QApplication":
    """The one application object of the test run, offscreen; its user folders are Qt's test folders."""
    from PySide6.QtCore import QStandardPaths
    from PySide6.QtWidgets import QApplication

    from tests.helpers.noise import listen_to_qt

    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):  # left behind by OpenCV, and wrong for our Qt
        os.environ.pop(name, None)
    listen_to_qt()
    QStandardPaths.setTestModeEnabled(True)
    app = QApplication.instance() or QApplication(["ul-studio-tests"])
    assert isinstance(app, QApplication)
    locale.setlocale(locale.LC_NUMERIC, "C")  # QApplication takes the user's, and numbers lose their point
    app.setQuitOnLastWindowClosed(False)
    return app


@pytest.fixture
def owned(qapp: "QApplication") -> Iterator[Callable[[Any], Any]]:
    """`page = owned(GeneratePage(...))`: closed and deleted when the test ends, in reverse order."""
    things: list[QObject] = []

    def own(thing: Any) -> Any:
        things.append(thing)
        return thing

    yield own
    import shiboken6
    from PySide6.QtWidgets import QWidget

    for thing in reversed(things):
        if shiboken6.isValid(thing):
            if isinstance(thing, QWidget):
                thing.close()
            thing.deleteLater()
    things.clear()
    flush_deferred_deletes()


def flush_deferred_deletes() -> None:
    """Carries out every pending deleteLater(), which otherwise waits for an event loop."""
    qt_core = sys.modules.get("PySide6.QtCore")
    if qt_core is not None and qt_core.QCoreApplication.instance() is not None:
        qt_core.QCoreApplication.sendPostedEvents(None, qt_core.QEvent.Type.DeferredDelete.value)


def spin(duration_ms: int) -> None:
    """Runs Qt's event loop for a while."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    timer = QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(loop.quit)
    timer.start(duration_ms)
    loop.exec()


def wait_until(predicate: Callable[[], object], *, timeout_s: float = 5.0, message: str = "") -> None:
    """Waits until the predicate is true, with Qt's events flowing if Qt is in use; fails the test after `timeout_s`."""
    qt_core = sys.modules.get("PySide6.QtCore")
    has_events = qt_core is not None and qt_core.QCoreApplication.instance() is not None
    deadline = time.monotonic() + timeout_s
    while not predicate():
        if time.monotonic() > deadline:
            pytest.fail(f"Waited {timeout_s} s in vain. {message}".rstrip())
        if has_events:
            spin(5)
        else:
            time.sleep(0.005)


def wait_for_signal(
    signal: "SignalInstance", *, timeout_s: float = 5.0, trigger: Callable[[], object] | None = None
) -> tuple[Any, ...]:
    """Waits for the next emission and returns its arguments; fails the test after `timeout_s`.

    What causes the signal is best given as `trigger`, which is called when the waiting has begun: a signal emitted
    before is not seen. Emissions from other threads are received in this one.
    """
    from PySide6.QtCore import QObject

    class Receiver(QObject):
        """Lives in this thread, so that Qt queues what another thread emits."""

        def __init__(self) -> None:
            super().__init__()
            self.calls: list[tuple[Any, ...]] = []

        def receive(self, *args: Any) -> None:
            self.calls.append(args)

    receiver = Receiver()
    signal.connect(receiver.receive)
    try:
        if trigger is not None:
            trigger()
        wait_until(lambda: receiver.calls, timeout_s=timeout_s, message=f"{signal} was not emitted.")
    finally:
        signal.disconnect(receiver.receive)
    return receiver.calls[0]
