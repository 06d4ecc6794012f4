"""What can be done with a finished picture, in one place for grid and single view."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.models.results import Tile


class PictureVerbs(QObject):
    """The wishes; whoever can fulfil them listens."""

    save_requested = Signal(object)  # Tile
    copy_requested = Signal(object)  # Tile
    folder_requested = Signal(object)  # Tile
    reuse_requested = Signal(object)  # Tile

    def on_key(self, event: QKeyEvent, tile: Tile) -> bool:
        """Carry out a key's verb; False if it has none."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit(tile)
        elif event.matches(QKeySequence.StandardKey.Save):
            self.save_requested.emit(tile)
        else:
            return False
        return True


class PictureMenu(QMenu):
    """The context menu of one picture; deletes itself."""

    def __init__(self, tile: Tile, verbs: PictureVerbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tile = tile
        self._verbs = verbs
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add(self.tr("Use these settings"), self._on_reuse)
        self.addSeparator()
        self._add(self.tr("Save as…"), self._on_save, QKeySequence.StandardKey.Save)
        self._add(self.tr("Copy picture"), self._on_copy, QKeySequence.StandardKey.Copy)
        folder = self._add(self.tr("Show in folder"), self._on_folder)
        folder.setEnabled(bool(tile.path))

    def _add(self, text: str, slot: object, keys: QKeySequence.StandardKey | None = None) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(slot)
        if keys is not None:
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.addAction(action)
        return action

    def _on_reuse(self) -> None:
        self._verbs.reuse_requested.emit(self._tile)

    def _on_save(self) -> None:
        self._verbs.save_requested.emit(self._tile)

    def _on_copy(self) -> None:
        self._verbs.copy_requested.emit(self._tile)

    def _on_folder(self) -> None:
        self._verbs.folder_requested.emit(self._tile)
