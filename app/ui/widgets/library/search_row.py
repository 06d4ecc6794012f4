"""The search field with its help."""

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import label
from app.ui.widgets.library.search_field import SearchField
from app.ui.widgets.library.search_help import SearchHelp


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
