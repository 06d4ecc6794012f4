"""The prompt at the end of a way: the same help with words as the first one's."""

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import Field
from app.ui.widgets.prompt_editor import PromptEditor
from app.ui.widgets.unknown_words_line import UnknownWordsLine

HEIGHT_PX = 58
"""Two lines."""


class SecondPrompt(QWidget):
    """Words that the model does not know are marked and named here too."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.editor = PromptEditor(self)
        self.editor.setFixedHeight(HEIGHT_PX)
        self.field = Field(self.tr("Prompt at the end"), self.editor, self)
        self._unknown = UnknownWordsLine(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addWidget(self.field)
        layout.addWidget(self._unknown)
        self.editor.prompt_edited.connect(self._on_edited)
        self.editor.cursor_moved.connect(self._show_unknown)
        self.editor.focus_left.connect(self._show_unknown)
        self._unknown.replacement_requested.connect(self._on_replacement_requested)
        form.form_changed.connect(self._refresh)
        form.model_changed.connect(self._on_model_changed)
        form.errors_changed.connect(self._on_errors_changed)
        self._on_model_changed()

    def _on_model_changed(self, _model: Any = None) -> None:
        text = self._form.text_config
        self.editor.set_vocabulary(text.vocabulary if text else ())
        self._refresh()

    def _refresh(self, _state: Any = None) -> None:
        prompt = self._form.state.second_prompt
        if self.editor.prompt != prompt:
            self.editor.set_prompt(prompt)
        self._show_unknown()

    def _show_unknown(self) -> None:
        if self.editor.prompt == self._form.state.second_prompt:
            unknown = self._form.unknown_in(self.editor.prompt)
            unknown = [word for word in unknown if not self.editor.is_being_typed(word)]
            self.editor.set_unknown_words(unknown)
            self._unknown.set_words(unknown)

    def _on_errors_changed(self, errors: Any) -> None:
        self.field.set_error(errors.get("second_prompt", ""))

    def _on_edited(self, text: str) -> None:
        self._form.update(second_prompt=text)

    def _on_replacement_requested(self, choice: Any) -> None:
        self.editor.replace_word(*choice)
