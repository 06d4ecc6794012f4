"""Rates are exact fractions, and a change of rate shows at every moment what was on screen then."""

from fractions import Fraction

import numpy as np
import pytest

from ul_engine.errors import ConfigError
from ul_engine.media.rates import USUAL_FPS, as_rate, estimate_rate, rounded_times
from ul_engine.media.timeline import Timeline

MS, NTSC = Fraction(1, 1000), Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        (24, Fraction(24)),
        (12.5, Fraction(25, 2)),
        ("30000/1001", NTSC),
        (29.97002997, NTSC),
        (23.976, Fraction(2997, 125)),
        (Fraction(1, 3), Fraction(1, 3)),
        (1 / 3, Fraction(1, 3)),
    ],
)
def test_what_people_write(written: Fraction | float | str, rate: Fraction) -> None:
    assert as_rate(written) == rate


@pytest.mark.parametrize("written", [0, -1, "fast", "1/0", float("nan"), float("inf"), 1001, 0.001])
def test_what_is_no_rate(written: float | str) -> None:
    with pytest.raises(ConfigError, match="fps") as caught:
        as_rate(written)
    assert caught.value.field == "fps"


def stamps(num_frames: int, fps: Fraction, tick_s: Fraction) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray([round(k / (fps * tick_s)) for k in range(num_frames)], dtype=np.int64)


@pytest.mark.parametrize("fps", [*USUAL_FPS, Fraction(25, 2), Fraction(123457, 1000)], ids=str)
@pytest.mark.parametrize("tick_s", [MS, Fraction(1, 90000), Fraction(1, 12800)], ids=str)
def test_rounded_stamps_are_no_change_of_rate(fps: Fraction, tick_s: Fraction) -> None:
    ticks = stamps(100, fps, tick_s)
    assert estimate_rate(ticks, tick_s, 1, [fps]) == (fps, False)


def test_a_rounded_claim_means_the_usual_rate() -> None:
    rounded = Fraction(19001, 317)  # what a Matroska frame of 16 683 333 ns comes out as
    assert estimate_rate(stamps(50, Fraction(60000, 1001), MS), MS, 17, [rounded]) == (Fraction(60000, 1001), False)


def test_a_wrong_claim_is_not_believed() -> None:
    assert estimate_rate(stamps(100, Fraction(25), MS), MS, 40, [Fraction(1000), Fraction(24)]) == (Fraction(25), False)


def test_without_a_claim() -> None:
    assert estimate_rate(stamps(100, Fraction(30), MS), MS, 33) == (Fraction(30), False)
    assert estimate_rate(stamps(3, Fraction(30), Fraction(1, 100)), Fraction(1, 100), 3) == (Fraction(30), False)
    assert estimate_rate(stamps(200, NTSC, MS), MS, 33) == (NTSC, False)


def test_a_rate_that_varies_is_stated_by_its_mean() -> None:
    ticks = np.asarray([0, 1, 3, 6, 10], dtype=np.int64)
    assert estimate_rate(ticks, Fraction(1, 10), 2) == (Fraction(5 * 10, 12), True)


def test_one_frame() -> None:
    assert estimate_rate(np.zeros(1, np.int64), MS, 40) == (Fraction(25), False)
    assert estimate_rate(np.zeros(1, np.int64), MS, 40, [NTSC]) == (NTSC, False)


# ---- another rate -------------------------------------------------------------------------------------------------


def on_screen(starts_s: list[Fraction], duration_s: Fraction, fps: Fraction) -> list[int]:
    """The definition: at j / fps stands the last frame that has begun."""
    count = max(1, int(duration_s * fps + Fraction(1, 2)))
    return [max(k for k, start in enumerate(starts_s) if start <= j / fps) for j in range(count)]


@pytest.mark.parametrize("source", [Fraction(25), NTSC, Fraction(20), Fraction(5, 2)], ids=str)
@pytest.mark.parametrize("target", [Fraction(25), Fraction(24), NTSC, Fraction(50), Fraction(7), Fraction(8)], ids=str)
@pytest.mark.parametrize("tick_s", [MS, Fraction(1, 90000)], ids=str)
def test_constant_rates_are_exact_whatever_the_clock_rounds(
    source: Fraction, target: Fraction, tick_s: Fraction
) -> None:
    timeline = Timeline.of(stamps(40, source, tick_s), tick_s, None, [source])
    assert timeline.numbers_at(target).tolist() == on_screen([k / source for k in range(40)], 40 / source, target)


def test_the_same_rate_changes_nothing() -> None:
    timeline = Timeline.of(stamps(100, Fraction(30), MS), MS, 33, [Fraction(30)])
    assert timeline.numbers_at(Fraction(30)).tolist() == timeline.numbers_at(None).tolist() == list(range(100))
    assert timeline.numbers_at(Fraction(15)).tolist() == list(range(0, 100, 2))
    assert timeline.numbers_at(Fraction(60)).tolist() == [k // 2 for k in range(200)]


def test_a_variable_rate_becomes_constant() -> None:
    generator = np.random.default_rng(0)
    ticks = np.concatenate([[0], generator.integers(1, 9, 40).cumsum()])
    timeline = Timeline.of(ticks, Fraction(1, 60), 5)
    assert timeline.is_variable
    assert timeline.duration_s == Fraction(int(ticks[-1]) + 5, 60)
    for fps in (Fraction(60), Fraction(30), Fraction(10), Fraction(120)):
        starts = [Fraction(int(tick), 60) for tick in ticks]
        expected = on_screen(starts, timeline.duration_s, fps)
        if fps <= 60:  # finer than the clock, times count as rounded
            assert timeline.numbers_at(fps).tolist() == expected
        assert len(timeline.numbers_at(fps)) == len(expected)


def test_times_on_a_coarse_clock_never_drift() -> None:
    times = rounded_times(1000, NTSC, 100)
    assert all(abs(time - 100 * k / NTSC) <= Fraction(1, 2) for k, time in enumerate(times))
    assert rounded_times(3, Fraction(30), 100) == [0, 3, 7, 10]


def test_the_first_frames_of_a_timeline() -> None:
    whole = Timeline.of(np.asarray([0, 1, 3, 6, 10]), Fraction(1), 2)
    assert whole.first(3).duration_s == 6
    assert whole.first(5) is whole
    assert Timeline.even(10, Fraction(5)).first(4).duration_s == Fraction(4, 5)
