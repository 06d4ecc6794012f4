"""The models on this computer as an item model."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.desk.desk import ModelDesk
from app.models.desk.words import line_of
from app.models.model_library import ModelLibrary
from ul_engine.model_folder import ModelEntry

ModelRole = int(Qt.ItemDataRole.UserRole)
AnyIndex = QModelIndex | QPersistentModelIndex


class ModelRows(QAbstractListModel):
    """Usable ones first; a broken one stays visible, with its problem."""

    def __init__(self, library: ModelLibrary, desk: ModelDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._desk = desk
        self._entries: tuple[ModelEntry, ...] = ()
        library.models_changed.connect(self._on_models_changed)
        desk.storage_changed.connect(self._tell)
        desk.verified_changed.connect(self._tell)
        self._on_models_changed()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """All that was found."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: AnyIndex, role: int = ModelRole) -> Any:
        """The entry, or what a screen reader says."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == ModelRole:
            return entry
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.DisplayRole):
            return f"{entry.name}, {self.line(entry)}"
        return None

    def line(self, entry: ModelEntry) -> str:
        """The facts of a model in a line; of a broken one that it is."""
        if entry.manifest is None:
            return self.tr("Cannot be used")
        facts = self._desk.storage.models.get(entry.path)
        return line_of(entry.manifest, facts.size_bytes if facts else None)

    def source(self, entry: ModelEntry) -> str:
        """Where a model is from; empty while that is not known."""
        facts = self._desk.storage.models.get(entry.path)
        if facts is None:
            return ""
        if facts.is_bundled:
            return self.tr("Comes with the program")
        origin, folder = facts.source or self.tr("Yours"), Path(entry.path).name
        return origin if origin == folder else f"{origin} · {folder}"

    def problem(self, entry: ModelEntry) -> str:
        """What is wrong with it, as far as is known."""
        verified = self._desk.verified(entry.path)
        if verified is not None and verified.problems:
            return verified.problems[0]
        return (entry.problem or "").removeprefix(f"{entry.path}: ").removeprefix(f"{entry.path}/")

    def row_of(self, folder: str) -> int | None:
        """Where a model stands."""
        return next((row for row, entry in enumerate(self._entries) if entry.path == folder), None)

    def _on_models_changed(self, _entries: Any = None) -> None:
        ordered = sorted(self._library.entries, key=lambda entry: (entry.manifest is None, entry.name.lower()))
        self.beginResetModel()
        self._entries = tuple(ordered)
        self.endResetModel()

    def _tell(self, _payload: Any = None) -> None:
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1))
