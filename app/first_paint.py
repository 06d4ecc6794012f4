"""When the window was painted first. Reads next to nothing, for what is read before counts."""

import asyncio
import os
import time
from pathlib import Path

from PySide6.QtCore import QEvent, QObject


class FirstPaint(QObject):
    """Notes when the window was painted first, in seconds since the process began."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.seconds = 0.0
        self.happened = asyncio.Event()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Looks, never eats."""
        if event.type() == QEvent.Type.Paint and not self.seconds:
            self.seconds = process_age_s()
            self.happened.set()
        return False


def process_age_s() -> float:
    """Seconds since this process began; on Linux by the kernel's own clock, for the boot time is rounded to seconds."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        import psutil

        return time.time() - psutil.Process().create_time()
