"""The field that the library is searched with."""

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.ui.theme.icons import icon
from app.ui.theme.theme import colours

DEBOUNCE_MS = 30


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
