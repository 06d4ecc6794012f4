"""What a run printed: its last lines, which follow while one is at their end."""

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from app.models.runs.run_view import RunView

MAX_LINES = 1000


class LogPanel(QWidget):
    """Selectable, read-only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: RunView | None = None
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setMaximumBlockCount(MAX_LINES)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(self.tr("Log of the run"))
        self.text.setPlaceholderText(self.tr("The run has printed nothing yet."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)

    def set_run(self, view: RunView | None) -> None:
        """Another run."""
        if self._view is not None and self._view is not view:
            self._view.console_changed.disconnect(self._refresh)
        if view is not None and view is not self._view:
            view.console_changed.connect(self._refresh)
        self._view = view
        self.text.clear()
        self._refresh()

    def _refresh(self) -> None:
        if self._view is None or self._view.console == self.text.toPlainText():
            return
        bar = self.text.verticalScrollBar()
        is_at_end, before = bar.value() >= bar.maximum(), bar.value()
        self.text.setPlainText(self._view.console)
        bar.setValue(bar.maximum() if is_at_end else before)
