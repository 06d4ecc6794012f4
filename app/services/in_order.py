"""Work in one thread, piece after piece in the order it was given; every result is told."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.services.worker_thread import WorkerThread


class InOrder(QObject):
    """Unlike where only the newest counts, nothing is left out here."""

    finished = Signal(object)  # what the work returned, told in the window's thread

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = WorkerThread(name)

    def start(self, work: Callable[..., Any], *arguments: object) -> None:
        """Queue a piece of work; it touches no widget and no model."""
        self._thread.do(self._carry_out, work, *arguments)

    def close(self) -> None:
        """Leave what waits undone, finish what runs, end the thread."""
        self._thread.close()

    def _carry_out(self, work: Callable[..., Any], *arguments: object) -> None:
        self.finished.emit(work(*arguments))
