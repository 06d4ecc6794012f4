"""Writes clips as animated WebP; every frame stays a frame of its own."""

import io
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from ul_engine.errors import ConfigError, OutputError
from ul_engine.media.clips import Frame, WrittenClip, checked_frame
from ul_engine.media.picture_texts import exif_bytes
from ul_engine.media.rates import rounded_times
from ul_engine.media.webp_chunks import MAX_SIDE_PX, UNITS_PER_SECOND, WebpFrame, animation, bitstream_of

MAX_FPS = 90
"""Viewers show frames of 10 ms and less for 100 ms."""


def write_webp(
    path: Path, frames: Iterable[Frame], fps: Fraction, *, quality: int, texts: Mapping[str, str]
) -> WrittenClip:
    """Write frames, uint8 `[H, W, 3]` each, endlessly repeated; texts go into EXIF.

    `quality` 1 to 99 loses something, 100 nothing. Durations are whole milliseconds: frame k starts at k / fps rounded
    to them. Raises ConfigError above 90 frames per second, OutputError beyond 16383 pixels.
    """
    if fps > MAX_FPS:
        raise ConfigError(f"WebP plays at most {MAX_FPS} frames per second; choose fewer, or MP4 or WebM", field="fps")
    coded, first = [], None
    for frame, x, y, corner_size in _changes(frames):
        first = frame if first is None else first
        if max(frame.shape) > MAX_SIDE_PX:
            raise OutputError(f"WebP takes at most {MAX_SIDE_PX} pixels a side; choose another format")
        width, height = corner_size
        is_still = corner_size == (1, 1)
        part = _bitstream(frame[y : y + height, x : x + width], 100 if is_still else quality)
        coded.append((part, x, y, width, height))
    assert first is not None
    times = rounded_times(len(coded), fps, UNITS_PER_SECOND)
    shown = [WebpFrame(*change, times[k + 1] - times[k]) for k, change in enumerate(coded)]
    height, width = first.shape[:2]
    exif = exif_bytes(texts).removeprefix(b"Exif\0\0") if texts else None
    path.write_bytes(animation(shown, width_px=width, height_px=height, exif=exif))
    return WrittenClip(path, len(shown), Fraction(len(shown) * UNITS_PER_SECOND, times[-1]), width, height)


def _changes(frames: Iterable[Frame]) -> Iterator[tuple[Frame, int, int, tuple[int, int]]]:
    """Each frame with the corner and (width, height) of the rectangle that differs from the frame before."""
    before: Frame | None = None
    first: Frame | None = None
    for given in frames:
        frame = checked_frame(given, like=first)
        first = frame if first is None else first
        x, y, width, height = _changed(before, frame)
        yield frame, x, y, (width, height)
        before = frame


def _changed(before: Frame | None, frame: Frame) -> tuple[int, int, int, int]:
    """Left, top (both even, as the format asks), width and height; one pixel where nothing changed."""
    height, width = frame.shape[:2]
    if before is None:
        return 0, 0, width, height
    differs = (before != frame).any(axis=2)
    if not differs.any():
        return 0, 0, 1, 1
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    left, top = int(columns[0]) // 2 * 2, int(rows[0]) // 2 * 2
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def _bitstream(picture: Frame, quality: int) -> bytes:
    buffer = io.BytesIO()
    options = {"lossless": True, "quality": 80} if quality == 100 else {"quality": quality}
    Image.fromarray(picture).save(buffer, "WEBP", method=4, **options)
    return bitstream_of(buffer.getvalue())
