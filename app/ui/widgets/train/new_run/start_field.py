"""The run or model to build on, chosen from what is known or from any folder."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.models.new_run.base_settings import Goal
from app.models.new_run.new_run import NewRun
from app.models.new_run.starts import StartPoint, is_stage1_run, read_start
from app.models.new_run.state import NewRunState
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox


class StartField(QWidget):
    """Hidden for a new model."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown: tuple[StartPoint, ...] = ()
        self.combo = QuietComboBox(self)
        self.combo.setPlaceholderText(self.tr("Choose…"))
        self.combo.setMinimumWidth(320)
        self.folder_button = TextButton(self.tr("Choose a folder…"), "", "folder", self)
        self._facts = label("", "caption", is_wrapped=True)
        self._field = Field(self.tr("Start from"), self.combo, self)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self._field, 1)
        row.addWidget(self.folder_button, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(row)
        layout.addWidget(self._facts)
        self.combo.activated.connect(self._on_activated)
        self.folder_button.clicked.connect(self._on_folder_clicked)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _on_state_changed(self, state: Any) -> None:
        self.setVisible(state.goal is not Goal.FRESH)
        offered = offered_starts(state)
        if offered != self._shown:
            self._shown = offered
            self.combo.clear()
            self.combo.addItems([self._title(start) for start in offered])
        row = offered.index(state.start) if state.start in offered else -1
        self.combo.setCurrentIndex(row)
        self.combo.setEnabled(bool(offered))
        self._facts.setText(self._fact_line(state))

    def _title(self, start: StartPoint) -> str:
        kind = self.tr("run") if start.run is not None else self.tr("model")
        return self.tr("{name} · {kind} · {side} px").format(name=start.name, kind=kind, side=start.model.image_px)

    def _fact_line(self, state: NewRunState) -> str:
        if not self._shown:
            return self.tr(
                "There is no finished Stage 1 yet. Train a new model first, or choose the folder of a run or a model."
            )
        return state.start.path if state.start is not None else ""

    def _on_activated(self, row: int) -> None:
        self._field.set_error("")
        self._model.choose_start(self._shown[row])

    def _on_folder_clicked(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder of a run or a model"), str(Path.home()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.take_folder)
        dialog.open()

    def take_folder(self, path: str) -> None:
        """Offer a folder, and choose it; says what is wrong with one that offers nothing."""
        start = read_start(Path(path))
        goal = self._model.state.goal
        if start is None or not _suits(start, goal):
            self._field.set_error(
                self.tr(
                    "{name} holds no Stage 1 model: a run must have exported one, and a model must have an encoder."
                ).format(name=Path(path).name)
            )
            return
        self._field.set_error("")
        others = tuple(each for each in self._model.state.starts if each.path != start.path)
        self._model.note_starts((start, *others))
        self._model.choose_start(start)


def offered_starts(state: NewRunState) -> tuple[StartPoint, ...]:
    """What suits the goal; for Stage 2 the runs of a Stage 1 first."""
    suiting = [start for start in state.starts if _suits(start, state.goal)]
    return tuple(sorted(suiting, key=lambda start: not is_stage1_run(start)))


def _suits(start: StartPoint, goal: Goal) -> bool:
    if goal is Goal.STAGE2:
        return start.can_carry_stage2 and (start.run is None or is_stage1_run(start))
    return start.can_be_tuned
