"""The two ends of a way and its number of steps."""

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models.form_state import Between, Mode
from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.form_number import FormNumber, whole
from app.ui.widgets.generate.form_text import FormText
from app.ui.widgets.generate.second_prompt import SecondPrompt
from app.ui.widgets.labels import Field
from app.ui.widgets.quiet_inputs import QuietComboBox

_CHOICES = (Between.SEEDS, Between.PROMPTS)


class BetweenField(QWidget):
    """Shown in the mode of that name. The form's seed and prompt are the beginning; the end is set here."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._kind = QuietComboBox(self)
        self._kind.addItems([self.tr("Two seeds"), self.tr("Two prompts")])
        self._kind_field = Field(self.tr("From one to the other"), self._kind, self)
        self.num_steps = FormNumber(form, "num_steps", self.tr("Steps"), whole(2, 512), self)
        self.num_steps.set_help(self.tr("Pictures on the way, both ends included"))
        self.second_seed = FormText(form, "second_seed", self.tr("Seed at the end"), self)
        self.second_prompt = SecondPrompt(form, self)
        self._die = IconButton("dice", self.tr("Draw another seed for the end"), parent=self)
        self._build()
        self._kind.activated.connect(self._on_kind_activated)
        self._die.clicked.connect(self._on_die_clicked)
        form.form_changed.connect(self._refresh)
        form.model_changed.connect(self._refresh)
        self._refresh()

    def _build(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(SPACING.s)
        first.addWidget(self._kind_field, 5)
        first.addWidget(self.num_steps, 2)
        self._seed_row = QWidget(self)
        row = QHBoxLayout(self._seed_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.xs)
        row.addWidget(self.second_seed, 1)
        column = QVBoxLayout()
        column.addSpacing(SPACING.l)
        column.addWidget(self._die)
        column.addStretch(1)
        row.addLayout(column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addLayout(first)
        layout.addWidget(self._seed_row)
        layout.addWidget(self.second_prompt)

    def _refresh(self, _payload: Any = None) -> None:
        state, offers = self._form.state, self._form.offers
        self.setVisible(state.mode is Mode.BETWEEN and Mode.BETWEEN in offers.modes)
        is_text = offers.condition == "text"
        is_prompts = state.between is Between.PROMPTS and is_text
        self._kind_field.setVisible(is_text)
        self._kind.setCurrentIndex(_CHOICES.index(Between.PROMPTS if is_prompts else Between.SEEDS))
        self._seed_row.setVisible(not is_prompts)
        self.second_prompt.setVisible(is_prompts)

    def _on_kind_activated(self, row: int) -> None:
        self._form.update(between=_CHOICES[row])

    def _on_die_clicked(self) -> None:
        self._form.roll_seed("second_seed")
