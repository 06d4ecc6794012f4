"""The jobs that wait, each with a way out."""

from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.models.engine_state import EngineState
from app.models.job_queue import Job, JobQueue
from app.models.requested import title
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.labels import label

MAX_ROWS = 3


class QueueList(QFrame):
    """Hidden while nothing waits. Shows the next few jobs and counts the others."""

    def __init__(self, queue: JobQueue, engine: EngineState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._engine = engine
        self._rows: list[QueueRow] = []
        self.setProperty("role", "card")
        self._title = label("", "emphasis")
        self._hold = TextButton("", "link", parent=self)
        self._clear = TextButton(self.tr("Drop all"), "link", parent=self)
        self._more = label("", "caption")
        head = QHBoxLayout()
        head.setSpacing(SPACING.m)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._hold)
        head.addWidget(self._clear)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(SPACING.l, SPACING.s, SPACING.l, SPACING.s)
        self._layout.setSpacing(SPACING.xs)
        self._layout.addLayout(head)
        self._layout.addWidget(self._more)
        self._hold.clicked.connect(self._on_hold_clicked)
        self._clear.clicked.connect(queue.clear_waiting)
        queue.queue_changed.connect(self._refresh)
        engine.status_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        """A job that is taken at once shall not flash up here."""
        view = self._queue.view
        is_held = view.is_paused or len(view.ready) < len(view.waiting)
        must_wait = view.running is not None or is_held or not self._engine.status.is_up
        self.setVisible(bool(view.waiting) and must_wait)
        count = len(view.waiting)
        title = self.tr("1 job waits") if count == 1 else self.tr("{count} jobs wait").format(count=count)
        self._title.setText(title + (self.tr(", on hold") if view.is_paused else ""))
        self._hold.setText(self.tr("Go on") if view.is_paused else self.tr("Hold"))
        self._hold.setVisible(bool(view.ready))
        self._show_rows(view.waiting[:MAX_ROWS])
        more = count - MAX_ROWS
        self._more.setVisible(more > 0)
        self._more.setText(self.tr("and {count} more").format(count=more))

    def _show_rows(self, jobs: tuple[Job, ...]) -> None:
        if tuple(row.job for row in self._rows) == jobs:
            return
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = [QueueRow(job, self._queue, self) for job in jobs]
        for place, row in enumerate(self._rows):
            self._layout.insertWidget(1 + place, row)

    def _on_hold_clicked(self) -> None:
        self._queue.set_paused(not self._queue.view.is_paused)


class QueueRow(QWidget):
    """One waiting job."""

    def __init__(self, job: Job, queue: JobQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job = job
        self._queue = queue
        drop = IconButton("close", self.tr("Drop this job"), "small", self)
        drop.clicked.connect(self._on_drop_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.s)
        row.addWidget(ElidedLabel(job_title(job), parent=self), 1)
        if job.problem:
            self._add_problem(row, job.problem)
        row.addWidget(_right(pictures_text(job.num_results, is_clips=job.makes_clips)))
        row.addWidget(drop)

    def _add_problem(self, row: QHBoxLayout, problem: str) -> None:
        """A marked job says why it waits, and how to have it run after all."""
        again = TextButton(self.tr("Try again"), "link", parent=self)
        again.setAccessibleDescription(problem)
        again.clicked.connect(self._on_again_clicked)
        row.addWidget(label(problem, "warning"))
        row.addWidget(again)

    def _on_again_clicked(self) -> None:
        self._queue.release(self.job.job_id)

    def _on_drop_clicked(self) -> None:
        self._queue.remove(self.job.job_id)


def job_title(job: Job) -> str:
    """What a job is called."""
    return title(job.request)


def pictures_text(count: int, *, is_clips: bool = False) -> str:
    """A number of pictures or clips in words."""
    if is_clips:
        return _tr("1 clip") if count == 1 else _tr("{count} clips").format(count=count)
    return _tr("1 picture") if count == 1 else _tr("{count} pictures").format(count=count)


def _right(text: str) -> QLabel:
    result = label(text, "caption")
    result.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return result


def _tr(text: str) -> str:
    return QCoreApplication.translate("QueueList", text)
