"""The running job: what it is at, how far, how long yet, and the ways to stop it."""

from typing import Any

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.models.engine_state import EnginePhase
from app.models.job_queue import JobState, QueueView
from app.models.session import Session
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.steady_label import SteadyLabel
from app.ui.widgets.stop_choices import StopChoices

_BAR_STEPS = 1000
WHOLE = "100\u202f%"


class ProgressStrip(QFrame):
    """Hidden while nothing is to be done."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setProperty("role", "card")
        self._line = SteadyLabel()
        self._line.setFont(font(has_even_digits=True))
        self._share = SteadyLabel("muted", WHOLE)
        self._share.setFont(font(has_even_digits=True))
        self._share.align_right()
        self._bar = QProgressBar(self)
        self._bar.setRange(0, _BAR_STEPS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the running job"))
        self.choices = StopChoices(session.queue, self)
        row = QHBoxLayout()
        row.addWidget(self._line, 1)
        row.addWidget(self._share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addLayout(row)
        layout.addWidget(self._bar)
        layout.addWidget(self.choices)
        session.queue.queue_changed.connect(self._refresh)
        session.queue.progress_changed.connect(self._refresh)
        session.engine.status_changed.connect(self._refresh)
        self._refresh()

    @property
    def line(self) -> str:
        """The words on show."""
        return self._line.text()

    def _refresh(self, _payload: Any = None) -> None:
        view, progress = self._session.queue.view, self._session.queue.progress
        has_pictures = self._session.results.rowCount() > 0
        self.setVisible(view.running is not None or (bool(view.ready) and has_pictures and not view.is_paused))
        self._line.set_text(self._words(view))
        is_known = view.running is not None and progress.fraction > 0
        is_stopping = view.running is not None and view.running.state is JobState.STOPPING
        self._share.set_text(f"{progress.fraction:.0%}".replace("%", "\u202f%") if is_known and not is_stopping else "")
        self._bar.setValue(round(progress.fraction * _BAR_STEPS))
        self.choices.setVisible(view.running is not None)

    def _words(self, view: QueueView) -> str:
        running, progress = view.running, self._session.queue.progress
        if running is None:
            return self._waiting_words()
        if running.state is JobState.STOPPING:
            return self.tr("Stopping after this step…") if running.is_stop_noted else self.tr("Stopping…")
        if self._session.engine.status.phase is EnginePhase.LOADING:
            return self.tr("Reading the model {name}…").format(name=running.model_name)
        return progress.line or self.tr("Starting…")

    def _waiting_words(self) -> str:
        phase = self._session.engine.status.phase
        if phase is EnginePhase.STARTING:
            return self.tr("The engine is warming up; your pictures start by themselves")
        if phase is EnginePhase.RESTARTING:
            return self.tr("The engine is being restarted; your pictures start by themselves")
        if phase is EnginePhase.DOWN:
            return self.tr("The engine is not running; restart it to go on")
        return self.tr("Starting…")
