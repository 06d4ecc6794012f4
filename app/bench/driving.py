"""How the bench drives the window: keys, clicks, and waiting without waiting."""

import asyncio
import time
from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

POLL_S = 0.002


class BenchFailed(Exception):
    """A station cannot be measured; the message says why."""


async def until(condition: Callable[[], object], complaint: str, timeout_s: float = 120.0) -> float:
    """Wait for something; returns how long that took, in seconds."""
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > timeout_s:
            raise BenchFailed(f"{complaint} within {timeout_s:.0f} s")
        await asyncio.sleep(POLL_S)
    return time.perf_counter() - began


def click(widget: QWidget) -> None:
    """With the left button, at its upper left."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(12, 10))
