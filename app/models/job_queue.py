"""The jobs: one runs, the others wait their turn here and not in the engine, so that its death costs only one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.models.progress import ProgressTracker, ProgressView
from app.models.requested import num_results
from ul_engine.protocol import CancelNoted, JobProgress
from ul_engine.requests import Request

Page = Literal["generate", "compare"]
"""Who asked, and shows what comes."""


class JobState(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """One thing asked of the engine."""

    job_id: str
    request: Request
    model_name: str
    size_px: tuple[int, int]
    """Width and height of its pictures."""
    preset: str = ""
    state: JobState = JobState.WAITING
    num_done: int = 0
    elapsed_s: float = 0.0
    message: str = ""
    page: Page = "generate"
    is_stop_noted: bool = False
    """The engine has heard that it is to stop."""
    makes_clips: bool = False
    problem: str = ""
    """Why it waits for a person's word and is not taken by itself; empty: it is."""

    @property
    def num_results(self) -> int:
        """Pictures, clips or inputs asked for."""
        return num_results(self.request)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in (JobState.FINISHED, JobState.STOPPED, JobState.FAILED)


@dataclass(frozen=True)
class QueueView:
    """The queue at one moment."""

    running: Job | None = None
    waiting: tuple[Job, ...] = ()
    is_paused: bool = False

    @property
    def ready(self) -> tuple[Job, ...]:
        """The waiting jobs that need nobody's word."""
        return tuple(job for job in self.waiting if not job.problem)

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing waits for the engine."""
        return self.running is None and not self.ready

    @property
    def ends_after_this(self) -> bool:
        """Whether the running job is finished and then held: the third way to stop."""
        return self.is_paused and self.running is not None and self.running.state is JobState.RUNNING


@dataclass(frozen=True)
class WorkDone:
    """All that was asked for is made, after some time: worth telling someone who looks elsewhere."""

    num_jobs: int
    num_results: int
    num_failed: int
    elapsed_s: float


class JobQueue(QObject):
    """Compares, stores, tells. It sends nothing: whoever owns the engine takes jobs with `take_next`."""

    queue_changed = Signal(object)  # QueueView
    job_began = Signal(object)  # Job
    job_ended = Signal(object)  # Job
    progress_changed = Signal(object)  # ProgressView
    stop_requested = Signal(object)  # Job: to be cancelled in the engine
    jobs_dropped = Signal(object)  # tuple[Job, ...]: taken out by a person, who may want them back
    all_done = Signal(object)  # WorkDone

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._numbers = count(1)
        self._view = QueueView()
        self._progress = ProgressView()
        self._tracker = ProgressTracker(1, 0.0)
        self._began_s = 0.0
        self._done = WorkDone(0, 0, 0, 0.0)

    @property
    def view(self) -> QueueView:
        """The queue now."""
        return self._view

    @property
    def progress(self) -> ProgressView:
        """How far the running job is."""
        return self._progress

    # ---- what a person does ---------------------------------------------------------------------------------------

    def add(
        self,
        request: Request,
        model_name: str,
        size_px: tuple[int, int],
        preset: str = "",
        *,
        page: Page = "generate",
        is_next: bool = False,
        makes_clips: bool = False,
    ) -> Job:
        """Put a job at the end of the queue, or before all that wait. Asking for more means going on: a pause ends."""
        job = Job(
            f"job-{next(self._numbers)}", request, model_name, size_px, preset, page=page, makes_clips=makes_clips
        )
        waiting = (job, *self._view.waiting) if is_next else (*self._view.waiting, job)
        self._set(replace(self._view, waiting=waiting, is_paused=False))
        return job

    def restore(self, jobs: Sequence[Job], *, is_paused: bool) -> None:
        """Take over jobs of an earlier time, before those that wait now."""
        named = tuple(replace(job, job_id=f"job-{next(self._numbers)}") for job in jobs)
        if named:
            is_held = self._view.is_paused or is_paused
            self._set(replace(self._view, waiting=(*named, *self._view.waiting), is_paused=is_held))

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Let dropped jobs wait again, at the end."""
        known = {job.job_id for job in self._view.waiting}
        again = tuple(job for job in jobs if job.job_id not in known)
        self._set(replace(self._view, waiting=(*self._view.waiting, *again)))

    def release(self, job_id: str) -> None:
        """A person says that a marked job shall run after all."""
        waiting = tuple(replace(job, problem="") if job.job_id == job_id else job for job in self._view.waiting)
        self._set(replace(self._view, waiting=waiting, is_paused=False))

    def remove(self, job_id: str) -> None:
        """Take a waiting job out."""
        self._drop(tuple(job for job in self._view.waiting if job.job_id == job_id))

    def clear_waiting(self) -> None:
        """Take all waiting jobs out."""
        self._drop(self._view.waiting)

    def _drop(self, jobs: tuple[Job, ...]) -> None:
        rest = tuple(job for job in self._view.waiting if job not in jobs)
        is_paused = self._view.is_paused and (bool(rest) or self._view.running is not None)
        self._set(replace(self._view, waiting=rest, is_paused=is_paused))
        if jobs:
            self.jobs_dropped.emit(jobs)

    def stop(self) -> None:
        """Stop now: the running job ends within one step, those behind it wait until the person goes on."""
        self._set(replace(self._view, is_paused=bool(self._view.ready)))
        self.skip()

    def skip(self) -> None:
        """Stop the running job and go on with the next."""
        job = self._view.running
        if job is not None and job.state is JobState.RUNNING:
            stopping = replace(job, state=JobState.STOPPING)
            self._set(replace(self._view, running=stopping))
            self.stop_requested.emit(stopping)

    def set_paused(self, is_paused: bool) -> None:
        """Finish the running job, then hold; or go on."""
        self._set(replace(self._view, is_paused=is_paused and not self._view.is_idle))

    # ---- what the engine does -------------------------------------------------------------------------------------

    def take_next(self) -> Job | None:
        """The job to hand to the engine now, which thereby runs; None if one runs, none waits, or the queue is held."""
        if self._view.running is not None or not self._view.ready or self._view.is_paused:
            return None
        first = self._view.ready[0]
        rest = [waiting for waiting in self._view.waiting if waiting is not first]
        job = replace(first, state=JobState.RUNNING)
        self._began_s = self._clock()
        self._tracker = ProgressTracker(job.num_results, self._began_s)
        self._set_progress(ProgressView())
        self._set(replace(self._view, running=job, waiting=tuple(rest)))
        self.job_began.emit(job)
        return job

    def note_progress(self, news: JobProgress) -> None:
        """The engine did a step."""
        if self.is_running(news.job_id):
            self._set_progress(self._tracker.update(news, self._clock()))

    def note_stop(self, news: CancelNoted) -> None:
        """The engine heard that the running job is to stop."""
        job = self._view.running
        if job is not None and job.job_id == news.job_id and job.state is JobState.STOPPING:
            self._set(replace(self._view, running=replace(job, is_stop_noted=True)))

    def note_picture(self, job_id: str) -> None:
        """The engine finished a picture, a clip or another result that counts."""
        job = self._view.running
        if job is not None and job.job_id == job_id:
            self._set(replace(self._view, running=replace(job, num_done=job.num_done + 1)))

    def end(self, job_id: str, state: JobState, message: str = "") -> None:
        """The running job is over."""
        job = self._view.running
        if job is None or job.job_id != job_id:
            return
        over = replace(job, state=state, message=message, elapsed_s=self._clock() - self._began_s)
        is_paused = self._view.is_paused and bool(self._view.waiting)
        self._set(replace(self._view, running=None, is_paused=is_paused))
        self._set_progress(ProgressView())
        self.job_ended.emit(over)
        self._sum_up(over)

    def _sum_up(self, job: Job) -> None:
        """Tell when all is done; work that a person stopped is not worth telling."""
        done = self._done
        self._done = WorkDone(
            done.num_jobs + 1,
            done.num_results + job.num_done,
            done.num_failed + (job.state is JobState.FAILED),
            done.elapsed_s + job.elapsed_s,
        )
        if self._view.ready and not self._view.is_paused:
            return
        done, self._done = self._done, WorkDone(0, 0, 0, 0.0)
        if job.state is not JobState.STOPPED:
            self.all_done.emit(done)

    def is_running(self, job_id: str) -> bool:
        """Whether this is the job in work."""
        return self._view.running is not None and self._view.running.job_id == job_id

    def _set(self, view: QueueView) -> None:
        if view != self._view:
            self._view = view
            self.queue_changed.emit(view)

    def _set_progress(self, progress: ProgressView) -> None:
        if progress != self._progress:
            self._progress = progress
            self.progress_changed.emit(progress)
