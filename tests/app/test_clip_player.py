"""Clips of real files, frame by frame: every frame carries its number in its pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from app.models.play_state import LoopMode, PlayState
from app.pixels import Pixels
from app.services.difference import rgb_of
from app.services.frame_sources import MemoryFrames
from app.services.video_frames import VideoFrames
from app.ui.widgets.clip_player import ClipPlayer
from tests.app.views import LEFT, shown
from tests.helpers.clips import encode, marked, number_in
from tests.helpers.qt import wait_for_signal, wait_until
from ul_engine.outputs import write_clip

Own = Callable[[Any], Any]
LENGTH = 300


def number(image: QImage | None) -> int:
    assert image is not None
    return number_in(rgb_of(image))


def in_memory(num_frames: int, fps: float = 25.0) -> MemoryFrames:
    frames = marked(num_frames)
    height, width = frames.shape[1:3]
    return MemoryFrames(tuple(Pixels(width, height, frame.tobytes()) for frame in frames), fps)


@pytest.fixture
def player(qapp: Any, owned: Own) -> ClipPlayer:
    player: ClipPlayer = shown(owned, ClipPlayer(), 640, 400)
    return player


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 frames with few key frames, so that most of them lie far behind one."""
    return encode(tmp_path_factory.mktemp("clips") / "long.mp4", marked(LENGTH), options={"g": "60", "crf": "18"})


def opened(player: ClipPlayer, path: Path, **options: Any) -> VideoFrames:
    source = VideoFrames(str(path), **options)
    player.set_source(source)
    wait_until(lambda: player.view.image is not None)
    return source


def shows(player: ClipPlayer, frame: int) -> bool:
    return player.view.image is not None and number(player.view.image) == frame % 256  # there are eight bars


# ---- clips in memory ----------------------------------------------------------------------------------------------


def test_keys_step_play_and_loop(player: ClipPlayer) -> None:
    player.set_source(in_memory(12))
    assert shows(player, 0)
    for key, frame in (
        (Qt.Key.Key_D, 1),
        (Qt.Key.Key_D, 2),
        (Qt.Key.Key_A, 1),
        (Qt.Key.Key_End, 11),
        (Qt.Key.Key_D, 0),
    ):
        QTest.keyClick(player.view, key)
        assert shows(player, frame)
    QTest.keyClick(player.view, Qt.Key.Key_Space)
    assert player.play.is_playing
    wait_until(lambda: player.play.frame > 2)
    QTest.keyClick(player.view, Qt.Key.Key_Space)
    assert shows(player, player.play.frame)
    QTest.keyClick(player.view, Qt.Key.Key_L)
    assert player.play.loop is LoopMode.PING_PONG


def test_each_frame_is_painted_when_it_is_due(player: ClipPlayer) -> None:
    """No frame of a loop is ever empty: the picture on show is always the one that the state names."""
    player.set_source(in_memory(4, fps=200.0))
    seen: list[bool] = []
    player.play.frame_changed.connect(lambda frame: seen.append(shows(player, frame)))
    player.play.play()
    wait_until(lambda: len(seen) > 40)
    player.play.pause()
    assert all(seen)


def test_the_place_is_told_exactly(player: ClipPlayer) -> None:
    player.set_source(in_memory(30, fps=25.0))
    player.play.seek(16)
    assert player.bar.place.text() == "frame 17 / 30 · 0.64 s"


def test_buttons_slider_and_speed(player: ClipPlayer) -> None:
    player.set_source(in_memory(10))
    QTest.mouseClick(player.bar.forward_button, LEFT)
    assert shows(player, 1)
    QTest.mouseClick(player.bar.back_button, LEFT)
    assert shows(player, 0)
    player.bar.slider.setValue(7)
    assert shows(player, 7)
    player.bar.speed.setCurrentIndex(0)
    player.bar.speed.activated.emit(0)
    assert player.play.speed == 0.1
    QTest.mouseClick(player.bar.play_button, LEFT)
    assert player.play.is_playing
    assert player.bar.play_button.accessibleName().startswith("Pause")
    QTest.mouseClick(player.bar.loop_button, LEFT)
    QTest.mouseClick(player.bar.loop_button, LEFT)
    assert player.play.loop is LoopMode.ONCE


