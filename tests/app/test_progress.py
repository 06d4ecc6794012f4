"""Progress in words, and a time left that is not made up."""

import pytest

from app.models.progress import ProgressTracker, ProgressView, duration
from ul_engine.protocol import JobProgress


def step(
    number: int, *, phase: str = "base", total: int = 28, first: int = 0, count: int = 4, whole: int = 56
) -> JobProgress:
    done = number + (28 if phase == "decoder" else 0)
    return JobProgress(
        job_id="j",
        phase=phase,  # type: ignore[arg-type]
        step=number,
        num_steps=total,
        first_index=first,
        batch_size=count,
        fraction=done / whole,
    )


def run(tracker: ProgressTracker, steps: int, pace_s: float) -> ProgressView:
    view = ProgressView()
    for number in range(1, steps + 1):
        view = tracker.update(step(number), number * pace_s)
    return view


def test_the_line_of_the_brief() -> None:
    view = run(ProgressTracker(8, 0.0), 12, 0.3125)
    assert view.line == "Picture 1–4 of 8 · Base model · Step 12 / 28 · 3.2 it/s · 14 s left"
    assert view.fraction == pytest.approx(12 / 56)


def test_the_time_left_is_honest_at_a_steady_pace() -> None:
    view = run(ProgressTracker(4, 0.0), 20, 0.5)
    assert view.time_left == "18 s left"  # 36 steps of half a second


def test_at_first_it_is_estimating() -> None:
    assert run(ProgressTracker(4, 0.0), 1, 0.01).time_left == "estimating time left"


def test_a_new_pace_is_noticed() -> None:
    tracker = ProgressTracker(4, 0.0)
    run(tracker, 10, 0.1)
    now, view = 1.0, ProgressView()
    for number in range(11, 29):
        now += 2.0
        view = tracker.update(step(number), now)
    assert view.line.endswith("2.0 s/it · 56 s left")


def test_phases_that_take_turns_do_not_toss_the_time_left_about() -> None:
    """Ten levels: a few quick steps of the base model, then slow ones of the decoder, each time."""
    paces = [(phase, pace_s) for _ in range(10) for phase, count, pace_s in TURNS for _ in range(count)]
    whole_s, now_s, tracker = sum(pace_s for _, pace_s in paces), 0.0, ProgressTracker(1, 0.0)
    for number, (phase, pace_s) in enumerate(paces, 1):
        now_s += pace_s
        news = step_of(phase, number, len(paces))
        text = tracker.update(news, now_s).time_left
        if 0.3 < now_s / whole_s < 0.9:
            assert 0.6 < seconds_of(text) / (whole_s - now_s) < 1.6, (number, text)


def step_of(phase: str, number: int, total: int) -> JobProgress:
    return JobProgress(
        job_id="j",
        phase=phase,  # type: ignore[arg-type]
        step=number,
        num_steps=total,
        first_index=0,
        batch_size=1,
        fraction=number / total,
    )


TURNS = (("base", 8, 0.2), ("decoder", 12, 1.5))


def seconds_of(text: str) -> float:
    words = text.removesuffix(" left").split()
    return sum(float(n) * {"s": 1, "min": 60}[unit] for n, unit in zip(words[::2], words[1::2], strict=True))


def test_single_pictures_need_no_count() -> None:
    tracker = ProgressTracker(1, 0.0)
    assert tracker.update(step(1, count=1), 0.0).line.startswith("Base model · Step 1 / 28")
    tracker = ProgressTracker(3, 0.0)
    assert tracker.update(step(1, count=1, first=2), 0.0).line.startswith("Picture 3 of 3 · ")


def test_long_numbers_are_grouped() -> None:
    line = ProgressTracker(1, 0.0).update(step(1, total=1024), 0.0).line
    assert "Step 1 / 1\u2009024" in line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (9.0, "9 s"),
        (59.0, "59 s"),
        (59.7, "1 min"),
        (80.0, "1 min 20 s"),
        (601.0, "10 min"),
        (2760.0, "46 min"),
        (3599.0, "1 h"),
        (7500.0, "2 h 5 min"),
    ],
)
def test_durations_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
