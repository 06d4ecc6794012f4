"""Lists what is in a tar file, by an index that is made once: where each member begins, and how long it is.

With it any sample is one seek and one read away, in files that stay as they are for every other program. The index
lies in the user's cache folder under the file's path, size and time of modification, so a changed file gets a new one.
"""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from trainer.data.entries import PIECE, Entry, is_left_out, safe_name
from trainer.data.places import cache_root, key_of, write_whole
from ul_engine.errors import DataError

_FORMAT = "ul-tar-index-1"
_BLOCK = tarfile.BLOCKSIZE

Row = tuple[str, int, int, int]
"""Name, offset, number of bytes, time of modification."""


def tar_entries(path: Path, prefix: str = "") -> Iterator[Entry]:
    """All files in the archive, hidden ones left out, in no order; their names begin with `prefix`. Raises DataError,
    OutputError where the index cannot be kept."""
    for name, offset, num_bytes, mark in _rows(path):
        yield Entry(prefix + name, num_bytes, str(path), offset, num_bytes, PIECE, mark)


def _rows(path: Path) -> list[Row]:
    status = os.stat(path)
    index = cache_root() / "tar-index" / f"{key_of(str(path.resolve()), status.st_size, status.st_mtime_ns)}.json"
    rows = _kept(index)
    if rows is None:
        rows = _read(path, status.st_size)
        write_whole(index, json.dumps({"format": _FORMAT, "file": str(path), "members": rows}).encode())
    return rows


def _kept(index: Path) -> list[Row] | None:
    """The members by an index made earlier; None where there is none that can be used."""
    try:
        content = json.loads(index.read_bytes())
        if content["format"] != _FORMAT:
            return None
        return [(str(name), int(offset), int(size), int(mark)) for name, offset, size, mark in content["members"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is made anew


def _read(path: Path, size: int) -> list[Row]:
    """Walk through all headers; the last of several members of one name counts, as tar has it."""
    rows: dict[str, Row] = {}
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                _add(rows, member, path)
                archive.members = []  # type: ignore[attr-defined]  # it would keep them all in memory
            end = archive.offset
    except tarfile.TarError as error:
        raise DataError(_reason(path, error), path=path) from error
    _check_end(path, end, size)
    return list(rows.values())


def _add(rows: dict[str, Row], member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        return
    name = safe_name(member.name, str(path))
    if is_left_out(name):
        return
    if member.islnk() and (target := rows.get(safe_name(member.linkname, str(path)))):
        rows[name] = (name, *target[1:])
    elif member.isreg() and not member.issparse():
        rows[name] = (name, member.offset_data, member.size, int(member.mtime))
    else:
        raise DataError(
            f"{member.name} is a link or a device, no file; pack the archive again with the files themselves "
            "(tar --dereference --hard-dereference)",
            path=path,
        )


def _check_end(path: Path, end: int, size: int) -> None:
    """A whole tar file ends with empty blocks; without them nobody can tell that nothing is missing."""
    with path.open("rb") as stream:
        stream.seek(max(0, end - _BLOCK))
        tail = stream.read(2 * _BLOCK)
    if end > size or not any(tail[at : at + _BLOCK] == bytes(_BLOCK) for at in (0, _BLOCK)):
        raise DataError("was cut short: it has no end mark; copy it again or pack it again", path=path)


def _reason(path: Path, error: tarfile.TarError) -> str:
    with path.open("rb") as stream:
        head = stream.read(6)
    if head[:2] == b"\x1f\x8b" or head[:3] == b"BZh" or head == b"\xfd7zXZ\0" or head[:4] == b"\x28\xb5\x2f\xfd":
        return "is compressed, so samples cannot be read at random; unpack it to a plain .tar file first"
    return f"is no tar file, or was cut short ({error}); copy it again"
