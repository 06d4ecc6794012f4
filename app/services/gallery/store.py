"""The index itself: one SQLite file in WAL mode, which is thrown away and made again whenever it is of no use."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from app.gallery import GalleryItem, GalleryKind, GalleryQuery
from app.services.gallery.records import Record
from app.services.gallery.sql import order_by, where

SCHEMA_VERSION = 3
BUSY_S = 10.0
PATIENT_S = 20.0
PAUSE_S = 0.02
_TAKEN = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
MAX_VALUES = 500
_SCHEMA = """
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE, modified_ns INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    kind TEXT NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL, num_frames INTEGER NOT NULL,
    prompt TEXT NOT NULL, model TEXT NOT NULL, seed INTEGER, steps INTEGER, guidance REAL, class_label INTEGER,
    request TEXT NOT NULL, problem TEXT NOT NULL, words TEXT NOT NULL, is_starred INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX items_by_time ON items (modified_ns, id, words);
CREATE INDEX items_by_model ON items (model);
"""
"""The index by time holds the words, so that a search reads them alone, in order: 25 000 results in 8 ms, not 34."""
_COLUMNS = (
    "path", "modified_ns", "size_bytes", "kind", "width_px", "height_px", "num_frames", "prompt", "model", "seed",
    "steps", "guidance", "class_label", "request", "problem",
)  # fmt: skip
_ITEM = "id, path, modified_ns, size_bytes, kind, width_px, height_px, num_frames, prompt, model, seed, is_starred, request, problem"  # noqa: E501 - one list
_FRESH = f"""
INSERT INTO items ({", ".join(_COLUMNS)}, words, is_starred) VALUES ({", ".join("?" * (len(_COLUMNS) + 2))})
ON CONFLICT (path) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS[1:], "words", "is_starred"))}
"""  # noqa: E501 - one statement


class IndexLost(Exception):
    """The index is no use and must be made again. Never reaches a person."""


class Store:
    """One connection to the index of one library; a thread each."""

    def __init__(self, file: Path, root: Path) -> None:
        self._file = file
        self._root = root
        self._connection = _opened(file)

    @property
    def root(self) -> Path:
        """The folder of results."""
        return self._root

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def forget_everything(self) -> None:
        """Throw the file away and begin anew."""
        with suppress(sqlite3.Error):
            self._connection.close()
        remove_index(self._file)
        self._connection = _opened(self._file)

    # ---- what is there --------------------------------------------------------------------------------------------

    def known(self, folder: str = "") -> dict[str, tuple[int, int]]:
        """Time and size by path, of all files or those of one folder."""
        with _guarded():
            rows = self._connection.execute(
                "SELECT path, modified_ns, size_bytes FROM items WHERE path >= ? AND path < ?", _span(folder)
            )
            return {path: (modified_ns, size) for path, modified_ns, size in rows}

    def search(self, query: GalleryQuery) -> list[int]:
        """The numbers of all results that answer, in order."""
        condition, values = where(query.conditions)
        with _guarded():
            rows = self._connection.execute(
                f"SELECT id FROM items WHERE {condition} ORDER BY {order_by(query.order)}", values
            )
            return [row[0] for row in rows]

    def items(self, ids: Sequence[int]) -> list[GalleryItem]:
        """Results by their numbers; those that are gone are left out."""
        with _guarded():
            return [self._item(row) for row in self._chosen(_ITEM, ids)]

    def paths(self, ids: Sequence[int]) -> list[str]:
        """Paths below the root of results by their numbers."""
        with _guarded():
            return [str(row[0]) for row in self._chosen("path", ids)]

    def _chosen(self, columns: str, ids: Sequence[int]) -> Iterator[Any]:
        """Rows by number; a statement takes a limited number of values."""
        for start in range(0, len(ids), MAX_VALUES):
            block = ids[start : start + MAX_VALUES]
            marks = ", ".join("?" * len(block))
            yield from self._connection.execute(f"SELECT {columns} FROM items WHERE id IN ({marks})", list(block))

    def matching(self, query: GalleryQuery) -> list[GalleryItem]:
        """All results that answer, whole, in order."""
        condition, values = where(query.conditions)
        with _guarded():
            rows = self._connection.execute(
                f"SELECT {_ITEM} FROM items WHERE {condition} ORDER BY {order_by(query.order)}", values
            )
            return [self._item(row) for row in rows]

    def totals(self) -> tuple[int, int]:
        """How many results, and their bytes."""
        with _guarded():
            count, size = self._connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM items"
            ).fetchone()
        return int(count), int(size)

    def models(self) -> tuple[tuple[str, int], ...]:
        """Models by the number of their results."""
        with _guarded():
            rows = self._connection.execute(
                "SELECT model, COUNT(*) FROM items WHERE model != '' GROUP BY model ORDER BY COUNT(*) DESC, model"
            )
            return tuple((str(model), int(count)) for model, count in rows)

    def _item(self, row: Sequence[object]) -> GalleryItem:
        number, path, modified_ns, size, kind, width, height, frames, prompt, model, seed, starred, request, problem = (
            row
        )
        return GalleryItem(
            item_id=int(str(number)),
            path=str(self._root / str(path)),
            modified_s=int(str(modified_ns)) / 1e9,
            size_bytes=int(str(size)),
            kind=GalleryKind(str(kind)),
            width_px=int(str(width)),
            height_px=int(str(height)),
            num_frames=int(str(frames)),
            prompt=str(prompt),
            model=str(model),
            seed=None if seed is None else int(str(seed)),
            is_starred=bool(starred),
            request=str(request),
            problem=str(problem),
        )

    # ---- what changes it ------------------------------------------------------------------------------------------

    def put(self, records: Iterable[Record], starred: frozenset[str]) -> None:
        """Add files, or say anew what is known of them."""
        rows = [
            (*(_storable(getattr(record, name)) for name in _COLUMNS), record.words, int(record.path in starred))
            for record in records
        ]
        with _guarded(), self._connection:
            self._connection.executemany(_FRESH, rows)

    def drop(self, paths: Iterable[str]) -> None:
        """Forget files that are gone; paths as the index writes them."""
        with _guarded(), self._connection:
            self._connection.executemany("DELETE FROM items WHERE path = ?", [(path,) for path in paths])

    def star(self, starred: frozenset[str]) -> bool:
        """Mark exactly these paths; whether that changed anything."""
        with _guarded(), self._connection:
            rows = self._connection.execute("SELECT path FROM items WHERE is_starred").fetchall()
            marked = {str(row[0]) for row in rows}
            self._connection.executemany(
                "UPDATE items SET is_starred = 0 WHERE path = ?", [(path,) for path in marked - starred]
            )
            self._connection.executemany(
                "UPDATE items SET is_starred = 1 WHERE path = ?", [(path,) for path in starred - marked]
            )
        return marked != starred


def _storable(value: object) -> object:
    """SQLite's whole numbers end where seeds do, but a foreign file may claim anything."""
    return value if not isinstance(value, int) or -(2**63) <= value < 2**63 else None


