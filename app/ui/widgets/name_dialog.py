"""Asks for a name."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import Field, label

WIDTH_PX = 400
MAX_CHARACTERS = 40


class NameDialog(QDialog):
    """The button is only there for names that will do; why another will not stands below it."""

    name_chosen = Signal(object)  # str

    def __init__(
        self,
        title: str,
        name: str,
        check: Callable[[str], str],
        parent: QWidget | None = None,
        *,
        deed: str = "",
    ) -> None:
        """`check` returns what is wrong with a name, or nothing."""
        super().__init__(parent)
        self._check = check
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.edit = QLineEdit(name, self)
        self.edit.setMaxLength(MAX_CHARACTERS)
        self.edit.selectAll()
        self.field = Field(self.tr("Name"), self.edit, self)
        self.ok_button = TextButton(deed or self.tr("Save"), "primary", parent=self)
        self.ok_button.setDefault(True)
        cancel = TextButton(self.tr("Cancel"), parent=self)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.ok_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.m)
        layout.addWidget(label(title, "strong"))
        layout.addWidget(self.field)
        layout.addLayout(row)
        self.setMinimumWidth(WIDTH_PX)
        self.edit.textChanged.connect(self._refresh)
        self.ok_button.clicked.connect(self._on_ok)
        cancel.clicked.connect(self.reject)
        self._refresh()

    def _refresh(self, _text: str = "") -> None:
        name = self.edit.text().strip()
        problem = self._check(name) if name else ""
        self.field.set_error(problem)
        self.ok_button.setEnabled(bool(name) and not problem)

    def _on_ok(self) -> None:
        self.name_chosen.emit(self.edit.text().strip())
        self.accept()
