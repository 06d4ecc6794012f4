"""Says that the prompts come from a file, and how to go back."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import label


class PromptListLine(QFrame):
    """Hidden while the form's own prompt counts."""

    forget_requested = Signal()

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.setProperty("role", "inset")
        self._words = label("", is_wrapped=True)
        self.forget = IconButton("close", self.tr("Use the prompt above again"), "small", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACING.s, SPACING.xs, SPACING.xs, SPACING.xs)
        row.addWidget(self._words, 1)
        row.addWidget(self.forget)
        self.forget.clicked.connect(self.forget_requested)
        form.prompts_changed.connect(self._refresh)
        form.model_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        prompts = self._form.prompts
        self.setVisible(prompts is not None)
        if prompts is None:
            return
        words = self.tr("{count} prompts from {name}, one after the other; the prompt above is not used")
        lines = [words.format(count=len(prompts.prompts), name=prompts.name)]
        if unknown := self._form.num_unknown_in_prompts():
            lines.append(self.tr("{count} words in them this model does not know").format(count=unknown))
        self._words.setText("\n".join(lines))
