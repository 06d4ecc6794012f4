"""Puts the end of long work into words, and tells it where a person will see it."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.models.job_queue import WorkDone
from app.models.long_work import WorkEnded
from app.models.progress import duration
from app.models.session import Session
from app.services.notifier import Notifier


class Telling(QObject):
    """The go-between of the queue and the desktop. Training and downloads tell `session.long_work` themselves."""

    def __init__(self, session: Session, notifier: Notifier, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._notifier = notifier
        self.is_in_front: Callable[[], bool] = _never
        """Whether the window has the person's eyes; then nothing needs to be told."""
        session.queue.all_done.connect(self._on_all_done)
        session.long_work.long_work_ended.connect(self._on_long_work_ended)

    def _on_all_done(self, done: WorkDone) -> None:
        made = self.tr("1 result") if done.num_results == 1 else self.tr("{n} results").format(n=done.num_results)
        sentence = self.tr("{made} in {time}.").format(made=made, time=duration(done.elapsed_s))
        title = self.tr("Everything asked for is done")
        if done.num_failed:
            title = self.tr("Done, but not all of it succeeded")
            sentence += " " + self.tr("Jobs that failed: {n}.").format(n=done.num_failed)
        self._session.long_work.tell(title, sentence, done.elapsed_s)

    def _on_long_work_ended(self, ended: WorkEnded) -> None:
        if self._session.preferences.state.notifies and not self.is_in_front():
            self._notifier.send(ended.title, ended.sentence)


def _never() -> bool:
    return False
