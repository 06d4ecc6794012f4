"""Work in one thread, piece after piece in the order it was given; every result is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.services.worker_thread import raise_bugs


class InOrder(QObject):
    """Unlike where only the newest counts, nothing is left out here."""

    finished = Signal(object)  # what the work returned, told in the window's thread

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def start(self, work: Callable[..., Any], *arguments: object) -> None:
        """Queue a piece of work; it touches no widget and no model."""
        self._executor.submit(self._carry_out, work, *arguments).add_done_callback(raise_bugs)

    def close(self) -> None:
        """Leave what waits undone, finish what runs, end the thread."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _carry_out(self, work: Callable[..., Any], *arguments: object) -> None:
        self.finished.emit(work(*arguments))
