"""What can be done with results, in one place for grid, large view, details and menu."""

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.gallery import GalleryItem, GalleryKind, StarWish

MAX_COMPARED = 16


class GalleryVerbs(QObject):
    """The wishes about what is chosen; whoever can fulfil them listens."""

    open_requested = Signal(object)  # GalleryItem
    star_requested = Signal(object)  # StarWish
    use_requested = Signal(object)  # str: path
    compare_requested = Signal(object)  # tuple[str, ...]: paths
    continue_requested = Signal(object)  # str: path of a clip
    folder_requested = Signal(object)  # str: path
    copy_requested = Signal(object)  # tuple[GalleryItem, ...]
    export_requested = Signal(object)  # GalleryItem
    delete_requested = Signal(object)  # tuple[int, ...]: numbers
    chosen_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: tuple[int, ...] = ()
        self._items: tuple[GalleryItem, ...] = ()

    def set_chosen(self, ids: tuple[int, ...], items: tuple[GalleryItem, ...]) -> None:
        """What the verbs are about: all numbers, and the results among them that are in memory."""
        if (ids, items) != (self._ids, self._items):
            self._ids, self._items = ids, items
            self.chosen_changed.emit()

    @property
    def ids(self) -> tuple[int, ...]:
        """Numbers of all that is chosen."""
        return self._ids

    @property
    def items(self) -> tuple[GalleryItem, ...]:
        """Those of them that are in memory."""
        return self._items

    @property
    def single(self) -> GalleryItem | None:
        """The one that is chosen, if it is one."""
        return self._items[0] if len(self._ids) == len(self._items) == 1 else None

    # ---- whether they make sense ----------------------------------------------------------------------------------

    def has_any(self) -> bool:
        """Something is chosen."""
        return bool(self._ids)

    def can_open(self) -> bool:
        """One that can be shown."""
        return self.single is not None and not (self.single.problem and not self.single.width_px)

    def can_use(self) -> bool:
        """One that knows how it was made."""
        return self.single is not None and bool(self.single.request)

    def can_compare(self) -> bool:
        """A few that can be looked at."""
        return 0 < len(self._ids) <= MAX_COMPARED and len(self._items) == len(self._ids)

    def can_continue(self) -> bool:
        """One clip."""
        return self.single is not None and self.single.kind is GalleryKind.CLIP and not self.single.problem

    def has_single(self) -> bool:
        """Exactly one is chosen."""
        return self.single is not None

    # ---- the wishes -----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Show it large."""
        if self.single is not None and self.can_open():
            self.open_requested.emit(self.single)

    def star(self) -> None:
        """Star all, unless all are starred: then none."""
        if self._ids:
            is_starred = not (self._items and all(item.is_starred for item in self._items))
            self.star_requested.emit(StarWish(self._ids, is_starred))

    def use(self) -> None:
        """Its settings into the form."""
        if self.single is not None and self.can_use():
            self.use_requested.emit(self.single.path)

    def compare(self) -> None:
        """Side by side on the page Compare."""
        if self.can_compare():
            self.compare_requested.emit(tuple(item.path for item in self._items))

    def continue_clip(self) -> None:
        """More frames after its last ones."""
        if self.single is not None and self.can_continue():
            self.continue_requested.emit(self.single.path)

    def show_in_folder(self) -> None:
        """Where its file lies."""
        if self._items:
            self.folder_requested.emit(self._items[0].path)

    def copy(self) -> None:
        """To the clipboard."""
        if self._items:
            self.copy_requested.emit(self._items)

    def export(self) -> None:
        """As another kind of file, somewhere else."""
        if self.single is not None and self.can_open():
            self.export_requested.emit(self.single)

    def delete(self) -> None:
        """To the bin."""
        if self._ids:
            self.delete_requested.emit(self._ids)


class GalleryMenu(QMenu):
    """The context menu; deletes itself."""

    def __init__(self, verbs: GalleryVerbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        items = verbs.items
        is_starred = bool(items) and all(item.is_starred for item in items)
        self._add(self.tr("Open"), verbs.open, "Return", is_enabled=verbs.can_open())
        self._add(self.tr("Take the star away") if is_starred else self.tr("Star"), verbs.star, "S")
        self.addSeparator()
        self._add(self.tr("Use these settings"), verbs.use, "U", is_enabled=verbs.can_use())
        self._add(self.tr("Compare"), verbs.compare, "C", is_enabled=verbs.can_compare())
        if verbs.can_continue():
            self._add(self.tr("Continue this clip"), verbs.continue_clip, "")
        self.addSeparator()
        self._add(self.tr("Copy"), verbs.copy, "Ctrl+C")
        self._add(self.tr("Save as…"), verbs.export, "Ctrl+S", is_enabled=verbs.can_open())
        self._add(self.tr("Show in folder"), verbs.show_in_folder, "", is_enabled=verbs.has_single())
        self.addSeparator()
        self._add(self.tr("Move to the bin"), verbs.delete, "Del")

    def _add(self, text: str, slot: object, keys: str, *, is_enabled: bool = True) -> None:
        action = QAction(text, self)
        action.triggered.connect(slot)
        action.setEnabled(is_enabled)
        if keys:
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.addAction(action)

    def open_at(self, place: QPoint) -> None:
        """Show it."""
        self.popup(place)
