"""The library as the page shows it: what is asked, what answered, and what is known of the whole."""

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.gallery import Condition, GalleryFacts, GalleryKind, GalleryOrder, GalleryQuery
from app.models.gallery.gallery_list import GalleryList
from app.models.gallery.search import read_search


@dataclass(frozen=True)
class GalleryFilter:
    """What the person wants to see."""

    text: str = ""
    model: str = ""
    """Exact name; empty: any."""
    period: str = ""
    """As the field ``date`` takes it; empty: any."""
    kind: GalleryKind | None = None
    is_starred: bool = False
    order: GalleryOrder = GalleryOrder.NEWEST

    @property
    def is_open(self) -> bool:
        """Whether it leaves nothing out."""
        return not (self.text.strip() or self.model or self.period or self.kind or self.is_starred)


@dataclass(frozen=True)
class ScanState:
    """How far the index is."""

    is_first: bool = True
    """Nothing has been looked at yet."""
    is_running: bool = False
    done: int = 0
    total: int = 0
    problem: str = ""


class Gallery(QObject):
    """Holds; compares; tells. Knows nothing of disks."""

    search_wanted = Signal(object)  # GalleryQuery
    filter_changed = Signal(object)  # GalleryFilter
    facts_changed = Signal(object)  # GalleryFacts
    scan_changed = Signal(object)  # ScanState
    shown_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.list = GalleryList(self)
        self._filter = GalleryFilter()
        self._facts = GalleryFacts()
        self._scan = ScanState()
        self._ticket = 0

    @property
    def filter(self) -> GalleryFilter:
        """What is asked."""
        return self._filter

    @property
    def facts(self) -> GalleryFacts:
        """What is known of the whole."""
        return self._facts

    @property
    def scan(self) -> ScanState:
        """How far the index is."""
        return self._scan

    @property
    def ticket(self) -> int:
        """Number of the newest search; older answers are of no interest."""
        return self._ticket

    @property
    def problem(self) -> str:
        """What in the search text could not be understood."""
        return read_search(self._filter.text).problem

    def query(self) -> GalleryQuery:
        """The question for the index."""
        wanted = self._filter
        conditions = list(read_search(wanted.text).conditions)
        if wanted.period:
            conditions += read_search(f"date:{wanted.period}").conditions
        if wanted.model:
            conditions.append(Condition("model name", "=", wanted.model))
        if wanted.kind is not None:
            conditions.append(Condition("kind", "=", str(wanted.kind)))
        if wanted.is_starred:
            conditions.append(Condition("star", "=", 1))
        return GalleryQuery(tuple(conditions), wanted.order)

    def set_filter(self, **changes: Any) -> None:
        """Ask something else."""
        new = replace(self._filter, **changes)
        if new != self._filter:
            self._filter = new
            self.filter_changed.emit(new)
            self.search()

    def search(self) -> None:
        """Ask (again)."""
        self._ticket += 1
        self.search_wanted.emit(self.query())

    def set_found(self, ticket: int, ids: tuple[int, ...]) -> None:
        """An answer came."""
        if ticket == self._ticket:
            self.list.set_ids(ids)
            self.shown_changed.emit()

    def set_facts(self, facts: GalleryFacts) -> None:
        """The whole is other than it was."""
        if facts != self._facts:
            self._facts = facts
            self.facts_changed.emit(facts)

    def set_scan(self, scan: ScanState) -> None:
        """The index goes on, or is done."""
        if scan != self._scan:
            self._scan = scan
            self.scan_changed.emit(scan)
