"""Cyclic garbage is collected in the window's thread only.

Python collects in whatever thread happens to allocate. A Qt object that dies in another thread than its own stops its
timers there, which Qt forbids: at best a warning, at worst a crash.

What is there when the program stands, thousands of functions and classes, stays until its end. It is set aside, or each
full collection would look through it again and hold the window up for 40 ms.
"""

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1000
NUM_SETTLING = 20
"""Looks after which the program stands: its modules, pages and models stay until it ends."""


class GarbageCollector(QObject):
    """Does by timer, with Python's own thresholds, what Python would do at any moment. What the start has brought, a
    hundred thousand objects, is not looked through again: each time that took the window 30 ms and more."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._num_looks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._on_timeout)

    def start(self) -> None:
        """Take over from Python, and set aside what was read so far."""
        gc.disable()
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Give it back."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _on_timeout(self) -> None:
        counts, thresholds = gc.get_count(), gc.get_threshold()
        due = [generation for generation in range(3) if counts[generation] > thresholds[generation]]
        if due:
            gc.collect(due[-1])
        self._num_looks += 1
        if self._num_looks <= NUM_SETTLING:
            gc.freeze()
