"""Moves the models folder: copied first, compared, and only then removed at its old place."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ul_engine.errors import Cancelled, OutputError
from ul_engine.outputs import explained

CHUNK_BYTES = 4 * 2**20
SPARE_BYTES = 64 * 2**20


def move_folder(
    source: Path, target: Path, progress: Callable[..., None], is_cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """Move everything in `source` into `target`, which must be empty or not be there.

    A failure or a cancelling on the way leaves `source` whole and takes away what was copied. What could not be removed
    in the end is told as `left`. Raises OutputError, Cancelled.
    """
    with explained(target):
        _require_sensible(source, target)
    with explained(source):
        files = _files(source)
    total = sum(size for _, size in files)
    with explained(target):
        is_new = not target.exists()
        target.mkdir(parents=True, exist_ok=True)
    try:
        with explained(target):
            _require_room(target, total)
        _copy_all(source, target, files, (progress, is_cancelled))
    except BaseException:
        _take_back(target, [relative for relative, _ in files], is_new=is_new)
        raise
    progress(state="finishing", done_bytes=total, total_bytes=total)
    left = _remove(source, [relative for relative, _ in files])
    return {"folder": str(target), "left": left}


def _require_sensible(source: Path, target: Path) -> None:
    one, other = source.resolve(), target.resolve()
    if one == other:
        raise OutputError("is where the models are already", path=target)
    if other.is_relative_to(one) or one.is_relative_to(other):
        raise OutputError("lies inside the other folder; choose one apart from it", path=target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError("holds something already; choose an empty folder", path=target)


def _require_room(target: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(target).free
    if free < needed_bytes + SPARE_BYTES:
        raise OutputError(
            f"needs {needed_bytes / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free there", path=target
        )


def _files(folder: Path) -> list[tuple[Path, int]]:
    """Every file below, with its size, in order. Raises OutputError for a link to a folder, whose content would be
    neither copied nor missed."""
    if not folder.exists():
        return []
    everything = list(folder.rglob("*"))
    for path in everything:
        if path.is_symlink() and path.is_dir():
            raise OutputError("is a link to another folder; take it away or put the folder itself here", path=path)
    files = [path for path in everything if path.is_file() and path.suffix != ".lock"]
    return sorted((path.relative_to(folder), path.stat().st_size) for path in files)


def _copy_all(
    source: Path,
    target: Path,
    files: list[tuple[Path, int]],
    report: tuple[Callable[..., None], Callable[[], bool]],
) -> None:
    """Copy files, and make sure that they are what was copied and what is to be copied still."""
    total, done = sum(size for _, size in files), 0
    for relative, _ in files:
        done = _copy(source / relative, target / relative, done, total, report)
    if not set(files) <= set(_files(target)):
        raise OutputError("does not hold what was copied there; nothing was moved", path=target)
    if _files(source) != files:
        raise OutputError("changed while it was copied; nothing was moved, try again", path=source)


def _copy(
    source: Path, target: Path, done: int, total: int, report: tuple[Callable[..., None], Callable[[], bool]]
) -> int:
    progress, is_cancelled = report
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as reading, target.open("wb") as writing:
            while chunk := reading.read(CHUNK_BYTES):
                if is_cancelled():
                    raise Cancelled
                writing.write(chunk)
                done += len(chunk)
                progress(state="moving", file=source.name, done_bytes=done, total_bytes=total)
            writing.flush()
            os.fsync(writing.fileno())
        shutil.copystat(source, target)
    return done


def _take_back(target: Path, copied: list[Path], *, is_new: bool) -> None:
    """Remove copies, and the folders that are empty then; what others have put there meanwhile stays."""
    for relative in copied:
        with suppress(OSError):
            (target / relative).unlink(missing_ok=True)
    _remove_empty_folders(target)
    if is_new:
        with suppress(OSError):  # not empty
            target.rmdir()


def _remove(source: Path, copied: list[Path]) -> str:
    """Remove what was copied, and the folders that are empty then; the first thing that the system refuses to remove is
    told. Whatever came meanwhile stays."""
    left = ""
    for relative in copied:
        try:
            (source / relative).unlink(missing_ok=True)
        except OSError as error:
            left = left or f"{source / relative}: {error.strerror or error}"
    for lock in list(source.glob("*.lock")):
        with suppress(OSError):
            lock.unlink()
    _remove_empty_folders(source)
    with suppress(OSError):  # not empty
        source.rmdir()
    return left


def _remove_empty_folders(folder: Path) -> None:
    """Those below, the deepest first."""
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with suppress(OSError):  # not empty
            path.rmdir()
