"""Work in a thread of its own, of which only the newest result counts.

Threads end as soon as there is nothing left to do, so nobody has to close anything.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

MAX_THREADS = 2
_room = threading.BoundedSemaphore(MAX_THREADS)


@dataclass(frozen=True)
class _Letter:
    task: int
    number: int
    result: object


class _Post(QObject):
    """Brings results to the window's thread. It outlives every task, so that a thread always finds it there."""

    arrived = Signal(object)  # _Letter


_post: _Post | None = None


def _the_post() -> _Post:
    global _post
    if _post is None:
        _post = _Post()
    return _post


class LatestTask(QObject):
    """Runs one piece of work at a time; of what is asked for meanwhile only the newest is done, and only its result
    is told."""

    finished = Signal(object)  # what the work returned

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._waiting: Callable[[], Any] | None = None
        self._is_running = False
        _the_post().arrived.connect(self._on_arrived)

    @property
    def is_busy(self) -> bool:
        """Whether the result of the newest work is still to come."""
        return self._waiting is not None or (self._is_running and self._number > 0)

    def start(self, work: Callable[[], Any]) -> None:
        """Do this; what was asked for before no longer matters. `work` touches no widget."""
        self._number += 1
        self._waiting = work
        if not self._is_running:
            self._begin()

    def drop(self) -> None:
        """Nothing of it is wanted any more."""
        self._number += 1
        self._waiting = None

    def _begin(self) -> None:
        work, self._waiting = self._waiting, None
        assert work is not None
        self._is_running = True
        post, key, number = _the_post(), id(self), self._number
        threading.Thread(target=_carry_out, args=(post, key, number, work), name="background").start()

    def _on_arrived(self, letter: Any) -> None:
        if letter.task != id(self):
            return
        self._is_running = False
        if self._waiting is not None:
            self._begin()
        elif letter.number == self._number and not isinstance(letter.result, _Failed):
            self.finished.emit(letter.result)


class _Failed:
    """Stands for the result of work that ended in an unforeseen error."""


def _carry_out(post: _Post, task: int, number: int, work: Callable[[], Any]) -> None:
    """An exception goes on to the thread's exception hook, as every bug; the task is free again all the same."""
    result: object = _Failed()
    try:
        with _room:
            result = work()
    finally:
        post.arrived.emit(_Letter(task, number, result))
