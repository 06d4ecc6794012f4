"""What the palette lists, as an item model."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from app.models.commands import FoundCommand

FoundRole = int(Qt.ItemDataRole.UserRole)
AnyIndex = QModelIndex | QPersistentModelIndex


class FoundCommands(QAbstractListModel):
    """Each row's `FoundCommand` is under `FoundRole`."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._found: tuple[FoundCommand, ...] = ()

    def set_found(self, found: Sequence[FoundCommand]) -> None:
        """Another search, another list."""
        self.beginResetModel()
        self._found = tuple(found)
        self.endResetModel()

    def found(self, row: int) -> FoundCommand | None:
        """The entry of a row."""
        return self._found[row] if 0 <= row < len(self._found) else None

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Rows of the flat list."""
        return 0 if parent.isValid() else len(self._found)

    def data(self, index: AnyIndex, role: int = FoundRole) -> Any:
        """The entry, or its words for screen readers."""
        found = self.found(index.row()) if index.isValid() else None
        if found is None:
            return None
        if role == FoundRole:
            return found
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ", ".join([found.command.title, found.command.group, *found.command.keys])
        return None
