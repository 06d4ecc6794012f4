"""The throttle: first at once, then the newest of each interval."""

from typing import Any

from app.services.latest_wins import LatestWins
from tests.helpers.qt import spin, wait_until


def collect(interval_ms: int) -> tuple[LatestWins, list[object]]:
    throttle, seen = LatestWins(interval_ms), []
    throttle.released.connect(seen.append)
    return throttle, seen


def test_the_first_comes_at_once_and_then_the_newest(qapp: Any) -> None:
    throttle, seen = collect(30)
    for number in range(10):
        throttle.offer(number)
    assert seen == [0]
    wait_until(lambda: len(seen) == 2)
    assert seen == [0, 9]
    throttle.drop()


def test_flush_lets_nothing_be_late(qapp: Any) -> None:
    throttle, seen = collect(1000)
    throttle.offer("a")
    throttle.offer("b")
    throttle.flush()
    throttle.flush()
    assert seen == ["a", "b"]
    throttle.drop()


def test_drop_forgets(qapp: Any) -> None:
    throttle, seen = collect(10)
    throttle.offer("a")
    throttle.offer("b")
    throttle.drop()
    spin(30)
    assert seen == ["a"]
    throttle.offer("c")
    assert seen == ["a", "c"]
    throttle.drop()


def test_a_stream_is_slowed_down(qapp: Any) -> None:
    throttle, seen = collect(50)
    for number in range(40):
        throttle.offer(number)
        spin(5)
    wait_until(lambda: seen[-1] == 39)
    assert len(seen) <= 12
    throttle.drop()
