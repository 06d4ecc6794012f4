"""From the engine's steps to a line a person can read, with an honest guess at the time left."""

from collections import deque
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from ul_engine.protocol import JobProgress

MIN_SPAN_S = 0.8
"""Below this much observed time the time left is "estimating"."""
WINDOW_S = 8.0
WINDOW_SHARE = 0.5
"""Of a long job so much of its past counts: phases take turns, and one alone says little of the whole."""
_MAX_SAMPLES = 400


@dataclass(frozen=True)
class ProgressView:
    """One moment of a running job, in words and as a share."""

    line: str = ""
    fraction: float = 0.0
    time_left: str = ""


class ProgressTracker:
    """Follows one job. Times are given, so that tests need no clock."""

    def __init__(self, num_images: int, started_s: float) -> None:
        self._num_images = num_images
        self._started_s = started_s
        self._samples: deque[tuple[float, float]] = deque([(started_s, 0.0)], maxlen=_MAX_SAMPLES)
        self._phase_key: tuple[str, int] | None = None
        self._phase_samples: deque[tuple[float, float]] = deque(maxlen=_MAX_SAMPLES)

    def update(self, news: JobProgress, now_s: float) -> ProgressView:
        """Take a step into account."""
        self._samples.append((now_s, news.fraction))
        key = (news.phase, news.first_index)
        if key != self._phase_key:
            self._phase_key = key
            self._phase_samples.clear()
        self._phase_samples.append((now_s, news.step))
        self._forget(now_s)
        time_left = self._time_left(news.fraction)
        parts = [
            self._pictures(news),
            phase_title(news.phase),
            _tr("Step {step} / {total}").format(step=grouped(news.step), total=grouped(news.num_steps)),
            self._rate(),
            time_left,
        ]
        return ProgressView(" · ".join(part for part in parts if part), news.fraction, time_left)

    def _forget(self, now_s: float) -> None:
        """Old samples would hide that the pace has changed; the first one stays while it is the only other."""
        whole_s = max(WINDOW_S, WINDOW_SHARE * (now_s - self._started_s))
        for samples, window_s in ((self._samples, whole_s), (self._phase_samples, WINDOW_S)):
            while len(samples) > 2 and samples[1][0] < now_s - window_s:
                samples.popleft()

    def _pictures(self, news: JobProgress) -> str:
        if self._num_images == 1:
            return ""
        first, last = news.first_index + 1, news.first_index + news.batch_size
        if news.batch_size == 1:
            return _tr("Picture {first} of {total}").format(first=first, total=self._num_images)
        return _tr("Picture {first}–{last} of {total}").format(first=first, last=last, total=self._num_images)

    def _rate(self) -> str:
        (begin_s, begin), (end_s, end) = self._phase_samples[0], self._phase_samples[-1]
        if end_s - begin_s < MIN_SPAN_S or end <= begin:
            return ""
        rate = (end - begin) / (end_s - begin_s)
        if rate >= 1.0:
            return _tr("{rate} it/s").format(rate=f"{rate:.1f}")
        return _tr("{seconds} s/it").format(seconds=f"{1.0 / rate:.1f}")

    def _time_left(self, fraction: float) -> str:
        (begin_s, begin), (end_s, end) = self._samples[0], self._samples[-1]
        if end_s - begin_s < MIN_SPAN_S or end <= begin:
            return _tr("estimating time left")
        seconds = (1.0 - fraction) * (end_s - begin_s) / (end - begin)
        return _tr("{duration} left").format(duration=duration(seconds))


def duration(seconds: float) -> str:
    """A time span as people say it: 9 s, 1 min 20 s, 46 min, 2 h 5 min, 3 days 4 h."""
    if seconds < 9.95:
        return _tr("{s} s").format(s=f"{max(1.0, seconds):.0f}")
    if seconds < 59.5:
        return _tr("{s} s").format(s=round(seconds))
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        return _tr("{m} min {s} s").format(m=minutes, s=rest) if rest else _tr("{m} min").format(m=minutes)
    minutes = round(seconds / 60)
    if minutes < 60:
        return _tr("{m} min").format(m=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        days, hours = divmod(hours, 24)
        return _tr("{d} days {h} h").format(d=days, h=hours) if hours else _tr("{d} days").format(d=days)
    return _tr("{h} h {m} min").format(h=hours, m=minutes) if minutes else _tr("{h} h").format(h=hours)


def grouped(number: int) -> str:
    """A number in groups of three digits, parted by thin spaces."""
    return f"{number:,}".replace(",", "\u2009")


def phase_title(phase: str) -> str:
    """What people call a phase."""
    titles = {
        "base": _tr("Base model"),
        "decoder": _tr("Decoder"),
        "encoder": _tr("Encoder"),
        "bitrate": _tr("Bitrate"),
    }
    return titles.get(phase, phase)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Progress", text)
