"""Generate and Stop, always in reach below the form."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.models.job_queue import JobQueue, JobState, QueueView
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
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
        self.stop_button.setToolTip(self.tr("Stop now (Esc); pictures already finished stay"))
        self.more_button = IconButton("chevron-up", self.tr("Other ways to stop"), "icon", self)
        self._menu = self._make_menu()
        self._hint = label("", "caption", is_wrapped=True)
        self._build()
        self.generate_button.clicked.connect(self.generate_requested)
        self.stop_button.clicked.connect(queue.stop)
        self.more_button.clicked.connect(self._on_more_clicked)
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
        row.addWidget(self.more_button)
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

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        self._skip = menu.addAction(self.tr("Skip this one and go on"))
        self._hold = menu.addAction(self.tr("Finish this one, then hold"))
        self._clear = menu.addAction(self.tr("Drop all that wait"))
        self._skip.triggered.connect(self._queue.skip)
        self._hold.triggered.connect(self._on_hold_chosen)
        self._clear.triggered.connect(self._queue.clear_waiting)
        return menu

    def _on_more_clicked(self) -> None:
        corner = self.more_button.mapToGlobal(self.more_button.rect().topRight())
        size = self._menu.sizeHint()
        corner.setX(corner.x() - size.width())
        corner.setY(corner.y() - size.height() - 4)
        self._menu.popup(corner)

    def _on_hold_chosen(self) -> None:
        self._queue.set_paused(True)

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
        self.stop_button.setEnabled(not view.is_idle and not is_stopping)
        has_more = bool(view.waiting) and view.running is not None
        self.more_button.setVisible(has_more)
        self._keys.setVisible(not has_more)
        self._skip.setEnabled(view.running is not None and not is_stopping)
        self._hold.setEnabled(view.running is not None and not view.is_paused)
        self._clear.setEnabled(bool(view.waiting))
