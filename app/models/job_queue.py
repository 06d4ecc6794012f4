"""The jobs: one runs, the others wait their turn here and not in the engine, so that its death costs only one."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.models.progress import ProgressTracker, ProgressView
from app.models.requested import num_results
from ul_engine.protocol import JobProgress
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
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self.running is None and not self.waiting


class JobQueue(QObject):
    """Compares, stores, tells. It sends nothing: whoever owns the engine takes jobs with `take_next`."""

    queue_changed = Signal(object)  # QueueView
    job_began = Signal(object)  # Job
    job_ended = Signal(object)  # Job
    progress_changed = Signal(object)  # ProgressView
    stop_requested = Signal(object)  # Job: to be cancelled in the engine

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._numbers = count(1)
        self._view = QueueView()
        self._progress = ProgressView()
        self._tracker = ProgressTracker(1, 0.0)
        self._began_s = 0.0

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
    ) -> Job:
        """Put a job at the end of the queue, or before all that wait. Asking for more means going on: a pause ends."""
        job = Job(f"job-{next(self._numbers)}", request, model_name, size_px, preset, page=page)
        waiting = (job, *self._view.waiting) if is_next else (*self._view.waiting, job)
        self._set(replace(self._view, waiting=waiting, is_paused=False))
        return job

    def remove(self, job_id: str) -> None:
        """Take a waiting job out."""
        self._set(replace(self._view, waiting=tuple(job for job in self._view.waiting if job.job_id != job_id)))

    def clear_waiting(self) -> None:
        """Take all waiting jobs out."""
        self._set(replace(self._view, waiting=(), is_paused=False))

    def stop(self) -> None:
        """Stop now: the running job ends within one step, those behind it wait until the person goes on.

        With nothing running, what waits is dropped.
        """
        if self._view.running is None:
            self.clear_waiting()
            return
        self._set(replace(self._view, is_paused=bool(self._view.waiting)))
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
        if self._view.running is not None or not self._view.waiting or self._view.is_paused:
            return None
        first, *rest = self._view.waiting
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
