"""What the run will cost, from a few real steps; and how long it shall take."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QProgressBar, QVBoxLayout, QWidget

from app.models.new_run.facts import Fact, cost_facts
from app.models.new_run.lengths import LENGTHS_S, is_enough
from app.models.new_run.new_run import NewRun
from app.models.new_run.state import NewRunState
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label, set_flag
from app.ui.widgets.train.new_run.trouble_card import TroubleCard
from trainer.cost import RunEstimate

COLUMNS = 5


class CostCard(QFrame):
    """Old figures stay on show, dimmed, while new ones are being found out."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setProperty("role", "card")
        self._note = label("", "caption", is_wrapped=True)
        self._bar = QProgressBar(self)
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("A few steps are being taken"))
        self._facts = QWidget(self)
        self._shown: tuple[tuple[Fact, ...], bool] = ((), False)
        self.trouble = TroubleCard(self.tr("The cost could not be found out"), self)
        self._lengths = QWidget(self)
        titles = (self.tr("10 minutes"), self.tr("1 hour"), self.tr("A night (8 hours)"))
        self.length_chips = [Chip(title, str(length)) for title, length in zip(titles, LENGTHS_S, strict=True)]
        self._layout = QVBoxLayout(self)
        self._build()
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _build(self) -> None:
        row = FlowLayout(SPACING.s, self._lengths)
        row.addWidget(label(self.tr("Let it take"), "muted"))
        for chip in self.length_chips:
            chip.clicked.connect(self._on_length_clicked)
            row.addWidget(chip)
        self._layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        self._layout.setSpacing(SPACING.s)
        self._layout.addWidget(label(self.tr("What it will cost"), "emphasis"))
        for part in (self._bar, self.trouble, self._facts, self._lengths, self._note):
            self._layout.addWidget(part)

    def _on_state_changed(self, state: Any) -> None:
        self._bar.setVisible(state.is_estimating)
        self.trouble.show_trouble(state.estimate_trouble)
        self._show_facts(state)
        self._lengths.setVisible(state.estimate is not None)
        if state.estimate is not None:
            self._refresh_lengths(state.estimate)
        self._note.setText(self._note_words(state))
        self._note.setVisible(bool(self._note.text()))

    def _refresh_lengths(self, estimate: RunEstimate) -> None:
        for chip in self.length_chips:
            can = is_enough(estimate, float(chip.value))
            chip.setEnabled(can)
            chip.setToolTip(
                self.tr("Sets the number of steps, and how often it shows how far it is")
                if can
                else self.tr("What comes before the first steps takes longer")
            )

    def _note_words(self, state: NewRunState) -> str:
        if state.is_estimating and state.estimate is None:
            return self.tr("A few steps are being taken with these settings; that takes some seconds.")
        if state.is_estimate_old:
            return self.tr("These figures are of the settings before; new ones are on their way.")
        if state.estimate is not None:
            return self.tr("Validations, previews and saving come on top of the time.")
        return ""

    def _show_facts(self, state: NewRunState) -> None:
        config = self._model.config
        facts: tuple[Fact, ...] = ()
        if state.estimate is not None:
            facts = cost_facts(state.estimate, num_steps=config.num_steps if config is not None else 0)
        if (facts, state.is_estimate_old) == self._shown:
            return
        self._shown = (facts, state.is_estimate_old)
        old, self._facts = self._facts, QWidget(self)
        grid = QGridLayout(self._facts)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACING.m)
        for place, fact in enumerate(facts):
            grid.addWidget(_figure(fact, self._facts, is_old=state.is_estimate_old), 0, place)
            grid.setColumnStretch(place, 1)
        self._layout.replaceWidget(old, self._facts)
        old.hide()
        old.deleteLater()

    def _on_length_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self._model.choose_length(float(chip.value))


def _figure(fact: Fact, parent: QWidget, *, is_old: bool) -> QWidget:
    figure = QWidget(parent)
    column = QVBoxLayout(figure)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    value = label(fact.value, "strong", is_wrapped=True)
    value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if is_old:
        set_flag(value, "role", "muted")
    column.addWidget(label(fact.title, "caption", is_wrapped=True))
    column.addWidget(value)
    column.addWidget(label(fact.note, "caption", is_wrapped=True))
    column.addStretch(1)
    return figure
