"""Spreads work over processes that end by themselves when nobody waits for them any more. No torch."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_FLIGHT = 2
"""Items that a process holds: the next one is there when it has finished one."""
_GRACE_S = 0.5


class ProcessEnded(Exception):
    """A process is gone without having answered."""


def spread(
    task: Callable[[Item], Result], items: Sequence[Item], *, num_processes: int
) -> Generator[Result, None, None]:
    """``task(item)`` for every item, in the order in which they are finished. Close the iterator to stop early.

    `task`, items and results are pickled; `task` goes to each process once. With one process, or one item, all is done
    in this one. Others are spawned, so the calling script needs its ``__main__`` guard; they pass over Ctrl+C, which
    reaches this process, and end when it does, even if it is killed. An exception inside `task` ends its process, and
    ProcessEnded is raised here.
    """
    if min(num_processes, len(items)) <= 1:
        yield from map(task, items)
        return
    with _started(task, min(num_processes, len(items))) as pipes:
        yield from _results(pipes, iter(items))


def _results(pipes: Sequence[Connection], waiting: Iterator[Any]) -> Iterator[Any]:
    """Keep every process supplied until all is answered."""
    owed = dict.fromkeys(pipes, 0)
    for _ in range(_IN_FLIGHT):
        for pipe in pipes:
            owed[pipe] += _send_next(pipe, waiting)
    while busy := [pipe for pipe, count in owed.items() if count]:
        ready = wait(busy)
        for pipe in [pipe for pipe in busy if pipe in ready]:
            try:
                result = pipe.recv()
            except (EOFError, OSError) as error:
                raise ProcessEnded from error
            owed[pipe] += _send_next(pipe, waiting) - 1
            yield result


def _send_next(pipe: Connection, waiting: Iterator[Any]) -> int:
    """Number of items sent: 1, or 0 when there are no more."""
    for item in waiting:
        try:
            pipe.send(item)
        except OSError as error:
            raise ProcessEnded from error
        return 1
    return 0


@contextmanager
def _started(task: Callable[[Any], Any], count: int) -> Iterator[list[Connection]]:
    """Processes at work, seen through their pipes; stopped and gone afterwards, whatever happened."""
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes = []
    try:
        for number in range(count):
            ours, theirs = context.Pipe()
            pipes.append(ours)
            process = context.Process(target=_serve, args=(theirs, task), name=f"data-check-{number}", daemon=True)
            with _no_interrupts():
                process.start()
            theirs.close()
            processes.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(_GRACE_S)  # most are in the middle of a piece of work, or about to say why they failed
            process.terminate()
            process.join()
            process.close()


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """What is started inside passes over Ctrl+C from its first moment: an ignored signal stays so in a new program."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, task: Callable[[Any], Any]) -> None:
    """The life of a process: answer until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with pipe:
        while True:
            try:
                item = pipe.recv()
            except (EOFError, OSError):
                return
            result = task(item)
            try:
                pipe.send(result)
            except OSError:  # nobody waits for it any more
                return
