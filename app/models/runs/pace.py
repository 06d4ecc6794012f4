"""How fast a run goes and how long it will take, from the times of its last steps."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.models.progress import duration
from app.models.runs.words import steps_text
from app.run_news import Block, RunCondition, Standing

WINDOW = 30
"""Logged steps that the present pace is taken from: validations and saves among them count, as they will again."""


@dataclass(frozen=True)
class RunProgress:
    """The line under a run's name, and the share of the bar."""

    line: str = ""
    fraction: float = 0.0
    seconds_left: float | None = None


def progress_of(standing: Standing, steps: Block | None, *, began_s: float, step_s: float | None) -> RunProgress:
    """Where a run is. `steps` are logged ones, `began_s` is when its processes were last started; `step_s` is how long
    a step takes by its own account."""
    step, num_steps = standing.step, standing.num_steps
    if steps is not None and len(steps):
        step = max(step, int(steps.steps[-1]))
    fraction = min(1.0, step / num_steps) if num_steps else 0.0
    if standing.condition is not RunCondition.RUNNING:
        return RunProgress("", fraction)
    parts = [_tr("Step {steps}").format(steps=steps_text(step, num_steps))]
    if step_s:
        parts.append(_rate(step_s))
    left_s = _seconds_left(steps, num_steps, began_s)
    parts.append(_tr("{duration} left").format(duration=duration(left_s)) if left_s is not None else _tr("estimating time left"))
    return RunProgress(" · ".join(parts), fraction, left_s)


def _rate(step_s: float) -> str:
    if step_s <= 1.0:
        return _tr("{rate} it/s").format(rate=f"{1.0 / step_s:.1f}")
    return _tr("{seconds} s/it").format(seconds=f"{step_s:.1f}")


def _seconds_left(steps: Block | None, num_steps: int, began_s: float) -> float | None:
    """By the clock, over the last logged steps of this start; None while there are fewer than three."""
    if steps is None:
        return None
    first = max(0, len(steps) - WINDOW)
    while first < len(steps) and steps.times[first] < began_s:
        first += 1
    if len(steps) - first < 3:
        return None
    done = steps.steps[-1] - steps.steps[first]
    seconds = steps.times[-1] - steps.times[first]
    return (num_steps - steps.steps[-1]) * seconds / done if done > 0 and seconds > 0 else None


def _tr(text: str) -> str:
    return QCoreApplication.translate("Runs", text)
