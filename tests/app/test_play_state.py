"""Which frame is shown and how it goes on, without a widget."""

from typing import Any

import pytest
from PySide6.QtCore import QObject

from app.models.play_state import LoopMode, PlayState
from tests.helpers.qt import wait_until


@pytest.fixture
def play(qapp: Any, owned: Any) -> PlayState:
    play: PlayState = owned(PlayState())
    play.set_clip(5, 100.0)
    return play


def frames(play: PlayState, count: int) -> list[int]:
    seen = []
    for _ in range(count):
        play.advance(1)
        seen.append(play.frame)
    return seen


def test_a_loop_begins_anew(play: PlayState) -> None:
    assert frames(play, 7) == [1, 2, 3, 4, 0, 1, 2]


def test_ping_pong_turns_without_showing_the_ends_twice(play: PlayState) -> None:
    play.set_loop(LoopMode.PING_PONG)
    assert frames(play, 10) == [1, 2, 3, 4, 3, 2, 1, 0, 1, 2]


def test_once_stops_at_the_end_and_plays_from_the_start_again(play: PlayState) -> None:
    play.set_loop(LoopMode.ONCE)
    play.play()
    play.advance(9)
    assert (play.frame, play.is_playing) == (4, False)
    play.play()
    assert (play.frame, play.is_playing) == (0, True)
    play.pause()


def test_a_step_stands_still_and_goes_around_the_ends(play: PlayState) -> None:
    play.play()
    play.step(-1)
    assert (play.frame, play.is_playing) == (4, False)
    play.step(1)
    assert play.frame == 0
    play.set_loop(LoopMode.ONCE)
    play.step(-1)
    assert play.frame == 0


def test_it_plays_by_itself_until_it_is_told_to_stop(play: PlayState) -> None:
    seen: list[Any] = []
    play.frame_changed.connect(seen.append)
    play.play()
    wait_until(lambda: len(seen) >= 12)
    play.pause()
    assert set(seen) <= set(range(5))
    assert seen[-1] == play.frame
    assert not play._timer.isActive()


def test_nobody_goes_on_before_all_have_their_frame(play: PlayState) -> None:
    seen: list[Any] = []
    play.play()
    first, second = QObject(), QObject()
    play.wait_for(first, True)
    play.wait_for(second, True)
    play.frame_changed.connect(seen.append)
    play.wait_for(first, False)
    assert not play._timer.isActive()
    assert play.is_playing
    del second  # a player that is gone waits no more
    play.wait_for(first, False)
    play.seek(play.frame)
    wait_until(lambda: seen)
    play.pause()


def test_time_is_that_of_the_clip(play: PlayState) -> None:
    play.seek(3)
    assert play.seconds == pytest.approx(0.03)
    play.set_clip(3, 10.0, (0.0, 0.5, 0.6))
    assert play.frame == 2
    assert play.seconds == 0.6
    assert play._interval_ms == pytest.approx(100.0)
    play.seek(0)
    assert play._interval_ms == pytest.approx(500.0)
    play.set_speed(0.01)
    assert play.speed == 0.1
    play.set_speed(100)
    assert play.speed == 4.0


def test_one_frame_does_not_play(play: PlayState) -> None:
    play.set_clip(1, 0.0)
    play.play()
    assert not play.is_playing
    play.step(1)
    assert play.frame == 0


def test_a_longer_clip_stays_where_it_is_and_a_shorter_one_at_its_end(play: PlayState) -> None:
    play.seek(4)
    play.set_clip(10, 25.0)
    assert play.frame == 4
    play.set_clip(2, 25.0)
    assert play.frame == 1
