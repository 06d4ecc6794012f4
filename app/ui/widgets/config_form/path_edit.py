"""A line for a folder, with a button that opens the system's chooser."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from app.ui.widgets.buttons import IconButton

_BUTTON_PX = 30


class PathEdit(QLineEdit):
    """What the chooser gives counts as typed."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        button = IconButton("folder", self.tr("Choose a folder for “{title}”").format(title=title), "small", self)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        inner = QHBoxLayout(self)
        inner.setContentsMargins(0, 0, 4, 0)
        inner.addStretch(1)
        inner.addWidget(button)
        self.setTextMargins(0, 0, _BUTTON_PX, 0)
        button.clicked.connect(self._on_clicked)

    def _on_clicked(self) -> None:
        start = self.text() if self.text() and Path(self.text()).is_dir() else str(Path.home())
        dialog = QFileDialog(self, self._title, start)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_selected)
        dialog.open()

    def _on_selected(self, path: str) -> None:
        self.setText(path)
        self.textEdited.emit(path)
