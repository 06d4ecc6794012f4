"""The search field with its help."""

from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.ui.theme.icons import icon
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip, IconButton
from app.ui.widgets.labels import label

DEBOUNCE_MS = 60


class SearchField(QLineEdit):
    """Tells its text once typing pauses; Esc empties it, Down leaves it for the results."""

    text_settled = Signal(object)  # str
    left_downwards = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setClearButtonEnabled(True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._on_settled)
        self._sign = self.addAction(icon("search", colours().muted), QLineEdit.ActionPosition.LeadingPosition)
        self.textChanged.connect(self._on_text_changed)

    def set_text(self, text: str) -> None:
        """Another text, told at once."""
        self.setText(text)
        self._on_settled()

    def _on_text_changed(self) -> None:
        self._timer.start()

    def _on_settled(self) -> None:
        self._timer.stop()
        self.text_settled.emit(self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.set_text("")
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_settled()
            self.left_downwards.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_sign"):
            self._sign.setIcon(icon("search", colours().muted))


class SearchRow(QWidget):
    """Field, a button that explains, and what could not be understood."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = SearchField(self)
        self.field.setPlaceholderText(self.tr("Search prompts, or fields such as seed:7 star: size>64 date:2026-11"))
        self.field.setAccessibleName(self.tr("Search"))
        self.help_button = IconButton("help", self.tr("What can be searched for"), parent=self)
        self.help_button.setCheckable(True)
        self._problem = label("", "warning", is_wrapped=True)
        self._problem.hide()
        self.help: SearchHelp | None = None
        row = QHBoxLayout()
        row.setSpacing(SPACING.xs)
        row.addWidget(self.field, 1)
        row.addWidget(self.help_button)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACING.xs)
        self._layout.addLayout(row)
        self._layout.addWidget(self._problem)
        self.help_button.toggled.connect(self._on_help_toggled)

    def _on_help_toggled(self, is_shown: bool) -> None:
        if self.help is None:
            self.help = SearchHelp(self)
            self.help.example_chosen.connect(self._on_example_chosen)
            self._layout.addWidget(self.help)
        self.help.setVisible(is_shown)

    @property
    def problem(self) -> str:
        """What is said to be wrong; empty if nothing is."""
        return self._problem.text()

    def set_problem(self, sentence: str) -> None:
        """Say what could not be understood."""
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))
        self.field.setAccessibleDescription(sentence)

    def _on_example_chosen(self, example: Any) -> None:
        text = self.field.text().rstrip()
        self.field.set_text(f"{text} {example}" if text else str(example))
        self.field.setFocus()


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
