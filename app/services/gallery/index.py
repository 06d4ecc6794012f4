"""The library's index in threads of its own: one that looks at the files and writes, one that answers."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.gallery import Cleanup, CleanupPreview, Condition, GalleryFacts, GalleryItem, GalleryOrder, GalleryQuery
from app.services.gallery.duplicates import duplicates
from app.services.gallery.place import GalleryPlace, find_place
from app.services.gallery.records import read_record
from app.services.gallery.recycle_bin import BinEntry, BinResult, empty_bin, list_bin, move_to_bin, restore_from_bin
from app.services.gallery.scan import ScanResult, scan
from app.services.gallery.stars import read_stars, write_stars
from app.services.gallery.store import IndexLost, Store
from app.services.worker_thread import WorkerThread
from ul_engine.errors import OutputError

NEWS_EVERY_S = 0.2
MAX_NEWS_EVERY_S = 3.0


@dataclass(frozen=True)
class Found:
    """The answer to a search."""

    ticket: int
    ids: tuple[int, ...]


@dataclass(frozen=True)
class ItemsRead:
    """Results by their numbers, as asked; those that are gone are missing."""

    ids: tuple[int, ...]
    items: tuple[GalleryItem, ...]


@dataclass(frozen=True)
class ScanProgress:
    """How many new files are read."""

    done: int
    total: int


@dataclass(frozen=True)
class GalleryProblem:
    """Something could not be done: what, and why."""

    deed: str
    message: str


class GalleryIndex(QObject):
    """What the library of one folder of results can be asked, and told. Every answer is a signal."""

    found = Signal(object)  # Found
    items_read = Signal(object)  # ItemsRead
    facts_read = Signal(object)  # GalleryFacts
    content_changed = Signal()
    scan_progressed = Signal(object)  # ScanProgress
    scan_finished = Signal(object)  # ScanResult
    binned = Signal(object)  # BinResult
    restored = Signal(object)  # BinResult
    bin_listed = Signal(object)  # tuple[BinEntry, ...]
    bin_emptied = Signal()
    cleanup_previewed = Signal(object)  # CleanupPreview
    problem_found = Signal(object)  # GalleryProblem

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = root
        self._newest = 0
        self._writing = WorkerThread("gallery-files")
        self._answering = WorkerThread("gallery-answers")
        self._writer: tuple[GalleryPlace, Store] | None = None
        self._reader: tuple[GalleryPlace, Store] | None = None

    @property
    def root(self) -> Path:
        """The folder of results."""
        return self._root

    def set_root(self, root: Path) -> None:
        """Another folder of results."""
        if root != self._root:
            self._root = root
            self.rescan()

    def close(self) -> None:
        """End the threads; a scan stops early and goes on at the next start."""
        self._writing.close()
        self._answering.close()
        for opened in (self._writer, self._reader):
            if opened is not None:
                opened[1].close()

    # ---- what it can be told --------------------------------------------------------------------------------------

    def rescan(self, folder: str = "") -> None:
        """Look at the files again, or at those of one folder below the root."""
        self._write("scan", self._scan, folder)

    def add(self, path: str) -> None:
        """A new result was written."""
        self._write("scan", self._add, path)

    def set_stars(self, ids: tuple[int, ...], is_starred: bool) -> None:
        """Star results, or take their stars."""
        self._write("star", self._star, ids, is_starred)

    def reread_stars(self) -> None:
        """Another window may have starred something."""
        self._write("star", self._reread_stars)

    def bin(self, ids: tuple[int, ...]) -> None:
        """Move results to the bin."""
        self._write("bin", self._bin, ids)

    def restore(self, batch: str, names: tuple[str, ...] | None = None) -> None:
        """Bring a deletion back, or a part of it."""
        self._write("restore", self._restore, batch, names)

    def empty_bin(self) -> None:
        """Remove for good what was deleted."""
        self._write("empty", self._empty)

    # ---- what it can be asked -------------------------------------------------------------------------------------

    def search(self, ticket: int, query: GalleryQuery) -> None:
        """Ends in `found` with this ticket, unless a newer one has come before its turn."""
        self._newest = ticket
        self._read(self._search, ticket, query)

    def read_items(self, ids: tuple[int, ...]) -> None:
        """Ends in `items_read`."""
        self._read(self._items, ids)

    def read_facts(self) -> None:
        """Ends in `facts_read`."""
        self._read(self._facts)

    def list_bin(self) -> None:
        """Ends in `bin_listed`."""
        self._read(self._list_bin)

    def preview_cleanup(self, wish: Cleanup) -> None:
        """Ends in `cleanup_previewed`."""
        self._read(self._preview, wish)

    # ---- in the writing thread; signals are queued to their receivers ---------------------------------------------

    def _write(self, deed: str, work: Callable[..., None], *args: object) -> None:
        self._writing.do(self._written, deed, work, args)

    def _written(self, deed: str, work: Callable[..., None], args: tuple[object, ...]) -> None:
        try:
            try:
                work(*self._place_and_store_to_write(), *args)
            except IndexLost:
                self._begin_anew()
                work(*self._place_and_store_to_write(), *args)
        except (OSError, OutputError, sqlite3.Error, IndexLost) as error:
            self.problem_found.emit(GalleryProblem(deed, str(error) or type(error).__name__))

    def _place_and_store_to_write(self) -> tuple[GalleryPlace, Store]:
        if self._writer is None or self._writer[0].root != self._root:
            if self._writer is not None:
                self._writer[1].close()
                self._writer = None
            self._writer = _opened(self._root)
        return self._writer

    def _begin_anew(self) -> None:
        """The index is of no use: files are the truth, so it is made again from them."""
        place, store = self._place_and_store_to_write()
        store.forget_everything()
        self._answering.do(self._close_reader)  # or it would go on answering from the file that is gone
        self._scan(place, store, "")

    def _scan(self, place: GalleryPlace, store: Store, folder: str) -> None:
        told_at, pause_s = time.monotonic(), NEWS_EVERY_S

        def tell(done: int, total: int) -> None:
            """Often at the beginning, when something new is on show each time; less often later."""
            nonlocal told_at, pause_s
            if time.monotonic() - told_at >= pause_s:
                told_at, pause_s = time.monotonic(), min(MAX_NEWS_EVERY_S, pause_s * 1.5)
                self.scan_progressed.emit(ScanProgress(done, total))
                self.content_changed.emit()

        result = scan(place, store, folder, progress=tell, is_cancelled=self._writing.is_closing)
        if result.is_change:
            self.content_changed.emit()
        self.scan_finished.emit(result)

    def _add(self, place: GalleryPlace, store: Store, path: str) -> None:
        file = Path(path)
        try:
            relative = file.relative_to(place.root).as_posix()
        except ValueError:
            return  # saved elsewhere meanwhile
        if file.is_dir():
            self._scan(place, store, relative.rpartition("/")[0])
            return
        try:
            state = file.stat()
            store.put([read_record(place.root, relative, state.st_mtime_ns, state.st_size)], read_stars(place.stars))
        except FileNotFoundError:
            return
        self.content_changed.emit()

    def _star(self, place: GalleryPlace, store: Store, ids: tuple[int, ...], is_starred: bool) -> None:
        write_stars(place.stars, _present(store, ids), is_starred=is_starred)
        self._reread_stars(place, store)

    def _reread_stars(self, place: GalleryPlace, store: Store) -> None:
        if store.star(read_stars(place.stars)):
            self.content_changed.emit()

    def _bin(self, place: GalleryPlace, store: Store, ids: tuple[int, ...]) -> None:
        result = move_to_bin(place.root, place.bin, _present(store, ids), read_stars(place.stars))
        if result.starred:
            write_stars(place.stars, result.starred, is_starred=False)
        store.drop(result.done)
        self.content_changed.emit()
        self.binned.emit(result)

    def _restore(self, place: GalleryPlace, store: Store, batch: str, names: tuple[str, ...] | None) -> None:
        result = restore_from_bin(place.root, place.bin, batch, names)
        if result.starred:
            write_stars(place.stars, result.starred, is_starred=True)
        scan(place, store)
        self.content_changed.emit()
        self.restored.emit(result)

    def _empty(self, place: GalleryPlace, _store: Store) -> None:
        empty_bin(place.bin)
        self.bin_emptied.emit()

    # ---- in the answering thread ----------------------------------------------------------------------------------

    def _read(self, work: Callable[..., None], *args: object) -> None:
        self._answering.do(self._answered, work, args)

    def _answered(self, work: Callable[..., None], args: tuple[object, ...]) -> None:
        try:
            if self._reader is None or self._reader[0].root != self._root:
                self._close_reader()
                self._reader = _opened(self._root)
            work(*self._reader, *args)
        except IndexLost:
            self._close_reader()
            self._write("scan", self._rebuild)
        except (OSError, sqlite3.Error) as error:
            self.problem_found.emit(GalleryProblem("search", str(error)))

    def _rebuild(self, _place: GalleryPlace, _store: Store) -> None:
        self._begin_anew()
        self.content_changed.emit()

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader[1].close()
            self._reader = None

    def _search(self, _place: GalleryPlace, store: Store, ticket: int, query: GalleryQuery) -> None:
        if ticket == self._newest:
            self.found.emit(Found(ticket, tuple(store.search(query))))

    def _items(self, _place: GalleryPlace, store: Store, ids: tuple[int, ...]) -> None:
        self.items_read.emit(ItemsRead(ids, tuple(store.items(ids))))

    def _facts(self, place: GalleryPlace, store: Store) -> None:
        entries = list_bin(place.bin)
        count, size = store.totals()
        in_bin = sum(entry.size_bytes for entry in entries)
        self.facts_read.emit(GalleryFacts(count, size, store.models(), len(entries), in_bin))

    def _list_bin(self, place: GalleryPlace, _store: Store) -> None:
        self.bin_listed.emit(list_bin(place.bin))

    def _preview(self, _place: GalleryPlace, store: Store, wish: Cleanup) -> None:
        items = store.matching(cleanup_query(wish, time.time()))
        if wish.is_duplicate:
            everything = store.matching(GalleryQuery())
            spare = {item.item_id for item in duplicates(everything, self._answering.is_closing)}
            items = [item for item in items if item.item_id in spare]
        self.cleanup_previewed.emit(CleanupPreview(wish, tuple(items)))


def cleanup_query(wish: Cleanup, now_s: float) -> GalleryQuery:
    """The question that a clean-up puts to the index; duplicates are found apart. Nothing asked for finds nothing."""
    conditions = [Condition("star", "=", 0)]
    if wish.older_than_days is not None:
        conditions.append(Condition("time", "<", now_s - timedelta(days=wish.older_than_days).total_seconds()))
    if wish.smaller_than_px is not None:
        conditions += [Condition("size", "<", wish.smaller_than_px), Condition("broken", "=", 0)]
    if wish.is_unreadable:
        conditions.append(Condition("broken", "=", 1))
    if len(conditions) == 1 and not wish.is_duplicate:
        conditions.append(Condition("bytes", "<", 0))
    return GalleryQuery(tuple(conditions), GalleryOrder.OLDEST)


def _opened(root: Path) -> tuple[GalleryPlace, Store]:
    place = find_place(root)
    try:
        return place, Store(place.index, root)
    except (sqlite3.Error, OSError):  # a disk over the network, or a full one, that SQLite cannot work on
        from dataclasses import replace

        from app.services.gallery.place import fallback_folder

        place = replace(place, own=fallback_folder(root))
        return place, Store(place.index, root)


__all__ = [
    "BinEntry",
    "BinResult",
    "Found",
    "GalleryIndex",
    "GalleryProblem",
    "ItemsRead",
    "ScanProgress",
    "ScanResult",
]


def _present(store: Store, ids: tuple[int, ...]) -> list[str]:
    """Paths of results by their numbers. Raises OutputError if none is there (any more), so that nothing is done to
    others instead."""
    paths = store.paths(ids)
    if ids and not paths:
        raise OutputError("the list was out of date; choose again", path=store.root)
    return paths
