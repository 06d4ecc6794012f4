"""A crash report, to be read before it is passed on."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label

SIZE_PX = (760, 520)


class ReportDialog(QDialog):
    """The text can be changed before it is copied, for names or paths may stand in it."""

    folder_requested = Signal(object)  # str, the report's file

    def __init__(self, text: str, path: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Report of an error"))
        self._path = path
        self.text = QPlainTextEdit(text, self)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(self.tr("The report"))
        self.copy_button = TextButton(self.tr("Copy"), "primary", "copy", self)
        self.folder_button = TextButton(self.tr("Show in folder"), "", "folder", self)
        self.folder_button.setEnabled(bool(path))
        self._build()
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.folder_button.clicked.connect(self._on_folder_clicked)

    def _build(self) -> None:
        close = TextButton(self.tr("Close"), parent=self)
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.folder_button)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self.copy_button)
        words = self.tr(
            "This is all of it. It stays on this computer and is sent nowhere. Read it, take out what nobody else "
            "should see, copy it, and paste it where you report the error."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(self.tr("What went wrong"), "title"))
        layout.addWidget(label(words, "muted", is_wrapped=True))
        layout.addWidget(self.text, 1)
        layout.addLayout(row)
        self.resize(*SIZE_PX)

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copy_button.setText(self.tr("Copied"))

    def _on_folder_clicked(self) -> None:
        self.folder_requested.emit(self._path)
