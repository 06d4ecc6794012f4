"""The candidates by number, and where each stands."""

from typing import Any

from PySide6.QtWidgets import QWidget

from app.models.compare.candidates import Shown, ShownState
from app.models.compare.comparison import Comparison
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.flow_layout import FlowLayout


class CandidateBar(QWidget):
    """A click or a number key chooses."""

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = compare
        self._flow = FlowLayout(SPACING.xs, self)
        self.chips: list[Chip] = []
        self._tail: QWidget | None = None
        compare.shown_changed.connect(self._refresh)
        self._refresh()

    def set_tail(self, widget: QWidget) -> None:
        """Something that always stands behind the chips, in their last row if there is room."""
        self._tail = widget
        self._flow.addWidget(widget)

    def _refresh(self, _payload: Any = None) -> None:
        shown = self._compare.all_shown()
        texts = [self._text(place, each) for place, each in enumerate(shown)]
        if texts != [chip.value for chip in self.chips]:
            self._rebuild(texts)
        chosen = self._compare.candidates.index(self._compare.candidate)
        for place, chip in enumerate(self.chips):
            chip.setChecked(place == chosen)
            chip.setToolTip(shown[place].words)

    def _rebuild(self, texts: list[str]) -> None:
        for chip in self.chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = []
        for text in texts:
            chip = Chip(text, text, "chip", self)
            chip.setCheckable(True)
            chip.clicked.connect(self._on_clicked)
            self._flow.addWidget(chip)
            self.chips.append(chip)
        if self._tail is not None:
            self._flow.removeWidget(self._tail)
            self._flow.addWidget(self._tail)
        self.updateGeometry()

    def _on_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self._compare.choose(self.chips.index(chip))
            self._refresh()

    def _text(self, place: int, shown: Shown) -> str:
        number = f"{place + 1}\u2002" if place < 9 else ""
        return f"{number}{shown.candidate.title}{self._state(shown)}"

    def _state(self, shown: Shown) -> str:
        words = {
            ShownState.RUNNING: self.tr(" · at work"),
            ShownState.WAITING: self.tr(" · waits"),
            ShownState.FAILED: self.tr(" · failed"),
        }
        return words.get(shown.state, "")
