"""What can be done with a finished picture, in one place for grid and single view."""

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.models.asking import is_variations
from app.models.results import Tile
from ul_engine.requests import GridRequest, InterpolateRequest


class PictureVerbs(QObject):
    """The wishes; whoever can fulfil them listens."""

    save_requested = Signal(object)  # Tile
    copy_requested = Signal(object)  # Tile
    folder_requested = Signal(object)  # Tile
    reuse_requested = Signal(object)  # Tile
    begin_requested = Signal(object)  # Tile: start from it, or continue it
    vary_requested = Signal(object)  # Tile
    star_requested = Signal(object)  # Tile
    sheet_requested = Signal(object)  # Tile: of a grid
    clip_requested = Signal(object)  # Tile: of a way between two pictures
    whole_requested = Signal(object)  # Tile: a continuation, with what it continues
    compare_requested = Signal(object)  # Tile

    def on_key(self, event: QKeyEvent, tile: Tile) -> bool:
        """Carry out a key's verb; False if it has none."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit(tile)
        elif event.matches(QKeySequence.StandardKey.Save):
            self.save_requested.emit(tile)
        elif event.key() == Qt.Key.Key_S and not event.modifiers():
            self.star_requested.emit(tile)
        else:
            return False
        return True


class PictureMenu(QMenu):
    """The context menu of one picture or clip; deletes itself."""

    def __init__(self, tile: Tile, verbs: PictureVerbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tile = tile
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add(self.tr("Use these settings"), verbs.reuse_requested)
        if tile.single is not None and not tile.is_moving:
            self._add(self.tr("Make pictures like this"), verbs.vary_requested)
        begin = self.tr("Continue this clip") if tile.is_moving else self.tr("Start from this picture")
        self._add(begin, verbs.begin_requested, needs_file=tile.is_moving)
        self._add(self.tr("Compare"), verbs.compare_requested, needs_file=True)
        self.addSeparator()
        self._add(self.tr("Star"), verbs.star_requested, QKeySequence(Qt.Key.Key_S), needs_file=True)
        self._add(self.tr("Save as…"), verbs.save_requested, QKeySequence.StandardKey.Save)
        self._add(self.tr("Copy picture"), verbs.copy_requested, QKeySequence.StandardKey.Copy)
        if isinstance(tile.request, GridRequest) and not is_variations(tile.request):
            self._add(self.tr("Save the labelled sheet…"), verbs.sheet_requested)
        if isinstance(tile.request, InterpolateRequest) and not tile.is_moving:
            self._add(self.tr("Save the whole way as a clip…"), verbs.clip_requested)
        if tile.single is not None and tile.single.continue_from is not None and tile.clip is not None:
            self._add(self.tr("Save together with the clip before it…"), verbs.whole_requested)
        self._add(self.tr("Show in folder"), verbs.folder_requested, needs_file=True)

    def _add(
        self,
        text: str,
        wish: SignalInstance,
        keys: QKeySequence | QKeySequence.StandardKey | None = None,
        *,
        needs_file: bool = False,
    ) -> None:
        action = Wish(text, wish, self._tile, self)
        action.setEnabled(bool(self._tile.path) or not needs_file)
        if keys is not None:
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.addAction(action)


class Wish(QAction):
    """A line of the menu that makes a wish about its picture."""

    def __init__(self, text: str, wish: SignalInstance, tile: Tile, parent: QMenu) -> None:
        super().__init__(text, parent)
        self._wish = wish
        self._tile = tile
        self.triggered.connect(self._on_triggered)

    def _on_triggered(self) -> None:
        self._wish.emit(self._tile)
