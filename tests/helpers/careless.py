"""Careless tests, each with a careful twin: run by tests/test_fixtures_bite.py in a pytest of its own, never directly.

Every test named `test_bad_*` must fail through a guard; every `test_good_*` must pass.
"""

import logging
import os
import subprocess
import sys
import threading
import time

import pytest

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
log = logging.getLogger("studio")


def test_bad_thread():
    threading.Thread(target=time.sleep, args=(3,), daemon=True).start()


def test_good_thread():
    threading.Thread(target=time.sleep, args=(0.1,), daemon=True).start()


def test_bad_process():
    global forgotten
    forgotten = subprocess.Popen(SLEEP)


def test_bad_orphan():  # a grandchild whose parent is gone, in a session of its own: how a trainer outlives the window
    start = f"import subprocess; subprocess.Popen({SLEEP!r}, start_new_session=True)"
    subprocess.run([sys.executable, "-c", start], check=True)


def test_good_process():
    with subprocess.Popen(SLEEP) as process:
        process.kill()


def test_bad_log():
    log.warning("the disk is nearly full")


def test_good_log(allowed_logs):
    log.info("nothing to see")
    allowed_logs(r"studio: the disk is \w+ full")
    log.warning("the disk is nearly full")


def test_bad_other_log(allowed_logs):
    allowed_logs("the disk")
    log.error("the moon is nearly full")


@pytest.mark.allowed_logs("the disk", "the moon")
def test_good_marked_log():
    log.error("the moon is nearly full")


def test_bad_warning():
    import warnings

    warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_bad_exception_in_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()


def test_bad_unraisable():
    class Careless:
        def __del__(self):
            raise ValueError("in a destructor")

    Careless()


def test_bad_open_file():
    open(os.devnull)  # noqa: SIM115


def test_bad_mark_after_failure_is_reported_once():
    threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()
    raise AssertionError("the failure itself")


def test_good_one_torch_thread():
    assert "torch" not in sys.modules
    assert "PySide6" not in sys.modules, "importing the guards must not load Qt"
    assert os.environ["OMP_NUM_THREADS"] == "1"


# From here on with Qt.


def test_bad_qt_warning(qapp):
    from PySide6.QtCore import qWarning

    qWarning("a layout without a widget")


def test_good_qt_warning(qapp, allowed_logs):
    from PySide6.QtCore import QTimer, qWarning

    allowed_logs("^qt: a layout|QObject::startTimer")
    qWarning("a layout without a widget")
    timer = QTimer()
    thread = threading.Thread(target=lambda: timer.start(10))  # Qt's own complaint about the wrong thread
    thread.start()
    thread.join()


def test_bad_slot(qapp):
    from PySide6.QtCore import QTimer

    from tests.helpers.qt import spin

    QTimer.singleShot(1, lambda: 1 / 0)
    spin(50)


def test_bad_paint(qapp, owned):
    from PySide6.QtWidgets import QWidget

    class Careless(QWidget):
        def paintEvent(self, event):
            raise ValueError("while painting")

    owned(Careless()).grab()


def test_bad_timer(qapp):
    from PySide6.QtCore import QTimer

    qapp.careless_timer = QTimer()
    qapp.careless_timer.start(10_000)


def test_good_timer(qapp):
    from PySide6.QtCore import QTimer

    qapp.careless_timer.stop()
    timer = QTimer()
    timer.start(10_000)


def test_bad_single_shot(qapp):
    from PySide6.QtCore import QTimer

    QTimer.singleShot(1_500, lambda: None)


def test_good_single_shot(qapp):
    from PySide6.QtCore import QTimer

    from tests.helpers.qt import spin

    QTimer.singleShot(1, lambda: None)
    spin(20)


def test_bad_qthread(qapp):
    from PySide6.QtCore import QThread

    qapp.careless_thread = QThread()
    qapp.careless_thread.start()


def test_good_qthread(qapp):
    from PySide6.QtCore import QThread

    for thread in (qapp.careless_thread, QThread()):
        thread.start()
        thread.quit()
        assert thread.wait(2000)


def test_good_qthread_that_ran_python(qapp):
    from PySide6.QtCore import QThread

    class Work(QThread):
        def run(self):
            self.seen = threading.current_thread().name

    work = Work()
    work.start()
    assert work.wait(2000)
    assert work.seen


def test_bad_widget(qapp):
    from PySide6.QtWidgets import QWidget

    qapp.careless_widget = QWidget()


def test_bad_widget_in_a_cycle_that_is_kept(qapp):
    from PySide6.QtWidgets import QDialog, QWidget

    parent = QWidget()
    parent.me = parent
    QDialog(parent)
    qapp.careless_parent = parent


def test_good_widget(qapp, owned):
    from PySide6.QtWidgets import QComboBox, QMainWindow, QWidget

    window = owned(QMainWindow())
    window.setCentralWidget(QComboBox())
    window.setMinimumSize(200, 100)
    window.show()
    window.raise_()
    window.activateWindow()
    qapp.processEvents()
    forgotten_but_collected = QWidget()
    forgotten_but_collected.me = forgotten_but_collected
    QWidget().deleteLater()


def test_good_waiting(qapp):
    from PySide6.QtCore import QObject, QThread, Signal

    from tests.helpers.qt import wait_for_signal, wait_until

    class Work(QThread):
        answered = Signal(object)
        counted = Signal(int, str)

        def run(self):
            self.answered.emit({"threads": threading.current_thread() is threading.main_thread()})

    class Counter(QObject):
        counted = Signal(int, str)

    work, counter = Work(), Counter()
    assert wait_for_signal(work.answered, trigger=work.start) == ({"threads": False},)
    assert wait_for_signal(counter.counted, trigger=lambda: counter.counted.emit(3, "three")) == (3, "three")
    wait_until(work.isFinished)
    assert f"{1.5:n}" == "1.5", "LC_NUMERIC must be C"


def test_bad_waiting_in_vain(qapp):
    from PySide6.QtCore import QTimer

    from tests.helpers.qt import wait_for_signal

    timer = QTimer()
    wait_for_signal(timer.timeout, timeout_s=0.05)
