"""Generate and Stop, always in reach below the form."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.models.job_queue import JobQueue, JobState, QueueView
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
        self._keys = label("Ctrl ↵", "shortcut")
        self._keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inner.addWidget(self._keys)

    def _on_form_changed(self, _payload: Any = None) -> None:
        count = self._form.state.num_images
        if count == 1:
            self.generate_button.setText(self.tr("Generate"))
        else:
            self.generate_button.setText(self.tr("Generate {count} pictures").format(count=count))
        self.generate_button.setEnabled(self._form.model is not None)
        names = [name for name in self._form.errors if name != "model"]
        self._hint.setText(self.tr("Something above needs a look first.") if names else "")
        self._hint.setVisible(bool(names))

    def _on_queue_changed(self, view: QueueView) -> None:
        is_stopping = view.running is not None and view.running.state is JobState.STOPPING
        self.stop_button.setText(self.tr("Stopping…") if is_stopping else self.tr("Stop"))
        is_held = view.is_paused and view.running is None
        self.stop_button.setEnabled(not view.is_idle and not is_stopping and not is_held)
