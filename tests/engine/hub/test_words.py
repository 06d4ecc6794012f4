"""What people read while they wait: sizes, times, and the line of a download."""

import pytest

from ul_engine.cli.hub import progress_text
from ul_engine.hub.progress import DownloadProgress, Meter
from ul_engine.hub.wording import seconds_text, size_text


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (24_330_552, "24.3 MB"), (999_499_999, "999 MB"), (1.2e9, "1.2 GB")],
)
def test_sizes(num_bytes: float, text: str) -> None:
    assert size_text(num_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89.4, "89 s"), (90, "2 min"), (3600, "60 min"), (7500, "2 h 5 min")]
)
def test_times(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_the_line_of_a_download() -> None:
    news = DownloadProgress("downloading", "base.safetensors", 25_000_000, 100_000_000, 0, 5e6)
    assert progress_text(news) == "downloading base.safetensors: 25 MB of 100 MB (25%), 5 MB/s, 15 s left"
    waiting = DownloadProgress("waiting", "", 0, 0, 0, 0.0, "the line is cut")
    assert progress_text(waiting) == "waiting: the line is cut"
    assert (waiting.fraction, waiting.seconds_left) == (0.0, None)
    assert progress_text(DownloadProgress("asking", "", 0, 0, 0, 0.0)) == "asking what there is"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    now = [0.0]
    news: list[DownloadProgress] = []
    meter = Meter(news.append, clock=lambda: now[0])
    meter.total_bytes = 10_000
    meter.kept(100)
    for second in range(1, 21):
        now[0] = float(second)
        meter.fetched(400 if second <= 10 else 100)
    assert [entry.done_bytes for entry in news] == [100 + 400 * i for i in range(1, 11)] + [
        4100 + 100 * i for i in range(1, 11)
    ]
    assert news[9].bytes_per_s == pytest.approx(400, rel=0.25)
    assert news[-1].bytes_per_s == pytest.approx(100, rel=0.25)
    assert news[-1].kept_bytes == 100


def test_news_come_at_most_ten_times_a_second() -> None:
    now = [0.0]
    news: list[DownloadProgress] = []
    meter = Meter(news.append, clock=lambda: now[0])
    meter.total_bytes = 1000
    for step in range(1000):
        now[0] = step / 1000
        meter.fetched(1)
    assert 9 <= len(news) <= 11
    meter.enter("done")
    assert news[-1].done_bytes == 1000
