"""A line of text of the form: one attribute, one control."""

from typing import Any

from PySide6.QtWidgets import QLineEdit, QWidget

from app.models.generate_form import GenerateForm
from app.ui.widgets.labels import Field


class FormText(Field):
    """Bound to one text field of the form, in both directions."""

    def __init__(self, form: GenerateForm, name: str, title: str, parent: QWidget | None = None) -> None:
        self.edit = QLineEdit()
        super().__init__(title, self.edit, parent)
        self._form = form
        self._name = name
        self.edit.textEdited.connect(self._on_text_edited)
        form.form_changed.connect(self._on_form_changed)
        form.errors_changed.connect(self._on_errors_changed)
        self._on_form_changed(form.state)
        self._on_errors_changed(form.errors)

    def _on_form_changed(self, state: Any) -> None:
        text = getattr(state, self._name)
        if self.edit.text() != text:
            self.edit.setText(text)

    def _on_errors_changed(self, errors: Any) -> None:
        self.set_error(errors.get(self._name, ""))

    def _on_text_edited(self, text: str) -> None:
        self._form.update(**{self._name: text})
