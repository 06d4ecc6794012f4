"""Where things go: results, the person's own models, training runs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True)
class FolderPlaces:
    """One moment of all three."""

    outputs: Path
    models: Path
    runs: Path


class Folders(QObject):
    """Compares, stores, tells."""

    folders_changed = Signal(object)  # FolderPlaces

    def __init__(self, places: FolderPlaces, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._places = places

    @property
    def places(self) -> FolderPlaces:
        """The present ones."""
        return self._places

    def move(self, **changes: Any) -> None:
        """Another folder for some of them."""
        places = replace(self._places, **changes)
        if places != self._places:
            self._places = places
            self.folders_changed.emit(places)
