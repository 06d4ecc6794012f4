"""Which ordinary codecs are laid beside the models."""

from typing import Any

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app.models.compare.candidates import CODEC_TITLES
from app.models.compare.comparison import Comparison
from app.models.compare.form import CODECS
from app.ui.theme.tokens import SPACING
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.labels import label


class CodecList(QWidget):
    """Ordinary codecs at the same bits, as further candidates."""

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = compare
        self._form = compare.form
        self.boxes: dict[str, QCheckBox] = {}
        row = QWidget(self)
        flow = FlowLayout(SPACING.s, row)
        for name in CODECS:
            box = QCheckBox(CODEC_TITLES[name], row)
            box.toggled.connect(self._on_toggled)
            flow.addWidget(box)
            self.boxes[name] = box
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addWidget(label(self.tr("Against codecs at equal bits"), "field"))
        layout.addWidget(row)
        compare.shown_changed.connect(self._refresh)
        self._form.form_changed.connect(self._refresh)
        self._refresh()

    def _refresh(self, _payload: Any = None) -> None:
        """What this machine is known to lack cannot be ticked, and says why."""
        missing, usual = self._compare.missing_codecs, self.tr("{codec} at the bits per pixel of the first model")
        for name, box in self.boxes.items():
            reason = missing.get(name, "")
            box.setToolTip(reason or usual.format(codec=CODEC_TITLES[name]))
            box.setEnabled(not reason or name in self._form.state.codecs)
            box.blockSignals(True)
            box.setChecked(name in self._form.state.codecs)
            box.blockSignals(False)

    def _on_toggled(self, _is_on: bool) -> None:
        self._form.update(codecs=tuple(name for name, box in self.boxes.items() if box.isChecked()))