def test_zoom_stays_while_it_plays(player: ClipPlayer) -> None:
    player.set_source(in_memory(10))
    player.view.zoom_to(20.0)
    player.play.seek(5)
    assert player.view.zoom == 20.0


# ---- clips in files -----------------------------------------------------------------------------------------------


def test_scrubbing_lands_on_the_exact_frame(player: ClipPlayer, long_clip: Path) -> None:
    opened(player, long_clip)
    assert player.play.count == LENGTH
    for frame in (150, 3, 299, 0, 61, 60, 59, 255, 256, 257, 120, 121):
        player.play.seek(frame)
        wait_until(lambda frame=frame: shows(player, frame), message=f"frame {frame}")  # type: ignore[misc]


def test_many_wishes_in_a_row_end_at_the_last(player: ClipPlayer, long_clip: Path) -> None:
    opened(player, long_clip)
    for frame in range(0, LENGTH, 7):
        player.play.seek(frame)
    player.play.seek(137)
    wait_until(lambda: shows(player, 137))


def test_stepping_back_through_a_clip(player: ClipPlayer, long_clip: Path) -> None:
    opened(player, long_clip)
    player.play.seek(70)
    wait_until(lambda: shows(player, 70))
    for frame in range(69, 50, -1):
        player.play.step(-1)
        wait_until(lambda frame=frame: shows(player, frame), message=f"frame {frame}")  # type: ignore[misc]


def test_no_more_is_kept_than_allowed(player: ClipPlayer, long_clip: Path) -> None:
    source = opened(player, long_clip, cache_bytes=40 * 64 * 32 * 4)
    for frame in (0, 100, 30, 180, 90, 91, 92):
        player.play.seek(frame)
        wait_until(lambda frame=frame: shows(player, frame))  # type: ignore[misc]
        assert len(source._images) <= 40


@pytest.mark.parametrize("loop", [LoopMode.LOOP, LoopMode.PING_PONG])
def test_a_clip_larger_than_the_cache_plays_to_its_end_and_on(
    player: ClipPlayer, long_clip: Path, loop: LoopMode
) -> None:
    opened(player, long_clip, cache_bytes=30 * 64 * 32 * 4)
    seen: list[int] = []
    player.play.set_loop(loop)
    player.play.set_speed(4.0)
    player.play.frame_changed.connect(seen.append)
    player.play.seek(285)
    player.play.play()
    wait_until(lambda: len(seen) > 40 and shows(player, player.play.frame))
    player.play.pause()
    assert max(seen) >= 295
    assert min(seen) < (20 if loop is LoopMode.LOOP else 280)


@pytest.mark.parametrize("name", ["a.webm", "a.gif", "a.webp", "pictures/%05d.png"])
def test_other_kinds_of_clips(player: ClipPlayer, tmp_path: Path, name: str) -> None:
    write_clip(tmp_path / name, marked(9), 10, quality=100)
    opened(player, (tmp_path / name).parent if "%" in name else tmp_path / name)
    assert (player.play.count, player.play.fps) == (9, 10.0)
    for frame in (8, 2, 5):
        player.play.seek(frame)
        wait_until(lambda frame=frame: shows(player, frame))  # type: ignore[misc]


def test_a_clip_of_uneven_frames_tells_their_true_times(player: ClipPlayer, tmp_path: Path) -> None:
    path = encode(tmp_path / "uneven.mkv", marked(4), fps=100, times=[0, 10, 15, 60])
    opened(player, path)
    player.play.seek(3)
    assert player.bar.place.text() == "frame 4 / 4 · 0.60 s"


