"""What is being done with models: how far, how fast, and the ways to stop it."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.models.desk.desk import ModelDesk
from app.models.desk.facts import DeskTask
from app.models.desk.words import task_line, task_title
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.elided_label import ElidedLabel

_BAR_STEPS = 1000


class TaskRows(QWidget):
    """Hidden while nothing is done."""

    pause_requested = Signal(object)  # DeskTask
    drop_requested = Signal(object)  # DeskTask

    def __init__(self, desk: ModelDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, TaskRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACING.s)
        desk.tasks_changed.connect(self._on_tasks_changed)
        self._on_tasks_changed(desk.tasks)

    @property
    def rows(self) -> list["TaskRow"]:
        """Those on show."""
        return list(self._rows.values())

    def _on_tasks_changed(self, tasks: Any) -> None:
        wanted = {task.task_id: task for task in tasks}
        for task_id in list(self._rows):
            if task_id not in wanted:
                row = self._rows.pop(task_id)
                row.hide()
                row.deleteLater()
        for task_id, task in wanted.items():
            if task_id not in self._rows:
                self._rows[task_id] = TaskRow(self)
                self._layout.addWidget(self._rows[task_id])
                self._rows[task_id].pause_requested.connect(self.pause_requested)
                self._rows[task_id].drop_requested.connect(self.drop_requested)
            self._rows[task_id].show_task(task)
        self.setVisible(bool(wanted))


class TaskRow(QFrame):
    """One task."""

    pause_requested = Signal(object)  # DeskTask
    drop_requested = Signal(object)  # DeskTask

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._task: DeskTask | None = None
        self.setProperty("role", "card")
        self._title = ElidedLabel("", parent=self)
        self._line = ElidedLabel("", "muted", self)
        self._line.setFont(font(has_even_digits=True))
        self._bar = QProgressBar(self)
        self._bar.setRange(0, _BAR_STEPS)
        self._bar.setTextVisible(False)
        self.pause_button = IconButton("pause", self.tr("Stop for now; what came is kept"), "small", self)
        self.drop_button = IconButton("close", self.tr("Stop"), "small", self)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self._title, 2)
        row.addWidget(self._line, 3)
        row.addWidget(self.pause_button)
        row.addWidget(self.drop_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.s, SPACING.s, SPACING.s)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(row)
        layout.addWidget(self._bar)
        self.pause_button.clicked.connect(self._on_pause_clicked)
        self.drop_button.clicked.connect(self._on_drop_clicked)

    @property
    def words(self) -> str:
        """What it says."""
        return f"{self._title.text()} {self._line.text()}"

    def show_task(self, task: DeskTask) -> None:
        """Tell how far it is."""
        self._task = task
        self._title.set_text(task_title(task))
        self._line.set_text(task_line(task))
        self._bar.setValue(round(task.fraction * _BAR_STEPS))
        self._bar.setAccessibleName(task_title(task))
        is_download = task.deed == "download"
        self.pause_button.setVisible(is_download)
        for button in (self.pause_button, self.drop_button):
            button.setEnabled(not task.is_stopping)
        self.drop_button.set_name(self.tr("Stop, and remove what came") if is_download else self.tr("Stop"))

    def _on_pause_clicked(self) -> None:
        self.pause_requested.emit(self._task)

    def _on_drop_clicked(self) -> None:
        is_download = self._task is not None and self._task.deed == "download"
        (self.drop_requested if is_download else self.pause_requested).emit(self._task)
