"""The bin: what was deleted, and the way back."""

from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.models.progress import grouped
from app.services.gallery.recycle_bin import BinEntry
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.question_dialog import QuestionDialog
from ul_engine.hub.wording import size_text

SIZE_PX = (620, 460)
MAX_ROWS = 2000
_Role = Qt.ItemDataRole.UserRole


class BinDialog(QDialog):
    """Newest deletions first; choose some or bring everything back."""

    restore_requested = Signal(object)  # tuple[BinEntry, ...]
    empty_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Bin"))
        self.resize(*SIZE_PX)
        self._entries: tuple[BinEntry, ...] = ()
        self._title = label(self.tr("Bin"), "title")
        self._sum = label("", "muted", is_wrapped=True)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Deleted results"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setUniformItemSizes(True)
        self.restore_button = TextButton("", "primary", parent=self)
        self.empty_button = TextButton(self.tr("Empty the bin…"), "", "trash", self)
        close = TextButton(self.tr("Close"), parent=self)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(self.empty_button)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(self.restore_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.xl, SPACING.xl, SPACING.xl, SPACING.l)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self._title)
        layout.addWidget(self._sum)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)
        close.clicked.connect(self.reject)
        self.restore_button.clicked.connect(self._on_restore_clicked)
        self.empty_button.clicked.connect(self._on_empty_clicked)
        self.list.itemSelectionChanged.connect(self._refresh)
        self._refresh()

    def set_entries(self, entries: tuple[BinEntry, ...]) -> None:
        """What the bin holds."""
        if entries == self._entries:
            return
        chosen = set(self._chosen())
        self._entries = entries
        self.list.clear()
        for entry in entries[:MAX_ROWS]:
            when = datetime.fromtimestamp(entry.when_s).strftime("%Y-%m-%d %H:%M")
            words = self.tr("{path}   ·   {size}   ·   deleted {when}").format(
                path=entry.path, size=size_text(entry.size_bytes), when=when
            )
            row = QListWidgetItem(words, self.list)
            row.setData(_Role, entry)
            row.setSelected(entry in chosen)
        self._refresh()

    def _chosen(self) -> tuple[BinEntry, ...]:
        return tuple(row.data(_Role) for row in self.list.selectedItems())

    def _refresh(self, _payload: Any = None) -> None:
        total = size_text(sum(entry.size_bytes for entry in self._entries))
        count = len(self._entries)
        many = self.tr("{count} deleted results take {size}. They stay until you empty the bin.")
        one = self.tr("1 deleted result takes {size}. It stays until you empty the bin.")
        words = (one if count == 1 else many).format(count=grouped(count), size=total)
        if count > MAX_ROWS:
            words += " " + self.tr("The newest {count} are listed.").format(count=grouped(MAX_ROWS))
        self._sum.setText(words if count else self.tr("What you delete comes here, and can come back."))
        chosen = len(self._chosen())
        self.restore_button.setText(self.tr("Bring {n} back").format(n=chosen) if chosen else self.tr("Bring all back"))
        self.restore_button.setEnabled(count > 0)
        self.empty_button.setEnabled(count > 0)

    def _on_restore_clicked(self) -> None:
        self.restore_requested.emit(self._chosen() or self._entries)

    def _on_empty_clicked(self) -> None:
        count, size = len(self._entries), size_text(sum(entry.size_bytes for entry in self._entries))
        many, one = (
            self.tr("{count} results will be gone for good: {size}."),
            self.tr("1 result will be gone for good: {size}."),
        )
        sentence = (one if count == 1 else many).format(count=grouped(count), size=size)
        answers = (self.tr("Delete for good"), self.tr("Keep them"))
        dialog = QuestionDialog(self.tr("Empty the bin?"), sentence, answers, self)
        dialog.confirmed.connect(self.empty_requested)
        dialog.open()
