"""The inputs as a list for a view."""

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.compare.inputs import CompareInputs, InputItem

AnyIndex = QModelIndex | QPersistentModelIndex
ItemRole = Qt.ItemDataRole.UserRole


class InputListModel(QAbstractListModel):
    """Follows the inputs; rows that stay are kept, so that the view keeps its place."""

    def __init__(self, inputs: CompareInputs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items = inputs.items
        inputs.inputs_changed.connect(self._on_inputs_changed)

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """Inputs."""
        return 0 if parent is not None and parent.isValid() else len(self._items)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The item, its name, or all that is known of it in words."""
        if not index.isValid():
            return None
        item = self._items[index.row()]
        if role == ItemRole:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(part for part in (item.path, self.facts(item), *item.notes) if part)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{item.name}, {self.facts(item)}"
        return None

    def facts(self, item: InputItem) -> str:
        """Below its name: size and length, or what is wrong."""
        if item.problem:
            return item.problem
        if item.size_px is None:
            return self.tr("reading…")
        size = f"{item.size_px[0]} × {item.size_px[1]}"
        return self.tr("{size}, {count} frames").format(size=size, count=item.num_frames) if item.fps else size

    def row_of(self, path: str) -> int:
        """The row of a file; -1 if it is not there."""
        return next((row for row, item in enumerate(self._items) if item.path == path), -1)

    def _on_inputs_changed(self, items: tuple[InputItem, ...]) -> None:
        if [item.path for item in items] == [item.path for item in self._items]:
            self._items = items
            if items:
                self.dataChanged.emit(self.index(0), self.index(len(items) - 1))
            return
        self.beginResetModel()
        self._items = items
        self.endResetModel()
