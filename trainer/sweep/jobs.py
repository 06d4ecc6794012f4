"""Jobs made of child processes, several at once: started, watched, stopped together. No torch."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from trainer.signals import StopRequest
from trainer.sweep.children import GRACE_S, Child, Step, failure_text
from trainer.sweep.folders import StateName
from ul_engine.errors import EngineError

POLL_S = 0.1
STOPPED_CODE = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Slot:
    """Where one of several jobs computes: its device, and what its environment has beside ours."""

    device: str = "auto"
    variables: Mapping[str, str] = field(default_factory=dict)


class Job(Protocol):
    """What is worked through: its steps in order, and somebody to tell how it goes."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def place(self) -> Path:
        """Its folder, where the number of its running process is kept."""

    def steps(self, slot: Slot) -> Sequence[Step]:
        """Its steps; those done already are passed over. Raises EngineError where it cannot begin."""

    def note(self, state: StateName, reason: str, step: str, took_s: float) -> None:
        """Called after each step and at the end; `state` is running, done, failed or stopped."""


@dataclass
class _Work:
    """A job in progress."""

    job: Job
    slot: Slot
    steps: deque[Step] = field(default_factory=deque)
    child: Child | None = None


def run_jobs(jobs: Sequence[Job], slots: Sequence[Slot], stop: StopRequest, say: Say) -> None:
    """Work through all jobs; a failed one does not end the others. After a stop every running child has saved."""
    waiting = deque(jobs)
    active: list[_Work] = []
    try:
        while (waiting or active) and not stop.is_set:
            while waiting and len(active) < len(slots):
                free = [slot for slot in slots if all(slot is not work.slot for work in active)]
                work = _begun(waiting.popleft(), free[0], say)
                if work is not None:
                    active.append(work)
            active = [work for work in active if not _is_over(work, say)]
            if active:
                time.sleep(POLL_S)
    finally:
        _stop_all(active, say)


def _begun(job: Job, slot: Slot, say: Say) -> _Work | None:
    """Its first step comes at the next look; None if it has failed already."""
    try:
        return _Work(job, slot, deque(job.steps(slot)))
    except EngineError as error:
        job.note("failed", str(error), "", 0.0)
        say(f"{job.title}: failed: {error}")
        return None


def _is_over(work: _Work, say: Say) -> bool:
    """Look after one job: start its next step, or take note of how the running one ended."""
    if work.child is None:
        while work.steps and work.steps[0].is_done():
            work.steps.popleft()
        if not work.steps:
            work.job.note("done", "", "", 0.0)
            say(f"{work.job.title}: done")
            return True
        say(f"{work.job.title}: {work.steps[0].name}")
        work.child = Child(work.steps[0], work.job.place, work.slot.variables)
        work.job.note("running", "", work.steps[0].name, 0.0)
        return False
    if (code := work.child.ended_with()) is None:
        return False
    return _step_ended(work, work.child, code, say)


def _step_ended(work: _Work, child: Child, code: int, say: Say) -> bool:
    step = work.steps.popleft()
    work.child = None
    if code == 0 and step.is_done():
        work.job.note("running", "", step.name, child.took_s)
        return False
    state: StateName = "stopped" if code == STOPPED_CODE else "failed"
    reason = "" if state == "stopped" else failure_text(step, code)
    work.job.note(state, reason, step.name, child.took_s)
    say(f"{work.job.title}: {step.name} {state}{f': {reason}' if reason else ''}")
    return True


def _stop_all(active: Sequence[_Work], say: Say) -> None:
    running = [(work, work.child) for work in active if work.child is not None]
    if running:
        say(f"stopping {len(running)} of the points; each one saves first")
    for _, child in running:
        child.ask_to_stop()
    for work, child in running:
        child.wait_or_kill(GRACE_S)
        work.job.note("stopped", "", work.steps[0].name, child.took_s)