def test_a_truncated_clip_plays_what_is_whole(player: ClipPlayer, tmp_path: Path) -> None:
    path = tmp_path / "cut.mkv"
    encode(path, marked(60), codec="ffv1", pixel_format="bgr0")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    opened(player, path)
    assert 10 < player.play.count < 60
    player.play.seek(player.play.count - 1)
    wait_until(lambda: shows(player, player.play.frame))


def test_what_is_no_clip_is_told_in_words(player: ClipPlayer, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no clip at all")
    source = VideoFrames(str(tmp_path / "a.mp4"))
    failed = wait_for_signal(player.failed, trigger=lambda: player.set_source(source))
    assert "a.mp4" not in failed[0]
    assert failed[0]
    assert player.play.count == 0
    assert failed[0] in player.view.accessibleDescription()


@pytest.mark.parametrize("number", [0, 5])
def test_a_frame_that_cannot_be_decoded_is_told_and_the_rest_plays(
    player: ClipPlayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    from ul_engine.media.broken import BrokenFrame
    from ul_engine.media.container_frames import ContainerFrames

    path = encode(tmp_path / "a.mp4", marked(9))
    real = ContainerFrames.frame

    def broken(self: ContainerFrames, at: int) -> Any:
        if at >= number:
            raise BrokenFrame(number, "is damaged", str(path))
        return real(self, at)

    monkeypatch.setattr(ContainerFrames, "frame", broken)
    failed = wait_for_signal(player.failed, trigger=lambda: player.set_source(VideoFrames(str(path))))
    assert f"frame {number} is damaged" in failed[0]
    assert player.play.count == number
    if number:
        wait_until(lambda: shows(player, 0))
        assert "frame 5 is damaged" in player.bar.note.text()
    else:
        assert "is damaged" in player.view.accessibleDescription()


def test_the_file_is_let_go(player: ClipPlayer, long_clip: Path) -> None:
    source = opened(player, long_clip)
    player.set_source(in_memory(3))
    wait_until(lambda: source._reader._source is None)
    assert shows(player, min(2, player.play.frame))


# ---- players in step ----------------------------------------------------------------------------------------------


def test_players_of_one_state_show_the_same_frame(qapp: Any, owned: Own, long_clip: Path) -> None:
    play = owned(PlayState())
    players = [shown(owned, ClipPlayer(play), 320, 240) for _ in range(2)]
    players[0].set_source(in_memory(LENGTH))
    players[1].set_source(VideoFrames(str(long_clip)))
    wait_until(lambda: players[1].view.image is not None)
    play.seek(90)
    wait_until(lambda: all(shows(player, 90) for player in players))
    together: list[bool] = []

    def look(_frame: Any) -> None:
        together.append(number(players[0].view.image) - number(players[1].view.image) in (0, 1))

    play.frame_changed.connect(look)
    play.play()
    wait_until(lambda: len(together) > 20)
    play.pause()
    assert all(together)


def test_who_is_not_seen_holds_nobody_up(qapp: Any, owned: Own, long_clip: Path) -> None:
    play = owned(PlayState())
    seen, hidden = (shown(owned, ClipPlayer(play), 320, 240) for _ in range(2))
    seen.set_source(in_memory(LENGTH))
    hidden.hide()
    source = VideoFrames(str(long_clip))
    hidden.set_source(source)
    wait_until(lambda: source.count == LENGTH)
    play.seek(80)
    play.play()
    wait_until(lambda: play.frame > 85)
    play.pause()
    assert source._images == {}
    hidden.show()
    wait_until(lambda: shows(hidden, play.frame))


def test_short_numbers_are_real_numbers() -> None:
    """The helper that reads numbers out of pixels would notice a frame that is off by one."""
    frames = marked(256)
    assert [number_in(frame) for frame in frames] == list(range(256))
    assert not np.array_equal(frames[16], frames[17])
