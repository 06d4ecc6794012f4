"""What to train: a new model, an existing one further, or the base model on top of a Stage 1."""

from typing import Any

from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from app.models.new_run.base_settings import Goal
from app.models.new_run.new_run import NewRun
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label


class GoalField(QWidget):
    """Three choices, the one for beginners first and chosen."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._words = label("", "muted", is_wrapped=True)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        titles = {
            Goal.FRESH: self.tr("New model (Stage 1)"),
            Goal.STAGE2: self.tr("Make it generate (Stage 2)"),
            Goal.TUNE: self.tr("Go on from a model"),
        }
        self.chips = {goal: Chip(text, goal.value) for goal, text in titles.items()}
        chips = QWidget(self)
        row = FlowLayout(SPACING.s, chips)
        for chip in self.chips.values():
            chip.setCheckable(True)
            self._group.addButton(chip)
            row.addWidget(chip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(label(self.tr("What to train"), "strong"))
        layout.addWidget(chips)
        layout.addWidget(self._words)
        self._group.buttonClicked.connect(self._on_clicked)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _on_clicked(self, chip: Any) -> None:
        self._model.choose_goal(Goal(chip.value))

    def _on_state_changed(self, state: Any) -> None:
        self.chips[state.goal].setChecked(True)
        words = {
            Goal.FRESH: self.tr(
                "Learns to press pictures or clips into a latent and to bring them back. Everything begins with it."
            ),
            Goal.STAGE2: self.tr(
                "Learns to make new latents, so that a finished Stage 1 can make new pictures. Do this second."
            ),
            Goal.TUNE: self.tr("Takes the Stage 1 of a model that is there and lets it learn from other data."),
        }
        self._words.setText(words[state.goal])
