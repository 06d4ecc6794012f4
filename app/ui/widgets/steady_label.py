"""A line of text that changes often and keeps its room."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.widgets.labels import label


class SteadyLabel(QWidget):
    """Takes the width that it gets, or always that of `widest`. Qt's own label has the whole window laid out anew with
    every text; this one has no layout that would ask. What does not fit ends in an ellipsis, with all of it in the tool
    tip."""

    def __init__(self, role: str = "", widest: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._widest = widest
        self._label = label("", role, parent=self)
        width = QSizePolicy.Policy.Fixed if widest else QSizePolicy.Policy.Ignored
        self.setSizePolicy(width, QSizePolicy.Policy.Fixed)

    def set_text(self, text: str) -> None:
        """Show another text."""
        if text != self._text:
            self._text = text
            self._show()

    def text(self) -> str:
        """All of it."""
        return self._text

    def set_selectable(self) -> None:
        """People may copy it."""
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def align_right(self) -> None:
        """Numbers end at the same place."""
        self._label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def setFont(self, font: QFont | str | Sequence[str]) -> None:
        """The text's."""
        self._label.setFont(font)

    def sizeHint(self) -> QSize:
        """One line."""
        self._label.ensurePolished()
        width = self._label.fontMetrics().horizontalAdvance(self._widest) + 2 if self._widest else 0
        return QSize(width, self._label.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More of the text, or less."""
        super().resizeEvent(event)
        self._label.setGeometry(self.rect())
        self._show()

    def _show(self) -> None:
        shown = self._label.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
        self._label.setText(shown)
        self._label.setToolTip(self._text if shown != self._text else "")
