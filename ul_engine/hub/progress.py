"""How far a download is: an object for a window or a terminal, sent at most ten times a second."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NEWS_EVERY_S = 0.1
RATE_OVER_S = 5.0

DownloadState = Literal["asking", "checking", "downloading", "waiting", "done"]


@dataclass(frozen=True)
class DownloadProgress:
    """How far a download is. Bytes count all files; `total_bytes` is 0 until the Hub has said what there is.

    `state` is asking (what the repository holds), checking (what is here already), downloading, waiting (before
    another attempt; `note` says why) or done. `kept_bytes` of `done_bytes` were here before, from an earlier attempt.
    """

    state: DownloadState
    file: str
    done_bytes: int
    total_bytes: int
    kept_bytes: int
    bytes_per_s: float
    note: str = ""

    @property
    def fraction(self) -> float:
        """Between 0 and 1."""
        return self.done_bytes / self.total_bytes if self.total_bytes else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the present rate; None where there is none."""
        return (self.total_bytes - self.done_bytes) / self.bytes_per_s if self.bytes_per_s > 0 else None


ProgressListener = Callable[[DownloadProgress], None]


class Meter:
    """Counts bytes and tells a listener; the rate is that of the last five seconds."""

    def __init__(self, listener: ProgressListener | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._listener = listener
        self._clock = clock
        self._told_at = -NEWS_EVERY_S
        self._counts: deque[tuple[float, int]] = deque()
        self._state: DownloadState = "asking"
        self._file = self._note = ""
        self.total_bytes = 0
        self.done_bytes = 0
        self.kept_bytes = 0
        self.fetched_bytes = 0

    def enter(self, state: DownloadState, file: str = "", note: str = "") -> None:
        """A new state, told at once."""
        self._state, self._file, self._note = state, file, note
        self._tell(self._clock())

    def fetched(self, num_bytes: int) -> None:
        """Bytes came over the net; told if the last news are old enough."""
        self.done_bytes += num_bytes
        self.fetched_bytes += num_bytes
        now = self._clock()
        self._counts.append((now, num_bytes))
        if now - self._told_at >= NEWS_EVERY_S:
            self._tell(now)

    def kept(self, num_bytes: int) -> None:
        """Bytes were here before."""
        self.done_bytes += num_bytes
        self.kept_bytes += num_bytes

    def dropped(self, num_bytes: int, *, kept_bytes: int) -> None:
        """Bytes turned out to be of no use, `kept_bytes` of them from before."""
        self.done_bytes -= num_bytes
        self.kept_bytes -= kept_bytes

    def _rate(self, now: float) -> float:
        while self._counts and now - self._counts[0][0] > RATE_OVER_S:
            self._counts.popleft()
        if not self._counts:
            return 0.0
        return sum(count for _, count in self._counts) / max(now - self._counts[0][0], NEWS_EVERY_S)

    def _tell(self, now: float) -> None:
        self._told_at = now
        if self._listener is not None:
            self._listener(
                DownloadProgress(
                    self._state,
                    self._file,
                    self.done_bytes,
                    self.total_bytes,
                    self.kept_bytes,
                    self._rate(now),
                    self._note,
                )
            )
