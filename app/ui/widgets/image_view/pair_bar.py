"""The controls of a pair: how it is compared, which difference is shown, how much amplified, and what colours mean."""

import math
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from app.services.difference import DifferenceKind
from app.ui.theme.fonts import font
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.image_view.colour_maps import DIVERGING, HEAT
from app.ui.widgets.image_view.difference_picture import MAX_GAIN
from app.ui.widgets.image_view.legend_bar import LegendBar, Scale
from app.ui.widgets.image_view.pair_view import PairMode, PairView
from app.ui.widgets.labels import label

_STEPS_PER_DOUBLING = 4
_DOUBLINGS = round(math.log2(MAX_GAIN))


class PairBar(QWidget):
    """One row, or several where it is narrow."""

    def __init__(self, pair: PairView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = pair
        self.mode_chips = {mode: self._chip(text, mode, tip) for mode, (text, tip) in self._modes().items()}
        self.kind_chips = {kind: self._chip(text, kind, tip) for kind, (text, tip) in self._kinds().items()}
        self.gain = QSlider(Qt.Orientation.Horizontal, self)
        self.gain.setRange(0, _DOUBLINGS * _STEPS_PER_DOUBLING)
        self.gain.setFixedWidth(120)
        self.gain.setAccessibleName(self.tr("Amplification of the difference"))
        self.gain.setToolTip(self.gain.accessibleName())
        self._gain_text = label("", "muted")
        self._gain_text.setFont(font(has_even_digits=True))
        self._gain_text.setMinimumWidth(36)
        self.legend = LegendBar(parent=self)
        self._difference_part = QWidget(self)
        self._build()
        self.gain.valueChanged.connect(self._on_gain_changed)
        pair.mode_changed.connect(self._show)
        pair.difference_changed.connect(self._show)
        self._show()

    def _build(self) -> None:
        flow = FlowLayout(SPACING.s, self)
        modes = QWidget(self)
        row = QHBoxLayout(modes)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.xs)
        for mode_chip in self.mode_chips.values():
            row.addWidget(mode_chip)
        row = QHBoxLayout(self._difference_part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING.xs)
        for kind_chip in self.kind_chips.values():
            row.addWidget(kind_chip)
        row.addSpacing(SPACING.s)
        row.addWidget(self.gain)
        row.addWidget(self._gain_text)
        row.addWidget(self.legend)
        flow.addWidget(modes)
        flow.addWidget(self._difference_part)

    def _chip(self, text: str, value: str, tip: str) -> Chip:
        chip = Chip(text, value, "tab", self)
        chip.setCheckable(True)
        chip.setToolTip(tip)
        chip.clicked.connect(self._on_chip_clicked)
        return chip

    def _modes(self) -> dict[PairMode, tuple[str, str]]:
        return {
            PairMode.WIPE: (self.tr("Wipe"), self.tr("Both, with a line between them: drag it, or press , and .")),
            PairMode.BLINK: (self.tr("Blink"), self.tr("One at a time: hold B to see the other")),
            PairMode.SIDE_BY_SIDE: (self.tr("Side by side"), self.tr("Beside each other, moving together")),
            PairMode.DIFFERENCE: (self.tr("Difference"), self.tr("Where they differ, and how much")),
        }

    def _kinds(self) -> dict[DifferenceKind, tuple[str, str]]:
        return {
            DifferenceKind.ABSOLUTE: (self.tr("Absolute"), self.tr("How far each colour is off")),
            DifferenceKind.SIGNED: (
                self.tr("Signed"),
                self.tr("Blue where the second is darker, orange where lighter"),
            ),
            DifferenceKind.FLIP: (self.tr("FLIP"), self.tr("What a person would notice when the two alternate")),
        }

    def _show(self, _payload: Any = None) -> None:
        pair = self._pair
        for mode, chip in self.mode_chips.items():
            chip.setChecked(mode is pair.mode)
        for kind, chip in self.kind_chips.items():
            chip.setChecked(kind is pair.difference_kind)
        self.gain.blockSignals(True)
        self.gain.setValue(round(math.log2(pair.gain) * _STEPS_PER_DOUBLING))
        self.gain.blockSignals(False)
        self._gain_text.setText(f"× {pair.gain:.3g}")
        self.legend.set_scale(scale_of(pair.difference_kind, pair.gain))
        is_difference = pair.mode is PairMode.DIFFERENCE
        self._difference_part.setVisible(is_difference)
        self.updateGeometry()

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if not isinstance(chip, Chip):
            return
        if chip in self.mode_chips.values():
            self._pair.set_mode(PairMode(chip.value))
        else:
            self._pair.set_difference(DifferenceKind(chip.value))
        self._show()

    def _on_gain_changed(self, step: int) -> None:
        self._pair.set_gain(2.0 ** (step / _STEPS_PER_DOUBLING))


def scale_of(kind: DifferenceKind, gain: float) -> Scale | None:
    """What the colours of a difference mean; an absolute one speaks for itself."""
    if kind is DifferenceKind.SIGNED:
        end = f"{255 / gain:.3g}"
        return Scale(DIVERGING, f"−{end}", f"+{end}", "0")
    if kind is DifferenceKind.FLIP:
        return Scale(HEAT, "0", f"{1 / gain:.3g}")
    return None
