"""A number of the form: one attribute, one control."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.models.generate_form import GenerateForm
from app.ui.widgets.labels import Field
from app.ui.widgets.quiet_inputs import QuietDoubleSpinBox, QuietSpinBox


class FormNumber(Field):
    """Bound to one numeric field of the form, in both directions."""

    def __init__(
        self,
        form: GenerateForm,
        name: str,
        title: str,
        box: QuietSpinBox | QuietDoubleSpinBox,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, box, parent)
        self._form = form
        self._name = name
        self.box = box
        box.valueChanged.connect(self._on_value_changed)
        form.form_changed.connect(self._on_form_changed)
        form.errors_changed.connect(self._on_errors_changed)
        self._on_form_changed(form.state)
        self._on_errors_changed(form.errors)

    def _on_form_changed(self, state: Any) -> None:
        value = getattr(state, self._name)
        if value is not None and self.box.value() != value:
            self.box.setValue(value)

    def _on_errors_changed(self, errors: Any) -> None:
        self.set_error(errors.get(self._name, ""))

    def _on_value_changed(self, value: float) -> None:
        if getattr(self._form.state, self._name) != value:
            self._form.update(**{self._name: value})


def whole(minimum: int, maximum: int, step: int = 1) -> QuietSpinBox:
    """A box for whole numbers of this range."""
    box = QuietSpinBox()
    box.setRange(minimum, maximum)
    box.setSingleStep(step)
    return box


def decimal(minimum: float, maximum: float, step: float) -> QuietDoubleSpinBox:
    """A box for decimal numbers of this range."""
    box = QuietDoubleSpinBox()
    box.setDecimals(2)
    box.setRange(minimum, maximum)
    box.setSingleStep(step)
    return box
