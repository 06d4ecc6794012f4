"""How long the window is deaf: the gaps between the ticks of a fast timer in its event loop."""

import time
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS = 2


@dataclass(frozen=True)
class Gaps:
    """What a meter saw. On a machine that is busy elsewhere a gap may be the system's; `own_ms` is only the window's:
    the processor time its thread used within a gap."""

    num_ticks: int
    longest_ms: float
    p99_ms: float
    longest_own_ms: float
    p99_own_ms: float
    num_over_50_ms: int
    """Gaps longer than 50 ms in which the window itself worked that long."""


class GapMeter(QObject):
    """`start`, let things happen, `stop`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._last = (0.0, 0.0)
        self._gaps: list[tuple[float, float]] = []

    def start(self) -> None:
        """Begin anew."""
        self._gaps = []
        self._last = (time.perf_counter(), time.thread_time())
        self._timer.start()

    def stop(self) -> Gaps:
        """End, and tell."""
        self._timer.stop()
        gaps = sorted(wall for wall, _ in self._gaps)
        own = sorted(work for _, work in self._gaps)
        return Gaps(
            num_ticks=len(gaps),
            longest_ms=_ms(gaps[-1] if gaps else 0.0),
            p99_ms=_ms(percentile(gaps, 0.99)),
            longest_own_ms=_ms(own[-1] if own else 0.0),
            p99_own_ms=_ms(percentile(own, 0.99)),
            num_over_50_ms=sum(work > 0.05 for work in own),
        )

    def _on_tick(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self._gaps.append((now[0] - self._last[0], now[1] - self._last[1]))
        self._last = now


def percentile(ordered: list[float], share: float) -> float:
    """The value that `share` of the ordered values do not exceed; 0 for none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
