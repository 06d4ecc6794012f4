"""Writes small files of the program's state in a thread of its own; of several versions only the latest counts."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.services.json_file import write_whole
from app.services.worker_thread import raise_bugs
from ul_engine.errors import OutputError


@dataclass(frozen=True)
class WriteProblem:
    """A file of the program's state could not be written."""

    path: str
    message: str


class StateWriter(QObject):
    """`write` returns at once. Files come to the disk whole, in the order in which they were first asked for."""

    write_failed = Signal(object)  # WriteProblem
    written = Signal(object)  # str: the path

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state-files")
        self._lock = threading.Lock()
        self._pending: dict[Path, Callable[[], bytes]] = {}
        self._is_closed = False

    def write(self, path: Path, content: Callable[[], bytes]) -> None:
        """Replace a file; `content` is made in the thread, from what does not change any more. Once closed, at once."""
        with self._lock:
            is_queued = path in self._pending
            self._pending[path] = content
        if self._is_closed:
            self._write(path)
        elif not is_queued:
            self._executor.submit(self._write, path).add_done_callback(raise_bugs)

    def close(self) -> None:
        """Write what is pending and end the thread."""
        self._is_closed = True
        self._executor.shutdown(wait=True)

    def _write(self, path: Path) -> None:
        with self._lock:
            content = self._pending.pop(path, None)
        if content is None:  # written at closing
            return
        try:
            write_whole(path, content())
        except OutputError as error:
            self.write_failed.emit(WriteProblem(str(path), str(error)))
        else:
            self.written.emit(str(path))
