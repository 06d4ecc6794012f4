"""The blocks of a GIF file (GIF89a specification, W3C): pictures and their delays, comments; nothing is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

UNITS_PER_SECOND = 100
"""Delays are counted in hundredths of a second."""

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _COMMENT, _APPLICATION = 0xF9, 0xFE, 0xFF


@dataclass
class GifBlocks:
    """What a GIF file holds."""

    width_px: int
    height_px: int
    delays: list[int] = field(default_factory=list)
    """Of each whole picture, in hundredths of a second, as written."""
    comments: list[str] = field(default_factory=list)
    has_alpha: bool = False
    whole_bytes: int = 0
    """Up to the end of the last whole picture (or of the header)."""
    header_bytes: int = 0
    """Up to the first block: where comments can be put in."""
    is_cut: bool = True
    """The end mark was not found."""


def read_gif_blocks(data: bytes) -> GifBlocks:
    """Walk through all blocks; a file that ends too early gives what was whole. Raises ValueError if it is no GIF."""
    if len(data) < 13 or data[:6] not in (b"GIF87a", b"GIF89a"):
        raise ValueError("no GIF")
    start = 13 + _table_bytes(data[10])
    blocks = GifBlocks(int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"))
    blocks.header_bytes = blocks.whole_bytes = start
    delay = 0
    while start < len(data):
        kind = data[start]
        if kind == _TRAILER:
            blocks.is_cut = False
            return blocks
        end = _block_end(data, start)
        if end is None or end > len(data):
            return blocks
        if kind == _IMAGE:
            blocks.delays.append(delay)
            blocks.whole_bytes, delay = end, 0
        elif data[start + 1] == _CONTROL and data[start + 2] == 4:
            delay = int.from_bytes(data[start + 4 : start + 6], "little")
            blocks.has_alpha |= bool(data[start + 3] & 1)
        elif data[start + 1] == _COMMENT:
            text = b"".join(_sub_blocks(data, start + 2))
            blocks.comments.append(text.decode("utf-8", "replace"))
        start = end
    return blocks


def with_comments(data: bytes, comments: list[str]) -> bytes:
    """The same GIF with comment blocks (UTF-8) in front of its first block."""
    start = read_gif_blocks(data).header_bytes
    blocks = b"".join(_comment_block(comment.encode()) for comment in comments)
    return b"GIF89a" + data[6:start] + blocks + data[start:]


def _comment_block(text: bytes) -> bytes:
    parts = (text[i : i + 255] for i in range(0, len(text), 255))
    return bytes((_EXTENSION, _COMMENT)) + b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def _block_end(data: bytes, start: int) -> int | None:
    """Where the block at `start` ends; None if the file ends before that, or what stands there is no block."""
    if data[start] == _EXTENSION:
        return _sub_blocks_end(data, start + 2)
    if data[start] != _IMAGE or start + 10 > len(data):
        return None
    return _sub_blocks_end(data, start + 10 + _table_bytes(data[start + 9]) + 1)


def _table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks_end(data: bytes, start: int) -> int | None:
    while start < len(data):
        length = data[start]
        start += 1 + length
        if length == 0:
            return start
    return None


def _sub_blocks(data: bytes, start: int) -> Iterator[bytes]:
    while data[start]:
        yield data[start + 1 : start + 1 + data[start]]
        start += 1 + data[start]
