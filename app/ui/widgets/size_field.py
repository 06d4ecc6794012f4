"""Width and height of the pictures; usually the size that the model was trained at."""

from typing import Any

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.form_number import FormNumber, whole


class SizeField(QWidget):
    """A tick for "as trained"; without it, two numbers in steps the model can take."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._is_own = QCheckBox(self.tr("Other size than trained"), self)
        self._width = FormNumber(form, "width_px", self.tr("Width"), whole(16, 4096, 8), self)
        self._height = FormNumber(form, "height_px", self.tr("Height"), whole(16, 4096, 8), self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self._is_own)
        self._numbers = QWidget(self)
        row = QHBoxLayout(self._numbers)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.s)
        row.addWidget(self._width, 1)
        row.addWidget(self._height, 1)
        layout.addWidget(self._numbers)
        self._is_own.toggled.connect(self._on_toggled)
        form.form_changed.connect(self._on_form_changed)
        form.model_changed.connect(self._on_model_changed)
        self._on_model_changed(form.model)
        self._on_form_changed(form.state)

    def _on_model_changed(self, model: Any) -> None:
        config = model.manifest.model if model and model.manifest else None
        for number in (self._width, self._height):
            number.box.setSingleStep(config.downsampling if config else 8)
            if config:
                number.set_help(
                    self.tr("This model was trained at {side} px; other sizes work less well.").format(
                        side=config.image_px
                    )
                )

    def _on_form_changed(self, state: Any) -> None:
        is_own = state.width_px is not None or state.height_px is not None
        self._is_own.setChecked(is_own)
        self._numbers.setVisible(is_own)

    def _on_toggled(self, is_on: bool) -> None:
        state, model = self._form.state, self._form.model
        if is_on == (state.width_px is not None or state.height_px is not None):
            return
        side = model.manifest.model.image_px if model and model.manifest else 64
        self._form.update(width_px=side if is_on else None, height_px=side if is_on else None)
