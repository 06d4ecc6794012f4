"""Lists what is in a zip file, and finds the bytes of one of its members without opening the archive anew."""

import bz2
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from trainer.data.entries import BZIP2, DEFLATED, STORED, Entry, is_left_out, safe_name
from ul_engine.errors import DataError

_ENCRYPTED = 0x1
_HEADER = struct.Struct("<4s22x2H")

ReadAt = Callable[[int, int], bytes]
"""Reads (offset, number of bytes) of a file."""


def zip_entries(path: Path) -> Iterator[Entry]:
    """All files in the archive, hidden ones left out, in no order. Raises DataError."""
    try:
        size = path.stat().st_size
        with ZipFile(path) as archive:
            members = archive.infolist()
    except (BadZipFile, NotImplementedError, ValueError) as error:
        raise DataError(f"is no zip file, or was cut short ({error}); copy it again", path=path) from error
    for member in members:
        name = safe_name(member.filename, str(path))
        if not member.is_dir() and not is_left_out(name):
            _check(member, path, size)
            yield Entry(
                name,
                member.file_size,
                str(path),
                offset=member.header_offset,
                stored_bytes=member.compress_size,
                method=member.compress_type,
                mark=member.CRC,
            )


def _check(member: ZipInfo, path: Path, size: int) -> None:
    if member.flag_bits & _ENCRYPTED:
        raise DataError("is protected by a password; unpack it, or pack it again without one", path=path)
    if member.compress_type not in (STORED, DEFLATED, BZIP2):
        raise DataError(
            f"{member.filename} is compressed by method {member.compress_type}, which cannot be read; unpack the "
            "archive, or pack it again with the usual compression or none",
            path=path,
        )
    if member.header_offset + member.compress_size > size:
        raise DataError(f"was cut short: {member.filename} is not in it; copy it again", path=path)


def zip_member(entry: Entry, read_at: ReadAt, where: str) -> bytes:
    """The unpacked bytes of a member, compared with the archive's check sum; raises DataError."""
    header = read_at(entry.offset, _HEADER.size)
    if len(header) < _HEADER.size or header[:4] != b"PK\3\4":
        raise DataError("is damaged: the archive has no header at its place", path=where)
    _, name_bytes, extra_bytes = _HEADER.unpack(header)
    stored = read_at(entry.offset + _HEADER.size + name_bytes + extra_bytes, entry.stored_bytes)
    content = _unpacked(stored, entry, where)
    if len(content) != entry.num_bytes or zlib.crc32(content) != entry.mark:
        raise DataError("is damaged: its check sum is not the archive's", path=where)
    return content


def _unpacked(stored: bytes, entry: Entry, where: str) -> bytes:
    """At most as many bytes as the archive states, however many would come out."""
    try:
        if entry.method == DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(stored, max(entry.num_bytes, 1))
        if entry.method == BZIP2:
            return bz2.BZ2Decompressor().decompress(stored, max(entry.num_bytes, 1))
    except (zlib.error, OSError) as error:
        raise DataError(f"is damaged: it cannot be unpacked ({error})", path=where) from error
    return stored
