"""Frames of clips in files, decoded in a thread as they are needed and a little ahead."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QImage

from app.services.background import LatestTask, Tell
from app.services.frame_sources import FrameSource
from ul_engine.errors import DataError

if TYPE_CHECKING:
    from ul_engine.media.reading import FrameSource as OpenClip

CACHE_BYTES = 384 * 2**20
"""Decoded frames that are kept; a short clip fits in whole, so that its loop never waits."""
AHEAD = 24
"""Frames that are decoded before they are needed."""
_BACK_CHUNK = 12
_PATIENCE = 3


@dataclass(frozen=True)
class _Opened:
    count: int
    fps: float
    size: QSize
    times_s: tuple[float, ...]


@dataclass(frozen=True)
class _Decoded:
    frame: int
    image: QImage


@dataclass(frozen=True)
class _Broken:
    frame: int
    """-1: the file as a whole."""
    message: str


class VideoFrames(FrameSource):
    """A video file, an animated picture, or a folder of pictures."""

    def __init__(self, path: str, parent: QObject | None = None, *, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(parent)
        self.path = path
        self._cache_bytes = cache_bytes
        self._images: dict[int, QImage] = {}
        self._plan: list[int] = []
        self._reader = _Reader(path)
        self._task = LatestTask(self, is_patient=False)
        self._task.told.connect(self._on_told)
        self._task.finished.connect(self._on_finished)
        self._task.start_telling(self._reader.open)

    def image(self, frame: int) -> QImage | None:
        """The frame, if it has been decoded and is still kept."""
        return self._images.get(frame)

    def want(self, frame: int, direction: int = 1) -> None:
        """Get this frame, and then those that follow."""
        missing = self._missing(frame, direction)
        if not missing or not self.count:
            return
        is_urgent = frame not in self._images
        place = self._plan.index(missing[0]) if missing[0] in self._plan else None
        if place is None or (is_urgent and place > _PATIENCE):
            self._plan = missing
            self._task.start_telling(partial(self._reader.decode, tuple(missing)))

    def close(self) -> None:
        """Let go of the file."""
        self._task.drop()
        self._reader.close()
        self._images.clear()

    def _missing(self, frame: int, direction: int) -> list[int]:
        """The frames to decode next, in rising order: forwards from `frame`, or the few that lead back to it."""
        ahead = min(AHEAD, self._room - 1, self.count - 1)
        around = [(frame + direction * k) % self.count for k in range(ahead + 1)] if self.count else []
        first = next((number for number in around if number not in self._images), None)
        if first is None:
            return []
        if direction > 0:
            return [number for number in around if number not in self._images]
        lowest = max(0, first - min(_BACK_CHUNK, ahead))
        return [number for number in range(lowest, first + 1) if number not in self._images]

    @property
    def _room(self) -> int:
        """How many frames may be kept."""
        frame_bytes = max(1, self.size.width() * self.size.height() * 4)
        return max(4, self._cache_bytes // frame_bytes)

    def _on_told(self, news: Any) -> None:
        if isinstance(news, _Decoded):
            self._keep(news)
        elif isinstance(news, _Opened):
            self.count, self.fps, self.size, self.times_s = news.count, news.fps, news.size, news.times_s
            self.opened.emit()
        elif isinstance(news, _Broken):
            self._on_broken(news)

    def _keep(self, news: _Decoded) -> None:
        self._images[news.frame] = news.image
        self._plan = [number for number in self._plan if number != news.frame]
        while len(self._images) > self._room:  # the one furthest behind on the way round
            distance = {number: (number - news.frame) % self.count for number in self._images}
            ahead = {number: d for number, d in distance.items() if d > AHEAD}
            del self._images[min(ahead or distance, key=lambda n: abs(distance[n] - self.count // 2))]
        self.frame_ready.emit(news.frame)

    def _on_broken(self, news: _Broken) -> None:
        """What comes before the damage can still be seen."""
        self._plan = []
        if news.frame >= 0 and news.frame < self.count:
            self.count = news.frame
            self.times_s = self.times_s[: news.frame]
            self.opened.emit()
        self.failed.emit(news.message)

    def _on_finished(self, _nothing: object) -> None:
        self._plan = []


class _Reader:
    """The open file; one thread at a time uses it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._source: OpenClip | None = None
        self._is_closed = False

    def open(self, tell: Tell) -> None:
        """Find out what is in it."""
        from ul_engine.media.reading import open_clip

        with self._lock:
            try:
                self._source = open_clip(self._path)
            except DataError as error:
                tell(_Broken(-1, _sentence(error)))
            else:
                info, timeline = self._source.info, self._source.timeline
                times_s = tuple(float(tick * timeline.tick_s) for tick in timeline.ticks.tolist())
                tell(_Opened(info.num_frames, float(info.fps), QSize(info.width_px, info.height_px), times_s))
        self._close_if_asked()

    def decode(self, frames: Sequence[int], tell: Tell) -> None:
        """These frames, one after the other, as long as they are wanted."""
        with self._lock:
            if self._source is not None:
                self._decode(self._source, frames, tell)
        self._close_if_asked()

    def _decode(self, source: "OpenClip", frames: Sequence[int], tell: Tell) -> None:
        from ul_engine.media.broken import BrokenFrame

        for number in frames:
            try:
                picture = source.frame(number)
            except BrokenFrame as error:
                tell(_Broken(error.number, _sentence(error)))
                return
            except DataError as error:
                tell(_Broken(number, _sentence(error)))
                return
            height, width, _ = picture.shape
            shared = QImage(picture.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            if self._is_closed or not tell(_Decoded(number, shared.convertToFormat(QImage.Format.Format_RGB32))):
                return

    def close(self) -> None:
        """Now, or as soon as the thread is done."""
        self._is_closed = True
        self._close_if_asked()

    def _close_if_asked(self) -> None:
        if self._is_closed and self._lock.acquire(blocking=False):
            try:
                if self._source is not None:
                    with suppress(OSError):
                        self._source.__exit__()
                self._source = None
            finally:
                self._lock.release()


def _sentence(error: DataError) -> str:
    return str(error).removeprefix(f"{error.path}: ")
