"""Work in threads: the newest wins, nobody waits, nothing is left behind."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.services.background import LatestTask, Tell
from tests.helpers.qt import wait_for_signal, wait_until


@pytest.fixture
def task(qapp: Any, owned: Callable[[Any], Any]) -> LatestTask:
    task: LatestTask = owned(LatestTask())
    return task


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_the_result_arrives_in_the_windows_thread(task: LatestTask) -> None:
    seen: list[object] = []
    task.finished.connect(lambda result: seen.append((result, threading.current_thread())))
    task.start(threading.current_thread)
    wait_until(lambda: seen)
    result, thread = seen[0]  # type: ignore[misc]
    assert thread is threading.main_thread()
    assert result is not threading.main_thread()


def test_of_many_wishes_only_the_newest_is_done(task: LatestTask, gate: threading.Event) -> None:
    done: list[int] = []
    results: list[object] = []

    def work(number: int) -> int:
        gate.wait(5)
        done.append(number)
        return number

    task.finished.connect(results.append)
    for number in range(10):
        task.start(lambda number=number: work(number))
    gate.set()
    wait_until(lambda: results)
    assert (done, results) == ([0, 9], [9])


def test_what_is_dropped_is_not_told(task: LatestTask, gate: threading.Event) -> None:
    results: list[object] = []
    task.finished.connect(results.append)
    task.start(gate.wait)
    task.drop()
    gate.set()
    wait_until(lambda: not task.is_running)
    assert results == []
    assert wait_for_signal(task.finished, trigger=lambda: task.start(lambda: 7)) == (7,)


def test_work_that_tells_stops_when_nobody_listens_any_more(task: LatestTask) -> None:
    told: list[object] = []
    answers: list[bool] = []
    gate = threading.Event()

    def work(tell: Tell) -> None:
        answers.append(tell("first"))
        gate.wait(5)
        answers.append(tell("second"))

    task.told.connect(told.append)
    task.start_telling(work)
    wait_until(lambda: told)
    task.drop()
    gate.set()
    wait_until(lambda: not task.is_running)
    assert (told, answers) == (["first"], [True, False])


def test_a_letter_to_a_task_that_is_gone_reaches_no_other(qapp: Any, owned: Callable[[Any], Any]) -> None:
    """New tasks often come to lie where old ones lay in memory."""
    results: list[object] = []
    for _ in range(50):
        gate = threading.Event()
        task = LatestTask()
        task.start(lambda gate=gate: gate.wait(5))
        gate.set()
        del task
        other = owned(LatestTask())
        other.finished.connect(results.append)
        other.start(lambda: "its own")
        wait_until(lambda other=other: not other.is_running)  # type: ignore[misc]
    assert results == ["its own"] * 50


def test_a_task_may_die_while_it_works(qapp: Any, gate: threading.Event) -> None:
    task = LatestTask()
    task.start(gate.wait)
    del task
    gate.set()  # the leak guard sees the thread end, the noise guard that nobody complains
