"""What all analyses of the page Compare have in common: words on what is seen, a body, and a way to get it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.compare.when_seen import WhenSeen
from app.ui.widgets.labels import label


class TabFrame(WhenSeen, QScrollArea):
    """An explanation, what is always there (`above`), a note on what is missing with its button, and the body."""

    def __init__(self, explanation: str, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.explanation = label(explanation, "caption", is_wrapped=True)
        self.note = label("", "muted", is_wrapped=True)
        self.button = TextButton(button, parent=self)
        self.body = QWidget(self)
        self.column = QVBoxLayout(self.body)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(SPACING.s)
        inner = QWidget()
        inner.setProperty("role", "plain")
        self.above = QVBoxLayout()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, SPACING.xs, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self.explanation)
        layout.addLayout(self.above)
        layout.addWidget(self.note)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.body, 1)
        self._room = QWidget(inner)
        layout.addWidget(self._room, 1)
        for part in (self.explanation, self.note):
            part.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inner)

    def show_state(self, note: str, *, has_body: bool, has_button: bool) -> None:
        """What is there, what is missing."""
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.button.setVisible(has_button)
        self.body.setVisible(has_body)
        self._room.setVisible(not has_body)
