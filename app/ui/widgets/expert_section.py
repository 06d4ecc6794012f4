"""The folded section for those who want every number."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.models.samplers import SAMPLER_TITLES
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.form_number import FormNumber, decimal, whole
from app.ui.widgets.generate.variation_field import VariationField
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox
from app.ui.widgets.size_field import SizeField
from ul_engine.requests import FrozenModel, GenerateRequest, GuidanceSettings, SamplerName, SamplerSettings

EXPERT_FIELDS = frozenset(
    (
        "base_sampler",
        "base_steps",
        "decoder_sampler",
        "decoder_steps",
        "guidance_weight",
        "logsnr_low",
        "logsnr_high",
        "width_px",
        "height_px",
        "batch_size",
        "variation_strength",
        "variation_seed",
    )
)
_SAMPLERS = tuple(SAMPLER_TITLES)


class ExpertSection(QWidget):
    """A button that unfolds the fields of both diffusions, guidance and size."""

    fold_changed = Signal(object)  # bool: open

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._button = TextButton(self.tr("Expert settings"), "fold", "chevron-right", self)
        self._button.setCheckable(True)
        self._body = QWidget(self)
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACING.s)
        self._grid.setVerticalSpacing(SPACING.s)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        self._samplers: dict[str, QuietComboBox] = {}
        self._preview = QCheckBox(self.tr("Show pictures while they come to be"), self._body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self._button)
        layout.addWidget(self._body)
        self._body.hide()
        self._button.toggled.connect(self.set_open)
        self._preview.toggled.connect(self._on_preview_toggled)
        form.form_changed.connect(self._on_form_changed)
        self._on_form_changed(form.state)

    @property
    def is_open(self) -> bool:
        """Whether the fields are on show."""
        return self._button.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Fold or unfold; the fields are built when they are first wanted."""
        if is_open and not self._samplers:
            self._fill()
            self._on_form_changed(self._form.state)
        self._button.setChecked(is_open)
        self._button.set_icon("chevron-down" if is_open else "chevron-right")
        self._body.setVisible(is_open)
        self.fold_changed.emit(is_open)

    # ---- fields ---------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        steps = _help(SamplerSettings, "num_steps")
        self._pair(self.tr("Base model"), self._sampler("base_sampler"), self._steps("base_steps", steps))
        self._pair(self.tr("Decoder"), self._sampler("decoder_sampler"), self._steps("decoder_steps", steps))
        weight = self._number("guidance_weight", self.tr("Guidance"), decimal(0.0, 20.0, 0.1))
        weight.set_help(_help(GuidanceSettings, "weight"))
        batch = self._number("batch_size", self.tr("Pictures at once"), whole(1, 64))
        batch.set_help(_help(GenerateRequest, "batch_size"))
        self._pair("", weight, batch)
        low = self._number("logsnr_low", self.tr("Guided from log-SNR"), decimal(-20.0, 20.0, 0.5))
        low.set_help(_help(GuidanceSettings, "logsnr_low"))
        high = self._number("logsnr_high", self.tr("to log-SNR"), decimal(-20.0, 20.0, 0.5))
        high.set_help(_help(GuidanceSettings, "logsnr_high"))
        self._pair("", low, high)
        row = self._grid.rowCount()
        self._grid.addWidget(SizeField(self._form, self._body), row, 0, 1, 2)
        self._grid.addWidget(VariationField(self._form, self._body), row + 1, 0, 1, 2)
        self._grid.addWidget(self._preview, row + 2, 0, 1, 2)

    def _pair(self, heading: str, left: QWidget, right: QWidget) -> None:
        row = self._grid.rowCount()
        if heading:
            self._grid.addWidget(label(heading, "emphasis"), row, 0, 1, 2)
            row += 1
        self._grid.addWidget(left, row, 0)
        self._grid.addWidget(right, row, 1)

    def _sampler(self, name: str) -> Field:
        combo = QuietComboBox(self._body)
        combo.addItems(list(SAMPLER_TITLES.values()))
        combo.setProperty("field_name", name)
        combo.activated.connect(self._on_sampler_activated)
        self._samplers[name] = combo
        field = Field(self.tr("Sampler"), combo, self._body)
        field.set_help(_help(SamplerSettings, "name"))
        return field

    def _steps(self, name: str, text: str) -> FormNumber:
        number = self._number(name, self.tr("Steps"), whole(1, 1024))
        number.set_help(text)
        return number

    def _number(self, name: str, title: str, box: Any) -> FormNumber:
        return FormNumber(self._form, name, title, box, self._body)

    # ---- binding --------------------------------------------------------------------------------------------------

    def _on_form_changed(self, state: Any) -> None:
        for name, combo in self._samplers.items():
            combo.setCurrentIndex(_SAMPLERS.index(SamplerName(getattr(state, name))))
        self._preview.setChecked(state.preview)

    def _on_sampler_activated(self, row: int) -> None:
        combo = self.sender()
        if isinstance(combo, QuietComboBox):
            self._form.update(**{str(combo.property("field_name")): _SAMPLERS[row]})

    def _on_preview_toggled(self, is_on: bool) -> None:
        self._form.update(preview=is_on)


def _help(kind: type[FrozenModel], name: str) -> str:
    """The description of a setting, the same text everywhere."""
    return kind.model_fields[name].description or ""
