"""What can be searched for: every field with an example."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.labels import label


class SearchHelp(QWidget):
    """Every field with an example; a click puts the example into the search."""

    example_chosen = Signal(object)  # str

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, SPACING.xs, 0, SPACING.xs)
        grid.setHorizontalSpacing(SPACING.m)
        grid.setVerticalSpacing(SPACING.xs)
        for place, (example, words) in enumerate(self._examples()):
            chip = Chip(example, parent=self)
            chip.clicked.connect(self._on_clicked)
            row, column = divmod(place, 2)
            grid.addWidget(chip, row, 2 * column, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(label(words, "caption", is_wrapped=True), row, 2 * column + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)

    def _examples(self) -> tuple[tuple[str, str], ...]:
        return (
            ("red cube", self.tr("both words, in the prompt, the model or the file name")),
            ("model:scenes", self.tr("made by a model whose name holds this; also prompt: and file:")),
            ('"red cube"', self.tr("these words together; -cube leaves results out")),
            ("seed:7", self.tr("this seed; also steps: guidance: class: frames:")),
            ("date:2026-11", self.tr("a year, month or day; also today, yesterday, 7d, date>2026-11-20")),
            ("size>64", self.tr("longer side in pixels; also size:64x64, width: and height:")),
            ("kind:clip", self.tr("clips only; kind:picture for the others")),
            ("star:", self.tr("starred ones; star:no for the others")),
            ("foreign:", self.tr("files that do not say how they were made")),
            ("broken:", self.tr("files that cannot be read")),
        )

    def _on_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self.example_chosen.emit(chip.value)
