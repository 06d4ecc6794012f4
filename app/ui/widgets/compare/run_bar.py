"""The buttons that start and stop a comparison; they never scroll away."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label


class RunBar(QFrame):
    """What the main button does depends on whether something of this page runs."""

    run_requested = Signal()
    all_requested = Signal()
    stop_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setProperty("role", "footer")
        self.run_button = TextButton(self.tr("Compare"), "primary", parent=self)
        self.run_button.setToolTip(self.tr("Make what is missing (Ctrl+Enter)"))
        self.all_button = TextButton(self.tr("All pictures"), parent=self)
        self.all_button.setToolTip(self.tr("The same for every picture of the list"))
        self.stop_button = TextButton(self.tr("Stop"), "", "stop", self)
        self.stop_button.setToolTip(self.tr("Stop (Esc); what is finished stays"))
        self._note = label("", "caption", is_wrapped=True)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.run_button, 1)
        row.addWidget(self.all_button)
        row.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self._note)
        layout.addLayout(row)
        self.run_button.clicked.connect(self.run_requested)
        self.all_button.clicked.connect(self.all_requested)
        self.stop_button.clicked.connect(self.stop_requested)
        session.queue.queue_changed.connect(self._refresh)
        session.compare.shown_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        compare = self._session.compare
        view = self._session.queue.view
        is_busy = any(job.page == "compare" for job in (*view.waiting, *([view.running] if view.running else [])))
        problem = self.problem()
        self.stop_button.setVisible(is_busy)
        self.run_button.setEnabled(not problem)
        self.all_button.setVisible(len(compare.inputs.items) > 1 and not is_busy)
        self.all_button.setEnabled(bool(compare.form.chosen))
        self._note.setText(problem)
        self._note.setVisible(bool(problem))

    def problem(self) -> str:
        """Why nothing can be started; empty if it can."""
        compare = self._session.compare
        current = compare.inputs.current
        if current is None:
            return self.tr("Add a picture first.")
        if current.problem:
            return self.tr("This file cannot be read; choose another.")
        if not compare.form.chosen and not compare.pairs.paths:
            return self.tr("Choose a model first.")
        return ""
