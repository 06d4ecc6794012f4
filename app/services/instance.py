"""How many windows of the program are open: each takes the first free number, and what is its own is named after it."""

import logging
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QLockFile

MAX_INSTANCES = 20

log = logging.getLogger(__name__)


class Instance:
    """Holds its number until it is released, or until the process is gone."""

    def __init__(self, folder: Path) -> None:
        self.number = 1
        self._lock: QLockFile | None = None
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, MAX_INSTANCES + 1):
            lock = QLockFile(str(folder / f"window-{number}.lock"))
            lock.setStaleLockTime(0)  # only a process that is gone gives its number back
            if lock.tryLock(0):
                self.number, self._lock = number, lock
                return
            if lock.error() is not QLockFile.LockError.LockFailedError:
                log.info("the folder %s takes no lock; several windows cannot be told apart", folder)
                return

    def release(self) -> None:
        """Give the number back."""
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None
