"""Code of pages is read before they are shown."""

import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui.reading_ahead import MODULES, ReadingAhead
from tests.app.conftest import RunAsync, until


def test_everything_is_read_once_nobody_types(qapp: Any, owned: Callable[[Any], Any], run_async: RunAsync) -> None:
    reading = owned(ReadingAhead(qapp))
    widget = owned(QWidget())
    widget.show()

    async def go() -> None:
        reading.start()
        QTest.keyClick(widget, Qt.Key.Key_A)
        assert not reading.is_done
        await until(lambda: reading.is_done)

    run_async(go())
    reading.stop()
    assert set(MODULES) <= set(sys.modules)
