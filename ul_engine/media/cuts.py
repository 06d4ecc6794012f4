"""Finds out from the outermost parts of a container whether its file ends too early, without decoding anything.

MP4 and MOV: ISO/IEC 14496-12, section 4.2 (boxes). Matroska and WebM: RFC 8794 and RFC 9559 (EBML elements).
AVI: chunks of RIFF.
"""

import os
import struct
from typing import BinaryIO

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot")


def whole_bytes(stream: BinaryIO) -> int:
    """Bytes up to the end of the last outermost part that is all there; the file's size where nothing is missing.

    A container of another kind, or one that states no sizes (a live recording), counts as whole.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(12)
    if head[4:8] in _FIRST_BOXES:
        return _whole_boxes(stream, size)
    if head[:4] == _EBML:
        return _whole_segment(stream, size)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _whole_riff(stream, size)
    return size


def _whole_boxes(stream: BinaryIO, size: int) -> int:
    start = 0
    while start < size:
        stream.seek(start)
        head = stream.read(16)
        if not head.strip(b"\0"):
            return size  # padding
        if len(head) < 8:
            return start
        length = int.from_bytes(head[:4], "big")
        if length == 0:  # "to the end of the file"
            return size
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or start + length > size:
            return start
        start += length
    return size


def _whole_segment(stream: BinaryIO, size: int) -> int:
    stream.seek(4)
    start = 0
    header_bytes = _ebml_size(stream)
    if header_bytes is None:
        return size
    start = stream.tell() + header_bytes
    stream.seek(start)
    if stream.read(4) != _SEGMENT:
        return start
    segment_bytes = _ebml_size(stream)
    if segment_bytes is None:
        return size
    return size if stream.tell() + segment_bytes <= size else start


def _ebml_size(stream: BinaryIO) -> int | None:
    """A length of 1 to 8 bytes whose leading zero bits tell how many follow; None if unknown (all ones) or missing."""
    first = stream.read(1)
    if not first or first == b"\0":
        return None
    count = 8 - first[0].bit_length()
    rest = stream.read(count)
    if len(rest) < count:
        return None
    value = int.from_bytes(first + rest, "big") & ((1 << 7 * (count + 1)) - 1)
    return None if value == (1 << 7 * (count + 1)) - 1 else value


def _whole_riff(stream: BinaryIO, size: int) -> int:
    start = 0
    while start + 8 <= size:
        stream.seek(start)
        kind, length = struct.unpack("<4sI", stream.read(8))
        if kind != b"RIFF" or length == 0:  # a recording whose program stopped before it wrote the length
            return size
        if start + 8 + length > size:
            return start
        start += 8 + length + length % 2
    return size
