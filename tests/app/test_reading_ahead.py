"""Code of pages is read before they are shown."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui.reading_ahead import MODULES, QUIET_S, ReadingAhead
from tests.app.conftest import ROOT, RunAsync, until


def test_nothing_is_read_while_somebody_types(qapp: Any, owned: Callable[[Any], Any], run_async: RunAsync) -> None:
    now = [0.0]
    reading = owned(ReadingAhead(qapp, clock=lambda: now[0]))
    widget = owned(QWidget())
    widget.show()

    async def go() -> None:
        reading.start()
        await until(lambda: "numpy" in sys.modules and not reading._numpy.is_alive())
        now[0] = 10.0
        QTest.keyClick(widget, Qt.Key.Key_A)
        reading._on_timeout()
        assert len(reading._modules) == len(MODULES)
        now[0] = 10.0 + 2 * QUIET_S
        reading._on_timeout()
        assert len(reading._modules) == len(MODULES) - 1
        await until(lambda: reading.is_done)

    run_async(go())
    reading.stop()


def test_every_name_stands_for_a_module() -> None:
    code = f"import importlib\nfor name in {MODULES!r}: importlib.import_module(name)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
