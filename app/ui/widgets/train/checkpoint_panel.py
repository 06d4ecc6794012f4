"""The checkpoints of a run and its finished model: what they measure, and the ways from them into the library."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QInputDialog, QScrollArea, QVBoxLayout, QWidget

from app.models.runs.run_view import RunView
from app.models.runs.wishes import RunVerb, RunWish
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label
from app.ui.widgets.train.checkpoint_card import CheckpointCard


class CheckpointPanel(QScrollArea):
    """One card for the finished model, one for each checkpoint, newest first."""

    wished = Signal(object)  # RunWish
    publish_requested = Signal(object)  # str: a model folder

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: RunView | None = None
        self._shown: tuple[Any, ...] = ()
        self._rows: list[CheckpointCard] = []
        self._pending: tuple[RunVerb, int | None] = (RunVerb.PROMOTE, None)
        self._empty = label("", "muted", is_wrapped=True)
        body = QWidget()
        body.setProperty("role", "plain")
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(0, 0, SPACING.xs, 0)
        self._layout.setSpacing(SPACING.s)
        self._layout.addWidget(self._empty)
        self._layout.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(body)

    @property
    def rows(self) -> list[CheckpointCard]:
        """What is on show."""
        return self._rows

    def set_run(self, view: RunView | None) -> None:
        """Another run."""
        if self._view is not None and self._view is not view:
            self._view.checkpoints_changed.disconnect(self.refresh)
        if view is not None and view is not self._view:
            view.checkpoints_changed.connect(self.refresh)
        self._view = view
        self.refresh()

    def refresh(self) -> None:
        """The present moment."""
        if self._view is None:
            return
        rows = self._view.checkpoints()
        shown = (self._view.path, self._view.has_model, tuple(rows))
        if shown == self._shown:
            return
        self._shown = shown
        focused = next((row.row for row in self._rows if row.pin is not None and row.pin.hasFocus()), None)
        for old in self._rows:
            old.hide()
            old.deleteLater()
        self._rows = [CheckpointCard(None, self)] if self._view.has_model else []
        self._rows += [CheckpointCard(row, self) for row in rows]
        for place, row in enumerate(self._rows):
            row.chosen.connect(self._on_chosen)
            self._layout.insertWidget(1 + place, row)
            row.show()  # at once, for the focus
            if focused and row.row and row.pin and row.row.facts.step == focused.facts.step:
                row.pin.setFocus()
        self._empty.setVisible(not self._rows)
        self._empty.setText(
            self.tr(
                "Nothing is saved yet. States that the run can go on from appear here while it trains, and its model "
                "when it has reached its end. The button with the disk above saves one at once."
            )
        )

    # ---- what a person does ---------------------------------------------------------------------------------------

    def _on_chosen(self, choice: Any) -> None:
        if self._view is None:
            return
        verb, step = choice
        if verb in (RunVerb.PIN.value, RunVerb.UNPIN.value):
            self.wished.emit(RunWish(RunVerb(verb), self._view.path, step=step))
            return
        if verb == "publish":
            self.publish_requested.emit(f"{self._view.path}/model")
            return
        self._pending = (RunVerb(verb), step)
        if self._pending[0] is RunVerb.PROMOTE:
            self._ask_name(step)
        else:
            self._ask_place(step)

    def _suggested(self, step: int | None) -> str:
        assert self._view is not None
        name = self._view.name.replace("/", "-")
        return name if step is None else f"{name}-step-{step}"

    def _ask_name(self, step: int | None) -> None:
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Into the model library"))
        dialog.setLabelText(self.tr("Name of the model’s folder"))
        dialog.setTextValue(self._suggested(step))
        dialog.textValueSelected.connect(self._on_target_chosen)
        dialog.open()

    def _ask_place(self, step: int | None) -> None:
        dialog = QFileDialog(self, self.tr("Export the model into a new folder"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(self._suggested(step))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_target_chosen)
        dialog.open()

    def _on_target_chosen(self, target: str) -> None:
        verb, step = self._pending
        name = target.strip()
        if verb is RunVerb.PROMOTE:
            name = name.replace("/", "-").replace("\\", "-").lstrip(".")
        if self._view is not None and name:
            self.wished.emit(RunWish(verb, self._view.path, step=step, target=name))
