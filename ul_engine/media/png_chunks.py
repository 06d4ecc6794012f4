"""The chunks of a PNG file (W3C PNG specification, third edition): texts with their checksums, frames of animations."""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from ul_engine.errors import DataError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT_BYTES = 2**20
MAX_CHUNK_BYTES = 2**31 - 1
_TEXT_KINDS = (b"tEXt", b"zTXt", b"iTXt")


@dataclass
class PngFrames:
    """The animation inside a PNG file."""

    width_px: int = 0
    height_px: int = 0
    has_alpha: bool = False
    bit_depth: int = 8
    delays_s: list[Fraction] = field(default_factory=list)
    """Of each whole frame; none for a still picture."""
    has_cover: bool = False
    """A picture for programs that know no animations comes first and is no frame."""
    is_cut: bool = True
    """The end mark was not found."""


def png_texts(path: str | os.PathLike[str]) -> dict[str, str]:
    """All texts of the PNG file at `path` by name; pixels are skipped. Raises DataError, and OSError.

    The file must be whole down to its end mark and each text must match its checksum; longer texts than
    `MAX_TEXT_BYTES` are left out.
    """
    with Path(path).open("rb") as stream:
        if stream.read(len(SIGNATURE)) != SIGNATURE:
            raise DataError("is no PNG picture", path=path)
        return dict(_texts(stream, path))


def read_png_frames(data: bytes) -> PngFrames:
    """Frames of an APNG by its ``fcTL`` chunks; one is whole once another chunk of its kind or the end follows."""
    found = PngFrames()
    pending: Fraction | None = None
    for kind, body in _chunks(data):
        if kind == b"IHDR" and len(body) >= 10:
            found.width_px, found.height_px, found.bit_depth, colours = struct.unpack(">IIBB", body[:10])
            found.has_alpha = colours in (4, 6)
        elif kind == b"tRNS":
            found.has_alpha = True
        elif kind == b"IDAT" and pending is None:
            found.has_cover = True
        elif kind in (b"fcTL", b"IEND"):
            if pending is not None:
                found.delays_s.append(pending)
            if kind == b"IEND":
                found.is_cut = False
                break
            pending = _delay_s(body)
    return found


def _delay_s(body: bytes) -> Fraction:
    numerator, denominator = (int.from_bytes(body[at : at + 2], "big") for at in (20, 22))
    return Fraction(numerator, denominator or 100)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = len(SIGNATURE)
    while start + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        if start + 12 + size > len(data):
            return
        yield kind, data[start + 8 : start + 8 + min(size, 64)]
        start += 12 + size


def _texts(stream: BinaryIO, path: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of all text chunks; the file must be whole, down to its end mark."""
    cut_short = DataError("is cut short; it was not copied or written to its end", path=path)
    while True:
        header = stream.read(8)
        if len(header) < 8:
            raise cut_short
        size, kind = struct.unpack(">I4s", header)
        if size > MAX_CHUNK_BYTES:
            raise DataError("is damaged (a part claims more bytes than any has)", path=path)
        if kind not in _TEXT_KINDS or size > MAX_TEXT_BYTES:
            stream.seek(size, os.SEEK_CUR)
            if len(stream.read(4)) < 4:
                raise cut_short
            if kind == b"IEND":
                return
            continue
        body, checksum = stream.read(size), stream.read(4)
        if len(body) < size or len(checksum) < 4:
            raise cut_short
        if zlib.crc32(kind + body) != int.from_bytes(checksum, "big"):
            raise DataError("is damaged (a text in it does not match its checksum)", path=path)
        yield _decode_text(kind, body)


def _decode_text(kind: bytes, body: bytes) -> tuple[str, str]:
    name, _, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return name.decode("latin-1"), rest.decode("latin-1")
    if kind == b"zTXt":
        return name.decode("latin-1"), _inflate(rest[1:]).decode("latin-1", "replace")
    is_compressed = rest[:1] == b"\1"
    _language, _, tail = rest[2:].partition(b"\0")
    _translated_name, _, text = tail.partition(b"\0")
    return name.decode("latin-1"), (_inflate(text) if is_compressed else text).decode("utf-8", "replace")


def _inflate(data: bytes) -> bytes:
    """At most MAX_TEXT_BYTES of the unpacked text; broken data give an empty text."""
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT_BYTES)
    except zlib.error:
        return b""
