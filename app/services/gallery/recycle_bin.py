"""Deleted results, kept until the bin is emptied. Every deletion is a folder with a list of what it holds."""

import json
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ul_engine.outputs import explained

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class BinEntry:
    """One deleted thing."""

    batch: str
    name: str
    """Its name inside the batch."""
    path: str
    """Where it was, below the folder of results, with slashes."""
    size_bytes: int
    when_s: float
    is_starred: bool = False


@dataclass(frozen=True)
class BinResult:
    """What became of a deletion or of a restoration."""

    batch: str
    done: tuple[str, ...]
    """Paths below the folder of results: those deleted, or those that are back."""
    starred: tuple[str, ...]
    """Those of `done` that are, or were, starred."""
    problems: tuple[str, ...]
    """What the system refused, in words."""


def move_to_bin(root: Path, bin_folder: Path, paths: Sequence[str], starred: frozenset[str] = frozenset()) -> BinResult:
    """Move things below `root` into the bin. The list is written before anything moves, so that nothing is lost on the
    way. Raises OutputError where the bin cannot be made."""
    batch = f"{time.time_ns()}-{os.urandom(3).hex()}"
    folder = bin_folder / batch
    now = time.time()
    entries = [
        BinEntry(batch, f"{number:05d}{Path(path).suffix}", path, size_of(root / path), now, path in starred)
        for number, path in enumerate(paths)
    ]
    with explained(bin_folder):
        folder.mkdir(parents=True)
        _write_manifest(folder, entries)
    done, problems = [], []
    for entry in entries:
        try:
            (root / entry.path).rename(folder / entry.name)
            done.append(entry)
        except FileNotFoundError:
            done.append(entry)  # gone already, which is what was wanted
        except OSError as error:
            problems.append(f"{entry.path}: {error.strerror or error}")
    if not any((folder / entry.name).exists() for entry in entries):
        shutil.rmtree(folder, ignore_errors=True)
    return _result(batch, done, problems)


def restore_from_bin(root: Path, bin_folder: Path, batch: str, names: Iterable[str] | None = None) -> BinResult:
    """Bring a deletion back, or those of its things with these `names`. What stands in its old place keeps it: the
    returning one gets a name beside."""
    folder = bin_folder / Path(batch).name
    wanted = None if names is None else set(names)
    back: list[BinEntry] = []
    problems: list[str] = []
    for entry in _read_manifest(folder):
        if (wanted is not None and entry.name not in wanted) or not (folder / entry.name).exists():
            continue
        target = _free_place(root / entry.path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            (folder / entry.name).rename(target)
        except OSError as error:
            problems.append(f"{entry.path}: {error.strerror or error}")
        else:
            path = target.relative_to(root).as_posix()
            back.append(BinEntry(batch, entry.name, path, entry.size_bytes, entry.when_s, entry.is_starred))
    if not list_batch(folder):
        shutil.rmtree(folder, ignore_errors=True)
    return _result(batch, back, problems)


def list_bin(bin_folder: Path) -> tuple[BinEntry, ...]:
    """Everything in the bin, what was deleted last first."""
    try:
        folders = sorted((path for path in bin_folder.iterdir() if path.is_dir()), reverse=True)
    except OSError:
        return ()
    return tuple(entry for folder in folders for entry in list_batch(folder))


def list_batch(folder: Path) -> list[BinEntry]:
    """What one deletion still holds."""
    return [entry for entry in _read_manifest(folder) if (folder / entry.name).exists()]


def empty_bin(bin_folder: Path) -> None:
    """Remove everything in the bin for good; raises OutputError."""
    if bin_folder.exists():
        with explained(bin_folder):
            shutil.rmtree(bin_folder)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 where it cannot be told."""
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return path.stat().st_size
    except OSError:
        return 0


def _free_place(target: Path) -> Path:
    number = 1
    place = target
    while os.path.lexists(place):
        number += 1
        place = target.with_name(f"{target.stem} ({number}){target.suffix}")
    return place


def _write_manifest(folder: Path, entries: Sequence[BinEntry]) -> None:
    rows = [
        {"name": e.name, "path": e.path, "size_bytes": e.size_bytes, "when_s": e.when_s, "is_starred": e.is_starred}
        for e in entries
    ]
    with (folder / MANIFEST_NAME).open("w", encoding="utf-8") as stream:
        json.dump({"version": 1, "entries": rows}, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())


def _read_manifest(folder: Path) -> list[BinEntry]:
    """What a deletion took. Rows that lead out of the folder of results, or make no sense, are passed over."""
    try:
        rows = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))["entries"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    entries = []
    for row in rows if isinstance(rows, list) else []:
        with suppress(KeyError, TypeError, ValueError):
            entries.append(_entry(folder.name, row))
    return entries


def _entry(batch: str, row: dict[str, Any]) -> BinEntry:
    name, path = str(row["name"]), str(row["path"])
    if Path(name).name != name or Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(path)
    return BinEntry(batch, name, path, int(row["size_bytes"]), float(row["when_s"]), bool(row.get("is_starred")))


def _result(batch: str, entries: Sequence[BinEntry], problems: Sequence[str]) -> BinResult:
    starred = tuple(entry.path for entry in entries if entry.is_starred)
    return BinResult(batch, tuple(entry.path for entry in entries), starred, tuple(problems))
