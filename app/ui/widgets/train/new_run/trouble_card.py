"""Something that did not work: title, sentence, and the last lines on demand."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.models.new_run.state import Trouble
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label

DETAILS_PX = 120


class TroubleCard(QFrame):
    """Looks like a notice, and stands where the trouble is."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("notice", "error")
        self._words = label("", is_wrapped=True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._fold = TextButton(self.tr("Details"), "link", parent=self)
        self._fold.setCheckable(True)
        self._details = QPlainTextEdit(self)
        self._details.setReadOnly(True)
        self._details.setFixedHeight(DETAILS_PX)
        self._details.setAccessibleName(self.tr("Details"))
        self._details.hide()
        row = QHBoxLayout()
        row.addWidget(label(title, "emphasis"), 1)
        row.addWidget(self._fold)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.m, SPACING.m)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(row)
        layout.addWidget(self._words)
        layout.addWidget(self._details)
        self._fold.toggled.connect(self._details.setVisible)
        self.hide()

    @property
    def words(self) -> str:
        """The sentence on show."""
        return self._words.text()

    def show_trouble(self, trouble: Trouble | None) -> None:
        """Show it, or nothing."""
        self.setVisible(trouble is not None)
        if trouble is None:
            return
        self._words.setText(f"{trouble.words[:1].upper()}{trouble.words[1:].rstrip('.')}.")
        if self._details.toPlainText() != trouble.details:
            self._details.setPlainText(trouble.details)
        self._fold.setVisible(bool(trouble.details))
