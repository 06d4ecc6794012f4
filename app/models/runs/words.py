"""How runs stand, in words."""

import time

from PySide6.QtCore import QCoreApplication

from app.models.progress import duration, grouped
from app.run_news import RunCondition, RunFacts, Standing

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86400.0


def condition_title(condition: RunCondition) -> str:
    """One word for the state."""
    titles = {
        RunCondition.UNSTARTED: _tr("Not started"),
        RunCondition.STARTING: _tr("Starting"),
        RunCondition.RUNNING: _tr("Running"),
        RunCondition.PAUSED: _tr("Paused"),
        RunCondition.STOPPED: _tr("Stopped"),
        RunCondition.FINISHED: _tr("Finished"),
        RunCondition.FAILED: _tr("Failed"),
        RunCondition.INTERRUPTED: _tr("Interrupted"),
    }
    return titles[condition]


def standing_line(standing: Standing, now_s: float | None = None) -> str:
    """State and place: "Interrupted at step 340 / 1 000, 12 min ago"."""
    title = condition_title(standing.condition)
    if standing.condition is RunCondition.UNSTARTED or not standing.num_steps:
        return title
    where = _tr("{state} at step {step}").format(state=title, step=steps_text(standing.step, standing.num_steps))
    if standing.condition.is_live or not standing.heartbeat_s:
        return where
    return _tr("{where}, {ago}").format(where=where, ago=ago(standing.heartbeat_s, now_s))


def steps_text(step: int, num_steps: int) -> str:
    """Steps done of all."""
    return f"{grouped(step)} / {grouped(num_steps)}"


def ago(moment_s: float, now_s: float | None = None) -> str:
    """How long ago a moment was; the date where that says more."""
    seconds = max(0.0, (time.time() if now_s is None else now_s) - moment_s)
    if seconds < _MINUTE_S:
        return _tr("just now")
    if seconds < _DAY_S:
        rounded = seconds // _MINUTE_S * _MINUTE_S if seconds < _HOUR_S else seconds // _HOUR_S * _HOUR_S
        return _tr("{duration} ago").format(duration=duration(rounded))
    return time.strftime("%d %b %Y", time.localtime(moment_s))


def facts_line(facts: RunFacts) -> str:
    """Stage, model and data of a run."""
    stage = {"stage1": _tr("Stage 1"), "stage2": _tr("Stage 2")}.get(facts.stage, facts.stage)
    parts = [stage, facts.preset or facts.model_name, facts.data]
    return " · ".join(part for part in parts if part)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Runs", text)
