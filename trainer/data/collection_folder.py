"""Lists the files of a folder tree."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from trainer.data.entries import Entry, is_left_out
from ul_engine.errors import DataError


def folder_entries(root: Path) -> Iterator[Entry]:
    """All files below `root`, links followed, hidden ones left out, in no order. Raises DataError."""
    yield from _below(str(root), "", (_identity(os.stat(root)),))


def _below(folder: str, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as found:
            items = [item for item in found if not is_left_out(item.name)]
    except OSError as error:
        raise DataError(f"cannot be opened ({error.strerror or error})", path=folder) from error
    for item in items:
        status = _status(item)
        if not item.is_dir():
            yield Entry(prefix + item.name, status.st_size, item.path, mark=status.st_mtime_ns)
            continue
        here = _identity(os.stat(item.path))
        if here in above:
            raise DataError("is a link to a folder that it lies in, so it has no end; remove it", path=item.path)
        yield from _below(item.path, f"{prefix}{item.name}/", (*above, here))


def _status(item: os.DirEntry[str]) -> os.stat_result:
    try:
        return item.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DataError("is a link that leads in a circle; remove it", path=item.path) from error
        if item.is_symlink():
            raise DataError("is a link to something that is not there; remove it", path=item.path) from error
        raise DataError(f"cannot be read ({error.strerror or error})", path=item.path) from error


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
