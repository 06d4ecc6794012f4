"""The answers to a search as an item model: all their numbers, and the results themselves only where somebody looks."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

from app.gallery import GalleryItem, GalleryKind

ItemRole = int(Qt.ItemDataRole.UserRole)
PAGE = 128
"""Results are read in blocks of this size."""
MAX_ITEMS = 4096
"""So many results are kept; those not looked at for longest go."""
AnyIndex = QModelIndex | QPersistentModelIndex


class GalleryList(QAbstractListModel):
    """Rows without a result yet give None and are asked for."""

    items_wanted = Signal(object)  # tuple[int, ...]
    rows_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: tuple[int, ...] = ()
        self._items: OrderedDict[int, GalleryItem] = OrderedDict()
        self._stale: set[int] = set()
        self._wanted: set[int] = set()
        self._asked: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._on_timeout)

    # ---- Qt's side ------------------------------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """All answers, read or not."""
        return 0 if parent.isValid() else len(self._ids)

    def data(self, index: AnyIndex, role: int = ItemRole) -> Any:
        """The result, or its text for screen readers."""
        if not index.isValid() or index.row() >= len(self._ids):
            return None
        if role == ItemRole:
            return self.item(index.row())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            item = self.item(index.row())
            return self._text(item) if item is not None else self.tr("being read")
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        """All can be chosen and dragged out of the window."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled

    def _text(self, item: GalleryItem) -> str:
        parts = [
            item.prompt or item.path.replace("\\", "/").rpartition("/")[2],
            self.tr("clip") if item.kind is GalleryKind.CLIP else "",
            self.tr("starred") if item.is_starred else "",
            item.problem,
        ]
        return ", ".join(part for part in parts if part)

    # ---- what it holds --------------------------------------------------------------------------------------------

    @property
    def ids(self) -> tuple[int, ...]:
        """The numbers of all answers, in order."""
        return self._ids

    def item(self, row: int) -> GalleryItem | None:
        """The result of a row; None while it is being read."""
        number = self._ids[row]
        item = self._items.get(number)
        if item is None or number in self._stale:
            self._want(row)
        if item is not None:
            self._items.move_to_end(number)
        return item

    def known(self, number: int) -> GalleryItem | None:
        """A result by its number, if it is in memory."""
        return self._items.get(number)

    def row_of(self, number: int) -> int | None:
        """Where a result stands."""
        try:
            return self._ids.index(number)
        except ValueError:
            return None

    # ---- what changes it ------------------------------------------------------------------------------------------

    def set_ids(self, ids: Sequence[int]) -> None:
        """Other answers. What both have at their beginnings and ends stays in place, and with it the selection."""
        old, new = self._ids, tuple(ids)
        if old == new:
            return
        head = _num_equal(old, new)
        tail = _num_equal(old[head:][::-1], new[head:][::-1])
        num_old, num_new = len(old) - head - tail, len(new) - head - tail
        if num_old:
            self.beginRemoveRows(QModelIndex(), head, head + num_old - 1)
            self._ids = old[:head] + old[head + num_old :]
            self.endRemoveRows()
        if num_new:
            self.beginInsertRows(QModelIndex(), head, head + num_new - 1)
            self._ids = new
            self.endInsertRows()
        self.rows_changed.emit()

    def set_items(self, asked: Sequence[int], items: Sequence[GalleryItem]) -> None:
        """Results were read; numbers asked for that are not among them are gone."""
        self._asked -= set(asked)
        self._stale -= set(asked)
        for item in items:
            self._items[item.item_id] = item
            self._items.move_to_end(item.item_id)
        while len(self._items) > MAX_ITEMS:
            self._items.popitem(last=False)
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    def set_stale(self) -> None:
        """Something may be other than it was: results stay on show and are read again when looked at."""
        self._stale = set(self._items)
        self._asked.clear()
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    def set_starred(self, ids: Sequence[int], is_starred: bool) -> None:
        """Show results as they will be, before the disk has them so."""
        for number in ids:
            if number in self._items:
                self._items[number] = replace(self._items[number], is_starred=is_starred)
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    def _want(self, row: int) -> None:
        """Ask for a whole block, once."""
        start = row - row % PAGE
        for number in self._ids[start : start + PAGE]:
            if number not in self._asked and (number not in self._items or number in self._stale):
                self._wanted.add(number)
        if self._wanted and not self._timer.isActive():
            self._timer.start()

    def _on_timeout(self) -> None:
        wanted = tuple(sorted(self._wanted))
        self._wanted.clear()
        self._asked.update(wanted)
        for start in range(0, len(wanted), PAGE):
            self.items_wanted.emit(wanted[start : start + PAGE])


def _num_equal(first: Sequence[int], second: Sequence[int]) -> int:
    """How many are the same from the beginning."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
