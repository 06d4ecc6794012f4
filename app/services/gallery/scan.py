"""Compares a folder of results with its index, and reads only what is new or changed."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.services.gallery.place import GalleryPlace
from app.services.gallery.records import CLIPS, COUNTED, PICTURES, read_record
from app.services.gallery.stars import read_stars
from app.services.gallery.store import Store

BATCH = 64
MAX_DEPTH = 4
_KINDS = PICTURES | CLIPS
Known = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class ScanResult:
    """What a scan found: paths below the root."""

    added: int
    changed: int
    removed: int
    folders: tuple[str, ...] | None = None
    """Where results lie, newest names first; None if only one folder was looked at."""
    problem: str = ""
    """Why the folder could not be looked through; the index is then left as it was."""

    @property
    def is_change(self) -> bool:
        """Whether anything is other than before."""
        return bool(self.added or self.changed or self.removed)


Progress = Callable[[int, int], None]
"""Told how many of how many new files are read."""


def scan(
    place: GalleryPlace,
    store: Store,
    folder: str = "",
    *,
    progress: Progress = lambda done, total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> ScanResult:
    """Bring the index of a library (or of one folder below its root) up to date. Raises IndexLost."""
    try:
        found = dict(walk(place.root, folder))
    except OSError as error:
        return ScanResult(0, 0, 0, problem=f"{place.root}: {error.strerror or error}")
    known = store.known(folder)
    gone = known.keys() - found.keys()
    wanted = [path for path, state in found.items() if known.get(path) != state]
    wanted.sort(key=lambda path: found[path][0], reverse=True)
    store.drop(gone)
    starred = read_stars(place.stars)
    for start in range(0, len(wanted), BATCH):
        if is_cancelled():
            break
        batch = wanted[start : start + BATCH]
        records = []
        for path in batch:
            try:
                records.append(read_record(place.root, path, *found[path]))
            except OSError:  # gone or locked since it was listed; the next scan sees
                continue
        store.put(records, starred)
        progress(start + len(batch), len(wanted))
    if not folder:
        store.star(starred)
    num_changed = sum(path in known for path in wanted)
    num_added = len(wanted) - num_changed
    if folder:
        return ScanResult(num_added, num_changed, len(gone))
    folders = sorted({path.rpartition("/")[0] for path in found} - {""}, reverse=True)
    return ScanResult(num_added, num_changed, len(gone), tuple(folders))


def walk(root: Path, folder: str = "") -> Iterator[tuple[str, tuple[int, int]]]:
    """Path below the root, then time and size, of every result; hidden names, names that are no text and foreign kinds
    are passed over.

    A folder that is gone holds nothing; one that cannot be read raises OSError if it is the root.
    """
    try:
        yield from _walk(root, folder, MAX_DEPTH)
    except FileNotFoundError:
        return


def _walk(root: Path, folder: str, depth: int) -> Iterator[tuple[str, tuple[int, int]]]:
    with os.scandir(root / folder if folder else root) as entries:
        listed = list(entries)
    for entry in listed:
        if entry.name.startswith(".") or not _is_text(entry.name):
            continue
        path = f"{folder}/{entry.name}" if folder else entry.name
        try:
            if entry.is_dir():
                yield from _folder(root, path, depth)
            elif os.path.splitext(entry.name)[1].lower() in _KINDS and entry.is_file():
                state = entry.stat()
                yield path, (state.st_mtime_ns, state.st_size)
        except OSError:
            continue


def _folder(root: Path, path: str, depth: int) -> Iterator[tuple[str, tuple[int, int]]]:
    if COUNTED.match(path.rpartition("/")[2]):
        yield from _clip_of_pictures(root, path)
    elif depth > 1:
        yield from _walk(root, path, depth - 1)


def _clip_of_pictures(root: Path, path: str) -> Iterator[tuple[str, tuple[int, int]]]:
    with os.scandir(root / path) as entries:
        states = [entry.stat() for entry in entries if entry.name.endswith(".png")]
    if states:
        yield path, (max(state.st_mtime_ns for state in states), sum(state.st_size for state in states))


def _is_text(name: str) -> bool:
    """Whether a name can be kept in the index: some systems take any bytes for one."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_result(path: str) -> bool:
    """Whether a name is one that a scan would list."""
    return os.path.splitext(path)[1].lower() in _KINDS
