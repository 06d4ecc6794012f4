"""Below every step: what stands in the way, and the way back and on."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.new_run.new_run import NewRun
from app.models.new_run.state import Blocker
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label

START = 2


class Footer(QFrame):
    """The last step's button starts the run; it waits for the estimate unless the person does not want to."""

    back_requested = Signal()
    next_requested = Signal()
    start_requested = Signal()

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._step = 0
        self._waits = True
        self._blocker: Blocker | None = None
        self.setProperty("role", "footer")
        self._words = label("", "caption", is_wrapped=True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.mend_button = TextButton("", parent=self)
        self.skip_button = TextButton(self.tr("Start without waiting"), "link", parent=self)
        self.back_button = TextButton(self.tr("Back"), parent=self)
        self.next_button = TextButton(self.tr("Next"), "primary", parent=self)
        self._build()
        self.mend_button.clicked.connect(self._on_mend_clicked)
        self.skip_button.clicked.connect(self._on_skip_clicked)
        self.back_button.clicked.connect(self.back_requested)
        self.next_button.clicked.connect(self._on_next_clicked)
        model.state_changed.connect(self._refresh)
        self._refresh()

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.mend_button)
        row.addWidget(self.skip_button)
        row.addStretch(1)
        row.addWidget(self.back_button)
        row.addWidget(self.next_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.s, SPACING.xl, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self._words)
        layout.addLayout(row)
        self.next_button.setMinimumWidth(110)

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def set_step(self, step: int) -> None:
        """Which step is on show."""
        self._step, self._waits = step, True
        self._refresh()

    def _refresh(self, _state: Any = None) -> None:
        is_start = self._step == START
        found = self._model.blockers() if is_start else self._step_blockers()
        state = self._model.state
        is_waiting = is_start and not found and state.is_estimating and self._waits and state.estimate is None
        self._blocker = found[0] if found else None
        self._words.setText(self._said(found, is_waiting=is_waiting))
        self._words.setVisible(bool(self._words.text()))
        role = "warning" if found and (is_start or not self._is_idle()) else "caption"
        if self._words.property("role") != role:
            self._words.setProperty("role", role)
            self._words.style().polish(self._words)
        self.mend_button.setText(self._blocker.label if self._blocker is not None else "")
        self.mend_button.setVisible(bool(self._blocker is not None and self._blocker.deed))
        self.skip_button.setVisible(is_waiting)
        self.back_button.setVisible(self._step > 0)
        self.next_button.setText(self._next_text())
        self.next_button.setEnabled(not found and not is_waiting and not state.is_launching)

    def _is_idle(self) -> bool:
        """Whether nothing was chosen yet: then the sentence is a hint, no warning."""
        return not self._model.state.data or self._model.state.doing is not None

    def _step_blockers(self) -> list[Blocker]:
        found = self._model.data_blockers()
        if not found and self._model.form is None:
            found = [Blocker(self._model.state.settings_problem)]
        return found

    def _said(self, found: list[Blocker], *, is_waiting: bool) -> str:
        state = self._model.state
        if state.launch_trouble and self._step == START:
            return self.tr("The run was not started: {reason}").format(reason=state.launch_trouble)
        if found:
            more = self.tr(" ({count} more after that)").format(count=len(found) - 1) if len(found) > 1 else ""
            return found[0].sentence + more
        if is_waiting:
            return self.tr("A few steps are being taken to see what the run costs.")
        if self._step == START:
            return self.tr("The run goes on when you close the window; you find it in the list when you come back.")
        return ""

    def _next_text(self) -> str:
        if self._step != START:
            return self.tr("Next")
        return self.tr("Starting…") if self._model.state.is_launching else self.tr("Start")

    def _on_mend_clicked(self) -> None:
        if self._blocker is not None:
            self._model.do(self._blocker)

    def _on_skip_clicked(self) -> None:
        self._waits = False
        self._refresh()
        if self.next_button.isEnabled():
            self.start_requested.emit()

    def _on_next_clicked(self) -> None:
        (self.start_requested if self._step == START else self.next_requested).emit()
