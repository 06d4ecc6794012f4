"""How many frames a clip gets."""

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.form_state import Mode
from app.models.generate_form import GenerateForm
from app.ui.theme.tokens import SPACING
from app.ui.widgets.form_number import whole
from app.ui.widgets.labels import Field, label


class FramesField(QWidget):
    """Shown for models of clips; begins with as many frames as the model was trained with."""

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.box = whole(1, 4096)
        self._field = Field(self.tr("Frames"), self.box, self)
        self._seconds = label("", "caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addWidget(self._field)
        layout.addWidget(self._seconds)
        self.box.valueChanged.connect(self._on_value_changed)
        form.form_changed.connect(self._refresh)
        form.errors_changed.connect(self._on_errors_changed)
        form.model_changed.connect(self._refresh)
        self._refresh()

    @property
    def usual(self) -> int:
        """Frames where nothing else is asked for: as trained, less those that are given."""
        offers = self._form.offers
        is_on = self._form.state.mode is Mode.CONTINUE
        return max(1, offers.num_frames - (offers.context_frames if is_on else 0))

    def _refresh(self, _payload: Any = None) -> None:
        offers = self._form.offers
        self.setVisible(offers.makes_clips)
        wished = self._form.state.num_frames
        self.box.blockSignals(True)
        self.box.setValue(self.usual if wished is None else wished)
        self.box.blockSignals(False)
        if offers.fps:
            seconds = f"{self.box.value() / offers.fps:.1f}"
            self._seconds.setText(self.tr("{seconds} s at {fps} fps").format(seconds=seconds, fps=f"{offers.fps:g}"))
            help_text = self.tr("This model was trained with {count} frames; longer clips are made window by window.")
            self._field.set_help(help_text.format(count=offers.num_frames))

    def _on_errors_changed(self, errors: Any) -> None:
        self._field.set_error(errors.get("num_frames", ""))

    def _on_value_changed(self, value: int) -> None:
        self._form.update(num_frames=None if value == self.usual else value)
