"""How pictures are made to fit the model's square, and whether they are mirrored."""

from typing import Any

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from app.models.new_run.new_run import NewRun
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import Field
from app.ui.widgets.quiet_inputs import QuietComboBox

_FITS = ("crop", "pad", "buckets")


class LookField(QWidget):
    """Hidden for scenes, which fit by themselves."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.fit = QuietComboBox(self)
        self.fit.addItems(
            [self.tr("Cut to a square"), self.tr("Whole pictures, edges repeated"), self.tr("Several shapes")]
        )
        self._fit_field = Field(self.tr("Pictures that are not square"), self.fit, self)
        self._fit_field.set_help(
            self.tr("Cutting is the usual way. Whole pictures keep everything; several shapes keep most, in batches.")
        )
        self.flip = QCheckBox(self.tr("Mirror every other one"), self)
        self.flip.setToolTip(self.tr("Twice as much to learn from; not for letters, faces of clocks, or hands"))
        row = QHBoxLayout()
        row.addWidget(self._fit_field)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING.s)
        column.addLayout(row)
        column.addWidget(self.flip)
        self.fit.setMinimumWidth(240)
        self.fit.activated.connect(self._on_fit_activated)
        self.flip.toggled.connect(self._on_flip_toggled)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _on_state_changed(self, state: Any) -> None:
        data = state.report.data if state.report is not None else None
        is_file = data is not None and hasattr(data, "path")
        self.setVisible(is_file and bool(state.report.num_train))
        if not is_file or data is None:
            return
        fit = getattr(data, "fit", None)
        self._fit_field.setVisible(fit is not None)
        if fit in _FITS:
            self.fit.setCurrentIndex(_FITS.index(fit))
        self.flip.setChecked(bool(getattr(data, "flip", False)))

    def _on_fit_activated(self, row: int) -> None:
        self._model.choose_look(fit=_FITS[row])

    def _on_flip_toggled(self, is_on: bool) -> None:
        self._model.choose_look(flip=is_on)
