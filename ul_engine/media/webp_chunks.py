"""The chunks of a WebP file (RFC 9649): size, frames and their durations, EXIF; and a writer of animations.

Libraries that write animations merge identical frames. Here every frame stays a frame: each is coded alone by Pillow,
cut to the rectangle that changed, and its chunks are put together as the specification says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

UNITS_PER_SECOND = 1000
"""Durations are counted in milliseconds."""

MAX_SIDE_PX = 16383
_HAS_ANIMATION, _HAS_EXIF, _HAS_ALPHA = 0x02, 0x08, 0x10


@dataclass
class WebpChunks:
    """What a WebP file holds."""

    width_px: int = 0
    height_px: int = 0
    """0 for a still picture in the simple layout, which does not state its size here."""
    durations: list[int] = field(default_factory=list)
    """Of each whole frame, in milliseconds; none for a still picture."""
    has_alpha: bool = False
    exif: bytes | None = None
    whole_bytes: int = 12
    is_cut: bool = False


@dataclass(frozen=True)
class WebpFrame:
    """One frame of an animation: the chunks of a still picture for a rectangle, shown for some milliseconds."""

    bitstream: bytes
    x_px: int
    y_px: int
    width_px: int
    height_px: int
    duration_ms: int


def read_webp_chunks(data: bytes) -> WebpChunks:
    """Walk through all chunks; a file that ends too early gives what was whole. Raises ValueError if it is no WebP."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("no WebP")
    found = WebpChunks(is_cut=8 + int.from_bytes(data[4:8], "little") > len(data))
    for kind, body, end in _chunks(data):
        if kind == b"VP8X" and len(body) >= 10:
            found.has_alpha = bool(body[0] & _HAS_ALPHA)
            found.width_px = 1 + int.from_bytes(body[4:7], "little")
            found.height_px = 1 + int.from_bytes(body[7:10], "little")
        elif kind == b"ANMF" and len(body) > 16:
            found.durations.append(int.from_bytes(body[12:15], "little"))
        elif kind == b"EXIF":
            found.exif = body
        found.whole_bytes = end
    return found


def repaired(data: bytes) -> bytes:
    """A file that ends too early as a whole file of the chunks that are there."""
    whole = data[: read_webp_chunks(data).whole_bytes]
    return b"RIFF" + (len(whole) - 8).to_bytes(4, "little") + whole[8:]


def bitstream_of(still: bytes) -> bytes:
    """The chunks with pixels (``VP8L``, or ``ALPH`` and ``VP8 ``) of a still WebP file, as a frame holds them."""
    kept = (b"ALPH", b"VP8 ", b"VP8L")
    return b"".join(_chunk(kind, body) for kind, body, _ in _chunks(still) if kind in kept)


def animation(frames: Sequence[WebpFrame], *, width_px: int, height_px: int, exif: bytes | None) -> bytes:
    """An endless animation without transparency; every frame replaces the pixels of its rectangle."""
    flags = _HAS_ANIMATION | (_HAS_EXIF if exif else 0)
    parts = [
        _chunk(b"VP8X", bytes((flags, 0, 0, 0)) + _three(width_px - 1) + _three(height_px - 1)),
        _chunk(b"ANIM", b"\xff\xff\xff\xff" + b"\0\0"),
        *(_chunk(b"ANMF", _frame_header(frame) + frame.bitstream) for frame in frames),
    ]
    if exif:
        parts.append(_chunk(b"EXIF", exif))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _frame_header(frame: WebpFrame) -> bytes:
    do_not_blend = b"\x02"
    corner = _three(frame.x_px // 2) + _three(frame.y_px // 2)
    size = _three(frame.width_px - 1) + _three(frame.height_px - 1)
    return corner + size + _three(frame.duration_ms) + do_not_blend


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind and content of each whole chunk, and where it ends."""
    start = 12
    while start + 8 <= len(data):
        length = int.from_bytes(data[start + 4 : start + 8], "little")
        end = start + 8 + length + length % 2
        if start + 8 + length > len(data):
            return
        yield data[start : start + 4], data[start + 8 : start + 8 + length], min(end, len(data))
        start = end


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _three(value: int) -> bytes:
    return value.to_bytes(3, "little")
