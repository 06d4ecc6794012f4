"""A share between 0 and 1 of the form, as a slider with its number beside it."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.form_number import decimal
from app.ui.widgets.labels import Field

_STEPS = 100


class QuietSlider(QSlider):
    """A slider that leaves the wheel to whatever scrolls around it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not for us."""
        event.ignore()


class FormShare(Field):
    """Bound to one share of the form, in both directions."""

    def __init__(
        self, form: GenerateForm, name: str, title: str, *, lowest: float = 0.0, parent: QWidget | None = None
    ) -> None:
        row = QWidget()
        super().__init__(title, row, parent)
        self._form = form
        self._name = name
        self.slider = QuietSlider(Qt.Orientation.Horizontal, row)
        self.slider.setRange(round(lowest * _STEPS), _STEPS)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(title)
        self.box = decimal(lowest, 1.0, 0.05)
        self.box.setAccessibleName(title)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self.slider.valueChanged.connect(self._on_slider_changed)
        self.box.valueChanged.connect(self._on_box_changed)
        form.form_changed.connect(self._on_form_changed)
        form.errors_changed.connect(self._on_errors_changed)
        self._on_form_changed(form.state)

    def set_help(self, text: str) -> None:
        """A tool tip for title and controls."""
        super().set_help(text)
        self.slider.setToolTip(text)
        self.box.setToolTip(text)

    def _on_form_changed(self, state: Any) -> None:
        share = getattr(state, self._name)
        for control, value in ((self.slider, round(share * _STEPS)), (self.box, share)):
            if control.value() != value:
                control.blockSignals(True)
                control.setValue(value)
                control.blockSignals(False)

    def _on_errors_changed(self, errors: Any) -> None:
        self.set_error(errors.get(self._name, ""))

    def _on_slider_changed(self, value: int) -> None:
        self._form.update(**{self._name: value / _STEPS})

    def _on_box_changed(self, value: float) -> None:
        self._form.update(**{self._name: round(value, 4)})
