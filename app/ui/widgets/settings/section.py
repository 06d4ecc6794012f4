"""What all sections are made of: a heading, and rows of words with their controls."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label, line


class Section(QWidget):
    """A heading over a card of rows."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._card = QFrame(self)
        self._card.setProperty("role", "card")
        self._rows = QVBoxLayout(self._card)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(label(title, "strong"))
        layout.addWidget(self._card)

    def add_row(self, title: str, words: str | QWidget, *controls: QWidget) -> None:
        """A title over words that may change, and controls at the right."""
        if self._rows.count():
            self._rows.addWidget(line(self._card))
        text = label(words, "muted", is_wrapped=True) if isinstance(words, str) else words
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(label(title, "emphasis", is_wrapped=True))
        if words != "":
            column.addWidget(text)
        row = QHBoxLayout()
        row.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        row.setSpacing(SPACING.s)
        row.addLayout(column, 1)
        for control in controls:
            if not control.accessibleName() and not isinstance(control, TextButton):
                control.setAccessibleName(title)
            row.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
        self._rows.addLayout(row)

    def add_whole(self, widget: QWidget) -> None:
        """Something that takes the whole width."""
        self._rows.addWidget(widget)

    def button(self, text: str, slot: Any, variant: str = "") -> TextButton:
        """A push button of this section; `slot` is a bound method or a signal."""
        result = TextButton(text, variant, parent=self)
        result.clicked.connect(slot)
        return result


def selectable(text: str = "", role: str = "muted") -> QLabel:
    """Words that a person may want to copy."""
    result = label(text, role, is_wrapped=True)
    result.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    result.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    return result
