"""Keeps the computer awake while it generates or trains, from when that has taken a little while."""

from PySide6.QtCore import QObject, QTimer

from app.models.job_queue import QueueView
from app.models.session import Session
from app.services.sleep_guard import SleepGuard

AFTER_MS = 20_000
"""No computer falls asleep within this time, and most jobs are over by then."""


class KeepAwake(QObject):
    """The go-between of all that takes long and the system's sleep."""

    def __init__(
        self, session: Session, guard: SleepGuard, parent: QObject | None = None, *, after_ms: int = AFTER_MS
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._guard = guard
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(after_ms)
        self._timer.timeout.connect(self._hold)
        session.queue.queue_changed.connect(self._look)
        session.part_made.connect(self._on_part_made)

    def _on_part_made(self, name: str) -> None:
        if name == "runs":
            self._session.runs.list.runs_changed.connect(self._look)
        elif name == "sweeps":
            self._session.sweeps.state_changed.connect(self._look)

    def _working(self) -> dict[str, bool]:
        """What is at work, by name."""
        session = self._session
        return {
            "queue": _is_at_work(session.queue.view),
            "runs": session.has("runs") and any(run.standing.condition.is_live for run in session.runs.list.runs),
            "sweeps": session.has("sweeps") and any(report.is_running for report in session.sweeps.state.reports),
        }

    def _look(self, _payload: object = None) -> None:
        working = self._working()
        for name, is_working in working.items():
            if not is_working:
                self._guard.set_held(name, False)
        if not any(working.values()):
            self._timer.stop()
        elif not self._timer.isActive() and any(
            is_working and name not in self._guard.holders for name, is_working in working.items()
        ):
            self._timer.start()

    def _hold(self) -> None:
        for name, is_working in self._working().items():
            self._guard.set_held(name, is_working)


def _is_at_work(queue: QueueView) -> bool:
    """Also between two jobs: many short ones take as long as a long one."""
    return queue.running is not None or bool(queue.ready and not queue.is_paused)
