"""Generate and Stop, always in reach below the form."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.form_state import Mode
from app.models.generate_form import GenerateForm
from app.models.job_queue import JobQueue, JobState, QueueView
from app.models.requested import num_results
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label


class GenerateBar(QFrame):
    """The primary button says what it will do; Stop answers at once, before the engine does."""

    generate_requested = Signal()

    def __init__(self, form: GenerateForm, queue: JobQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._queue = queue
        self.setProperty("role", "footer")
        self.generate_button = TextButton("", "primary", parent=self)
        self.stop_button = TextButton(self.tr("Stop"), "", "stop", self)
        self.stop_button.setToolTip(self.tr("Stop now (Esc); finished pictures stay, other jobs wait"))
        self._hint = label("", "caption", is_wrapped=True)
        self._build()
        self.generate_button.clicked.connect(self.generate_requested)
        self.stop_button.clicked.connect(queue.stop)
        form.form_changed.connect(self._on_form_changed)
        form.errors_changed.connect(self._on_form_changed)
        form.model_changed.connect(self._on_form_changed)
        form.prompts_changed.connect(self._on_form_changed)
        queue.queue_changed.connect(self._on_queue_changed)
        self._on_form_changed()
        self._on_queue_changed(queue.view)

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.generate_button, 1)
        row.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addLayout(row)
        layout.addWidget(self._hint)
        keys = QKeySequence("Ctrl+Return").toString(QKeySequence.SequenceFormat.NativeText)
        self.generate_button.setToolTip(self.tr("Make the pictures ({keys})").format(keys=keys))
        inner = QHBoxLayout(self.generate_button)
        inner.setContentsMargins(0, 0, SPACING.m, 0)
        inner.addStretch(1)
        self._keys = label(self.tr("Ctrl ↵"), "shortcut")
        self._keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inner.addWidget(self._keys)

    def _on_form_changed(self, _payload: Any = None) -> None:
        self._fit_words()
        self.generate_button.setEnabled(self._form.model is not None)
        names = [name for name in self._form.errors if name != "model"]
        self._hint.setText(self.tr("Something above needs a look first.") if names else "")
        self._hint.setVisible(bool(names))

    def _fit_words(self) -> None:
        """What exactly will be made, where there is room for saying so."""
        exactly, button = self._words(), self.generate_button
        room = self.width() - 2 * SPACING.l - SPACING.s - self.stop_button.sizeHint().width()
        button.setAccessibleName(exactly)
        button.setText(exactly)
        if button.sizeHint().width() > room:
            is_going_on = self._form.state.mode is Mode.CONTINUE
            button.setText(self.tr("Continue") if is_going_on else self.tr("Generate"))
        self._fit_keys()

    def _fit_keys(self) -> None:
        """The keys stand beside the words only where both have room."""
        words = self.generate_button.fontMetrics().horizontalAdvance(self.generate_button.text())
        room = self.generate_button.width() - words
        self._keys.setVisible(room > 2 * (self._keys.sizeHint().width() + SPACING.m + SPACING.xs))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, other room."""
        super().resizeEvent(event)
        self._fit_words()

    def _words(self) -> str:
        """What the button will do."""
        state, offers = self._form.state, self._form.offers
        mode = state.mode if state.mode in offers.modes else Mode.PICTURES
        if mode is Mode.GRID:
            request = self._form.request
            return (
                self.tr("Generate grid of {count}").format(count=num_results(request))
                if request
                else self.tr("Generate")
            )
        if mode is Mode.BETWEEN:
            return self.tr("Generate {count} steps").format(count=state.num_steps)
        count = state.num_images * (len(self._form.prompts.prompts) if self._form.prompts else 1)
        if mode is Mode.CONTINUE:
            return self.tr("Continue clip") if count == 1 else self.tr("Make {count} continuations").format(count=count)
        if count == 1:
            return self.tr("Generate")
        words = self.tr("Generate {count} clips") if offers.makes_clips else self.tr("Generate {count} pictures")
        return words.format(count=count)

    def _on_queue_changed(self, view: QueueView) -> None:
        is_stopping = view.running is not None and view.running.state is JobState.STOPPING
        self.stop_button.setText(self.tr("Stopping…") if is_stopping else self.tr("Stop"))
        self._fit_words()
        is_held = view.is_paused and view.running is None
        self.stop_button.setEnabled(not view.is_idle and not is_stopping and not is_held)