def _span(folder: str) -> tuple[str, str]:
    """First path and the one after the last, of everything below a folder."""
    return (f"{folder}/", f"{folder}0") if folder else ("", "\U0010ffff")


def remove_index(file: Path) -> None:
    """Delete an index with its two companions; what cannot be deleted is left."""
    for ending in ("", "-wal", "-shm"):
        with suppress(OSError):
            file.with_name(file.name + ending).unlink(missing_ok=True)


def _opened(file: Path) -> sqlite3.Connection:
    """A connection to an index of our kind; whatever else is there is thrown away first. One that somebody else is just
    making is waited for: thrown away, it would be filled by them without a name."""
    patient_until = time.monotonic() + PATIENT_S
    while True:
        try:
            return _connected(file)
        except (sqlite3.DatabaseError, IndexLost) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _TAKEN:
                remove_index(file)
                return _connected(file)
            if time.monotonic() > patient_until:
                raise
        time.sleep(PAUSE_S)


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY_S, check_same_thread=False)
    connection.create_function("fold", 1, _folded, deterministic=True)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        with closing(connection.execute("PRAGMA user_version")) as cursor:
            version = cursor.fetchone()[0]
        if version == 0:
            _create(connection)
        elif version != SCHEMA_VERSION:
            raise IndexLost
        connection.execute("SELECT id, words, is_starred FROM items LIMIT 1").close()
    except BaseException:
        connection.close()
        raise
    return connection


def _folded(text: object) -> str:
    return str(text).casefold()


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another window did so in this moment."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            # No number is given twice, not even by an index that is made anew: whoever still holds one of an older
            # index must not reach another file with it.
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('items', ?)", [time.time_ns() // 1000])
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def _guarded() -> Iterator[None]:
    """What SQLite says of a broken file becomes IndexLost; that a disk is full or a lock taken stays what it is."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such" in str(error) or "disk I/O" in str(error):
            raise IndexLost from error
        raise
    except sqlite3.DatabaseError as error:
        raise IndexLost from error
