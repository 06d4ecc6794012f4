"""How far pictures stray from a seed's own, and towards which other seed."""

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.generate.form_share import FormShare
from app.ui.widgets.generate.form_text import FormText


class VariationField(QWidget):
    """The second seed comes into sight once it matters."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strength = FormShare(form, "variation_strength", self.tr("Variation"), parent=self)
        self.strength.set_help(
            self.tr("0 is the seed's own picture; small numbers make pictures like it. Several pictures are variations")
            + self.tr(" of the same seed.")
        )
        self.seed = FormText(form, "variation_seed", self.tr("Towards seed"), self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self.strength)
        layout.addWidget(self.seed)
        form.form_changed.connect(self._on_form_changed)
        self._on_form_changed(form.state)

    def _on_form_changed(self, state: Any) -> None:
        self.seed.setVisible(state.variation_strength > 0)
