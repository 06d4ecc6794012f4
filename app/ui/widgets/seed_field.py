"""The seed, how it moves on, and a die to draw a new one."""

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.models.form_state import SeedMode
from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import Field
from app.ui.widgets.quiet_inputs import QuietComboBox

_MODES = (SeedMode.RANDOM, SeedMode.INCREMENT, SeedMode.FIXED)


class SeedField(QWidget):
    """A seed has up to 19 digits, hence no spin box."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._edit = QLineEdit(self)
        self._edit.setMaxLength(20)
        self._mode = QuietComboBox(self)
        self._mode.addItems([self.tr("Random"), self.tr("Increment"), self.tr("Fixed")])
        self._mode.setAccessibleName(self.tr("What happens to the seed"))
        self._mode.setToolTip(
            self.tr(
                "Random: a new seed each time. Increment: go on after the last picture. "
                "Fixed: the same seed makes the same pictures again."
            )
        )
        self._die = IconButton("dice", self.tr("Draw a new seed"), parent=self)
        self._field = Field(self.tr("Seed"), self._edit, self)
        self._field.set_help(self.tr("The same seed and settings make the same picture, in any number of pictures."))
        self._build()
        self._edit.textEdited.connect(self._on_text_edited)
        self._mode.activated.connect(self._on_mode_activated)
        self._die.clicked.connect(self._on_die_clicked)
        form.form_changed.connect(self._on_form_changed)
        form.errors_changed.connect(self._on_errors_changed)
        self._on_form_changed(form.state)
        self._on_errors_changed(form.errors)

    def _build(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        mode_field = Field(self.tr("Next time"), self._mode, self)
        layout.addWidget(self._field, 3)
        layout.addWidget(mode_field, 2)
        self._die.setParent(self._edit)
        inner = QHBoxLayout(self._edit)
        inner.setContentsMargins(0, 0, 4, 0)
        inner.addStretch(1)
        inner.addWidget(self._die)
        self._die.setProperty("variant", "small")
        self._edit.setTextMargins(0, 0, 24, 0)
        QWidget.setTabOrder(self._edit, self._die)
        QWidget.setTabOrder(self._die, self._mode)

    def _on_form_changed(self, state: Any) -> None:
        if self._edit.text() != state.seed:
            self._edit.setText(state.seed)
        self._mode.setCurrentIndex(_MODES.index(state.seed_mode))

    def _on_errors_changed(self, errors: Any) -> None:
        self._field.set_error(errors.get("seed", ""))

    def _on_text_edited(self, text: str) -> None:
        """Whoever types a seed wants that seed."""
        mode = self._form.state.seed_mode
        self._form.update(seed=text, seed_mode=SeedMode.FIXED if mode is SeedMode.RANDOM else mode)

    def _on_die_clicked(self) -> None:
        self._form.roll_seed()

    def _on_mode_activated(self, row: int) -> None:
        self._form.update(seed_mode=_MODES[row])
