"""Which frame of a clip is shown, and how it goes on: one object, shared by all players that run in step."""

from collections.abc import Sequence
from enum import StrEnum
from weakref import WeakSet

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

SLOWEST, FASTEST = 0.1, 4.0
DEFAULT_FPS = 24.0


class LoopMode(StrEnum):
    """What happens at the end."""

    ONCE = "once"
    LOOP = "loop"
    PING_PONG = "ping-pong"


class PlayState(QObject):
    """Frames are counted from 0. Time stands still while a player that is shown waits for its frame."""

    frame_changed = Signal(object)  # int
    playing_changed = Signal(object)  # bool
    settings_changed = Signal()  # count, rate, speed, loop mode

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._count = 0
        self._fps = DEFAULT_FPS
        self._times_s: Sequence[float] = ()
        self._speed = 1.0
        self._loop = LoopMode.LOOP
        self._frame = 0
        self._direction = 1
        self._is_playing = False
        self._owed_ms = 0.0
        self._waiting: WeakSet[QObject] = WeakSet()
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timeout)

    # ---- what is ---------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """Number of frames."""
        return self._count

    @property
    def fps(self) -> float:
        """Frames per second at speed 1."""
        return self._fps

    @property
    def speed(self) -> float:
        """0.1 to 4."""
        return self._speed

    @property
    def loop(self) -> LoopMode:
        """What happens at the end."""
        return self._loop

    @property
    def frame(self) -> int:
        """The frame on show, from 0."""
        return self._frame

    @property
    def direction(self) -> int:
        """1 forwards, -1 on the way back of a ping-pong."""
        return self._direction

    @property
    def is_playing(self) -> bool:
        """Whether it runs by itself."""
        return self._is_playing

    @property
    def seconds(self) -> float:
        """When the frame on show begins, in the clip's own time."""
        return self._times_s[self._frame] if self._frame < len(self._times_s) else self._frame / self._fps

    # ---- what can be done ------------------------------------------------------------------------------------------

    def set_clip(self, count: int, fps: float, times_s: Sequence[float] = ()) -> None:
        """Another clip; one of the same length stays at its frame. `times_s` tell when frames begin that are not evenly
        spaced."""
        is_other = count != self._count
        self._count, self._fps, self._times_s = max(0, count), fps if fps > 0 else DEFAULT_FPS, times_s
        self._waiting.clear()
        if is_other:
            self._direction = 1
            self._frame = min(self._frame, max(0, count - 1))
        if count < 2:
            self.pause()
        self.settings_changed.emit()
        if is_other:
            self.frame_changed.emit(self._frame)
        self._schedule()

    def set_speed(self, speed: float) -> None:
        """Slower or faster, 0.1 to 4 times."""
        self._speed = min(max(speed, SLOWEST), FASTEST)
        self.settings_changed.emit()
        self._schedule()

    def set_loop(self, loop: LoopMode) -> None:
        """What is to happen at the end."""
        self._loop = loop
        if loop is not LoopMode.PING_PONG:
            self._direction = 1
        self.settings_changed.emit()

    def play(self) -> None:
        """Run; from the start again, if it had come to its end."""
        if self._is_playing or self._count < 2:
            return
        if self._loop is LoopMode.ONCE and self._frame == self._count - 1:
            self._go(0)
        self._is_playing = True
        self._owed_ms = 0.0
        self.playing_changed.emit(True)
        self._schedule()

    def pause(self) -> None:
        """Stand still."""
        if self._is_playing:
            self._is_playing = False
            self._timer.stop()
            self.playing_changed.emit(False)

    def toggle(self) -> None:
        """Run or stand still."""
        if self._is_playing:
            self.pause()
        else:
            self.play()

    def seek(self, frame: int) -> None:
        """Show this frame; it plays on from there if it is playing."""
        self._owed_ms = 0.0
        self._go(min(max(frame, 0), max(0, self._count - 1)))
        self._schedule()

    def step(self, frames: int) -> None:
        """Stand still, some frames further on or back; around the ends unless it plays only once."""
        self.pause()
        if self._count:
            target = self._frame + frames
            self.seek(target if self._loop is LoopMode.ONCE else target % self._count)

    def wait_for(self, player: QObject, is_waiting: bool) -> None:
        """A player says that its frame is not there yet, or that it is."""
        before = len(self._waiting) > 0
        (self._waiting.add if is_waiting else self._waiting.discard)(player)
        if before != (len(self._waiting) > 0):
            self._owed_ms = 0.0
            self._schedule()

    # ---- time ------------------------------------------------------------------------------------------------------

    @property
    def _interval_ms(self) -> float:
        frame = self._frame
        stays_s = 1.0 / self._fps
        if frame + 1 < len(self._times_s):
            stays_s = self._times_s[frame + 1] - self._times_s[frame]
        return 1000.0 * stays_s / self._speed

    def _schedule(self) -> None:
        """Set the clock to the next frame."""
        if self._is_playing and not len(self._waiting):
            self._clock.start()
            self._timer.start(max(1, round(self._interval_ms - self._owed_ms)))
        else:
            self._timer.stop()

    def _on_timeout(self) -> None:
        passed_ms = self._owed_ms + self._clock.nsecsElapsed() / 1e6
        frames = max(1, int(passed_ms / self._interval_ms))
        self._owed_ms = min(max(passed_ms - frames * self._interval_ms, -self._interval_ms), self._interval_ms)
        self.advance(frames)
        self._schedule()

    def advance(self, frames: int) -> None:
        """So many frames have passed; at the end it stops, begins anew, or turns."""
        frame, direction = self._frame, self._direction
        for _ in range(min(frames, 2 * self._count)):
            frame, direction = self._next(frame, direction)
        self._direction = direction
        self._go(frame)
        if self._loop is LoopMode.ONCE and frame == self._count - 1:
            self.pause()

    def _next(self, frame: int, direction: int) -> tuple[int, int]:
        last = self._count - 1
        if 0 <= frame + direction <= last:
            return frame + direction, direction
        if self._loop is LoopMode.PING_PONG:
            return min(max(frame - direction, 0), last), -direction
        return (0 if self._loop is LoopMode.LOOP else last), 1

    def _go(self, frame: int) -> None:
        if frame != self._frame:
            self._frame = frame
            self.frame_changed.emit(frame)
