"""Ties the queue to its file: what waits survives a restart; after a crash it comes back held, the culprit marked."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import Notice, NoticeAction, Severity
from app.models.job_queue import Job, QueueView
from app.models.notices import ActionChoice
from app.models.requested import rest_of
from app.models.session import Session
from app.services.queue_file import LoadedQueue, QueueFile, StoredJob
from app.services.state_writer import StateWriter, WriteProblem
from app.studio import actions


class QueueKeeper(QObject):
    """Only jobs of the page Generate are kept: what Compare asked for means nothing without its pictures."""

    def __init__(self, session: Session, file: QueueFile, writer: StateWriter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._file = file
        self._kept: tuple[StoredJob, ...] = ()
        self._was_paused = False
        self._dropped: tuple[Job, ...] = ()
        self._is_over = False
        session.queue.queue_changed.connect(self._on_queue_changed)
        session.queue.jobs_dropped.connect(self._on_jobs_dropped)
        session.notices.action_chosen.connect(self._on_action_chosen)
        writer.write_failed.connect(self._on_write_failed)

    # ---- at the start and at the end ------------------------------------------------------------------------------

    def take_over(self) -> None:
        """Bring back what waited the last time."""
        loaded = self._file.load()
        if loaded.problem:
            self._session.notices.post(self._aside_notice(loaded))
        jobs = [self._job(stored, loaded) for stored in loaded.jobs]
        self._session.queue.restore(jobs, is_paused=loaded.was_paused or loaded.has_crashed)
        if loaded.has_crashed:
            self._session.notices.post(self._crash_notice(jobs))

    def say_goodbye(self) -> None:
        """The program ends as it should: the running job waits first the next time."""
        if self._is_over:
            return
        self._is_over = True  # what the engine still says changes nothing any more
        jobs = tuple(job.model_copy(update={"is_running": False}) for job in stored_jobs(self._session.queue.view))
        self._file.save(jobs, is_paused=self._session.queue.view.is_paused, is_open=False)

    def _job(self, stored: StoredJob, loaded: LoadedQueue) -> Job:
        problem = stored.problem
        if stored.is_running and loaded.has_crashed:
            problem = self.tr("The program ended while this ran")
        job = Job("", stored.request, stored.model_name, stored.size_px, stored.preset, problem=problem)
        return replace(job, makes_clips=stored.makes_clips)

    # ---- while it runs --------------------------------------------------------------------------------------------

    def _on_queue_changed(self, view: QueueView) -> None:
        jobs = stored_jobs(view)
        if not self._is_over and (jobs, view.is_paused) != (self._kept, self._was_paused):
            self._kept, self._was_paused = jobs, view.is_paused
            self._file.save(jobs, is_paused=view.is_paused, is_open=True)

    def _on_write_failed(self, problem: WriteProblem) -> None:
        if problem.path != str(self._file.path):
            return
        self._session.notices.post(
            Notice(
                Severity.WARNING,
                self.tr("The queue is not being kept"),
                self.tr("Jobs that wait would be lost with the program. {reason}.").format(
                    reason=problem.message.rstrip(".")
                ),
                key="queue-file",
            )
        )

    def _on_jobs_dropped(self, jobs: tuple[Job, ...]) -> None:
        self._dropped = jobs
        title = self.tr("1 job dropped") if len(jobs) == 1 else self.tr("{count} jobs dropped").format(count=len(jobs))
        self._session.notices.post(
            Notice(
                Severity.INFO,
                title,
                self.tr("Nothing of it was made yet."),
                actions=(NoticeAction(actions.UNDO_DROP, self.tr("Undo")),),
                key="dropped",
                is_passing=True,
            )
        )

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == actions.UNDO_DROP:
            dropped, self._dropped = self._dropped, ()
            self._session.queue.put_back(dropped)

    def _crash_notice(self, jobs: list[Job]) -> Notice:
        has_culprit = any(job.problem for job in jobs)
        sentence = self.tr("The program ended unexpectedly the last time. What waited is here again, on hold.")
        if has_culprit:
            sentence += " " + self.tr("The job that ran then is marked and waits until you try it again or drop it.")
        offered = (NoticeAction(actions.CONTINUE_QUEUE, self.tr("Go on with the others")),)
        is_any_ready = any(not job.problem for job in jobs)
        return Notice(
            Severity.WARNING,
            self.tr("Jobs came back"),
            sentence,
            actions=offered if is_any_ready else (),
            key="queue-back",
        )

    def _aside_notice(self, loaded: LoadedQueue) -> Notice:
        sentence = self.tr("Jobs of the last time could not be read: {reason}.").format(reason=loaded.problem)
        shown: tuple[NoticeAction, ...] = ()
        if loaded.kept_aside:
            sentence += " " + self.tr("The file was kept as {name}.").format(name=Path(loaded.kept_aside).name)
            shown = (NoticeAction(actions.SHOW_FILE, self.tr("Show in folder"), loaded.kept_aside),)
        return Notice(Severity.WARNING, self.tr("The queue was put aside"), sentence, actions=shown, key="queue-file")


def stored_jobs(view: QueueView) -> tuple[StoredJob, ...]:
    """What is to be kept of a queue: the rest of the running job first, then those that wait."""
    jobs = [] if view.running is None else [view.running]
    return tuple(
        StoredJob(
            request=rest_of(job.request, job.num_done),
            model_name=job.model_name,
            size_px=job.size_px,
            preset=job.preset,
            makes_clips=job.makes_clips,
            is_running=job is view.running,
            problem=job.problem,
        )
        for job in (*jobs, *view.waiting)
        if job.page == "generate"
    )
