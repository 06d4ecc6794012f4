"""Work in a thread of its own, of which only the newest counts.

Threads end as soon as there is nothing left to do, so nobody has to close anything.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

MAX_THREADS = 2
_numbers = itertools.count(1)
_room = threading.BoundedSemaphore(MAX_THREADS)

Tell = Callable[[object], bool]
"""Hands an item to the window's thread; False if nobody wants the rest any more."""


@dataclass(frozen=True)
class _Letter:
    task: int
    number: int
    item: object
    is_last: bool


class _Post(QObject):
    """Brings items to the window's thread. It outlives every task, so that a thread always finds it there."""

    arrived = Signal(object)  # _Letter


_post: _Post | None = None


def _the_post() -> _Post:
    global _post
    if _post is None:
        _post = _Post()
    return _post


class _Wanted:
    """The number of the newest work; threads look at it without touching their task."""

    def __init__(self) -> None:
        self.number = 0


class LatestTask(QObject):
    """Runs one piece of work at a time; of what is asked for meanwhile only the newest is done, and only its results
    are told."""

    told = Signal(object)  # an item of work that tells as it goes
    finished = Signal(object)  # what the work returned

    def __init__(self, parent: QObject | None = None, *, is_patient: bool = True) -> None:
        """`is_patient` work waits until few others run; what reads from slow disks must not hold those up."""
        super().__init__(parent)
        self._room = _room if is_patient else threading.BoundedSemaphore(1)
        self._name = next(_numbers)  # `id` would be given again, while a letter to the one before is on its way
        self._wanted = _Wanted()
        self._waiting: Callable[[Tell], Any] | None = None
        self._is_running = False
        _the_post().arrived.connect(self._on_arrived)

    @property
    def is_running(self) -> bool:
        """Whether a thread is at work, be it for something no longer wanted."""
        return self._is_running

    def start(self, work: Callable[[], Any]) -> None:
        """Do this; what was asked for before no longer matters. `work` touches no widget."""
        self.start_telling(lambda _tell: work())

    def start_telling(self, work: Callable[[Tell], Any]) -> None:
        """The same for work that has items to tell before its end; it stops early when `tell` says so."""
        self._wanted.number += 1
        self._waiting = work
        if not self._is_running:
            self._begin()

    def drop(self) -> None:
        """Nothing of it is wanted any more."""
        self._wanted.number += 1
        self._waiting = None

    def _begin(self) -> None:
        work, self._waiting = self._waiting, None
        assert work is not None
        self._is_running = True
        # The number is taken here: read in the thread, it might already be that of newer work.
        arguments = (work, self._name, self._wanted, self._wanted.number, self._room)
        threading.Thread(target=_carry_out, args=arguments, name="background").start()

    def _on_arrived(self, letter: Any) -> None:
        if letter.task != self._name:
            return
        is_wanted = letter.number == self._wanted.number
        if not letter.is_last:
            if is_wanted:
                self.told.emit(letter.item)
            return
        self._is_running = False
        if self._waiting is not None:
            self._begin()
        elif is_wanted and not isinstance(letter.item, _Failed):
            self.finished.emit(letter.item)


class _Failed:
    """Stands for the result of work that ended in an unforeseen error."""


def _carry_out(
    work: Callable[[Tell], Any], task: int, wanted: _Wanted, number: int, room: threading.BoundedSemaphore
) -> None:
    """An exception goes on to the thread's exception hook, as every bug; the task is free again all the same."""
    post = _the_post()

    def tell(item: object) -> bool:
        if wanted.number != number:
            return False
        post.arrived.emit(_Letter(task, number, item, False))
        return True

    result: object = _Failed()
    try:
        with room:
            result = work(tell)
    finally:
        post.arrived.emit(_Letter(task, number, result, True))
