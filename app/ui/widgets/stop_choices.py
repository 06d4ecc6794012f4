"""The three ways to stop, side by side, so that nobody has to find them or guess what one of them does."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.models.job_queue import JobQueue, JobState
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.flow_layout import FlowLayout


class StopChoices(QWidget):
    """Every click shows its effect at once, before the engine answers. Where only one job is left, the second and the
    third are the same as others and go away."""

    def __init__(self, queue: JobQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self.stop_button = TextButton(self.tr("Stop now"), "chip", parent=self)
        self.stop_button.setToolTip(
            self.tr("Ends this job within one step (Esc); finished pictures stay, and the other jobs wait for you")
        )
        self.skip_button = TextButton(self.tr("Skip this one"), "chip", parent=self)
        self.skip_button.setToolTip(self.tr("Ends this job within one step and goes on with the next"))
        self.last_button = TextButton(self.tr("Finish this one, then stop"), "chip", parent=self)
        self.last_button.setToolTip(
            self.tr("Completes this job; the others wait for you. Click again to go on after all")
        )
        self.last_button.setCheckable(True)
        flow = FlowLayout(SPACING.xs, self)
        for button in (self.stop_button, self.skip_button, self.last_button):
            flow.addWidget(button)
        self.stop_button.clicked.connect(queue.stop)
        self.skip_button.clicked.connect(queue.skip)
        self.last_button.clicked.connect(self._on_last_clicked)
        queue.queue_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _view: Any = None) -> None:
        view = self._queue.view
        is_running = view.running is not None and view.running.state is JobState.RUNNING
        has_others = bool(view.ready)
        for button in (self.stop_button, self.skip_button, self.last_button):
            button.setEnabled(is_running)
        self.skip_button.setVisible(has_others)
        self.last_button.setVisible(has_others)
        self.last_button.setChecked(view.ends_after_this)

    def _on_last_clicked(self, is_on: bool) -> None:
        self._queue.set_paused(is_on)
        self._refresh()
