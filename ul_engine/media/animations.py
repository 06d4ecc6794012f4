"""Frames of GIF, animated PNG and animated WebP files, decoded by Pillow, counted and timed by their own blocks."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image

from ul_engine.errors import DataError
from ul_engine.media import gif_blocks, webp_chunks
from ul_engine.media.broken import BrokenFrame
from ul_engine.media.clips import Frame, VideoInfo
from ul_engine.media.pictures import MAX_PIXELS, rgb_array
from ul_engine.media.png_chunks import read_png_frames
from ul_engine.media.timeline import Timeline

UNSTATED_DELAY_S = Fraction(1, 10)
"""What browsers make of a frame without a delay, and of one of 10 ms in a GIF."""


@dataclass(frozen=True)
class _Animation:
    """What the blocks of a file say."""

    codec: str
    width_px: int
    height_px: int
    delays_s: Sequence[Fraction]
    has_alpha: bool
    is_cut: bool
    whole: Callable[[bytes], bytes]
    """Makes a file that Pillow accepts of one that ends too early."""
    num_covers: int = 0
    bit_depth: int = 8


class AnimationFrames:
    """Random access to the frames of an animated picture file."""

    def __init__(self, path: str) -> None:
        data = Path(path).read_bytes()
        self._path = path
        self._animation = _animation(data, path)
        self.timeline = _timeline(self._animation, path)
        self.info = _info(path, self._animation, self.timeline)
        self._data = self._animation.whole(data) if self._animation.is_cut else data
        self._next = 0
        self._image = self._opened()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._image.close()

    def frame(self, number: int) -> Frame:
        """Frame `number`, uint8 `[H, W, 3]`, transparency over white; raises BrokenFrame. Rising numbers are quick."""
        if number < self._next:
            self._image.close()
            self._image = self._opened()  # Pillow's own way back fails for APNG
        try:
            self._image.seek(number + self._animation.num_covers)
            self._next = number
            picture = rgb_array(self._image)
        except (EOFError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise BrokenFrame(number, f"cannot be decoded ({error})", self._path) from error
        return np.ascontiguousarray(picture[: self.info.height_px, : self.info.width_px])

    def _opened(self) -> Image.Image:
        try:
            return Image.open(io.BytesIO(self._data))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f"is damaged: 0 frames can be read ({error})", path=self._path) from error


def _animation(data: bytes, path: str) -> _Animation:
    if data[:4] == b"RIFF":
        return _webp(data, path)
    if data[:3] == b"GIF":
        return _gif(data, path)
    return _png(data, path)


def _gif(data: bytes, path: str) -> _Animation:
    try:
        blocks = gif_blocks.read_gif_blocks(data)
    except ValueError:
        raise DataError("is damaged or cut short: 0 frames can be read", path=path) from None
    delays = [UNSTATED_DELAY_S if delay < 2 else Fraction(delay, 100) for delay in blocks.delays]
    size = blocks.width_px, blocks.height_px
    return _Animation(
        "gif", *size, delays, blocks.has_alpha, blocks.is_cut, lambda all_: all_[: blocks.whole_bytes] + b";"
    )


def _webp(data: bytes, path: str) -> _Animation:
    chunks = webp_chunks.read_webp_chunks(data)
    if not chunks.durations and not chunks.is_cut:
        raise DataError(_STILL, path=path)
    delays = [Fraction(ms, 1000) if ms else UNSTATED_DELAY_S for ms in chunks.durations]
    size = chunks.width_px, chunks.height_px
    return _Animation("webp", *size, delays, chunks.has_alpha, chunks.is_cut, webp_chunks.repaired)


def _png(data: bytes, path: str) -> _Animation:
    found = read_png_frames(data)
    if not found.delays_s and not found.is_cut:
        raise DataError(_STILL, path=path)
    delays = [delay or UNSTATED_DELAY_S for delay in found.delays_s]
    return _Animation(
        "apng",
        found.width_px,
        found.height_px,
        delays,
        found.has_alpha,
        found.is_cut,
        lambda all_: all_,
        num_covers=int(found.has_cover),
        bit_depth=found.bit_depth,
    )


_STILL = "is a single picture, no clip"


def _timeline(animation: _Animation, path: str) -> Timeline:
    if not animation.delays_s:
        raise DataError("is cut short: 0 frames can be read" if animation.is_cut else "holds no frames", path=path)
    if not 0 < animation.width_px * animation.height_px <= MAX_PIXELS:
        raise DataError(f"claims frames of {animation.width_px} x {animation.height_px} pixels", path=path)
    per_second = math.lcm(*(delay.denominator for delay in animation.delays_s))
    lengths = [int(delay * per_second) for delay in animation.delays_s]
    clock = {"gif": gif_blocks.UNITS_PER_SECOND, "webp": webp_chunks.UNITS_PER_SECOND}.get(animation.codec, per_second)
    factor = clock // per_second if clock % per_second == 0 else 1
    ticks = np.cumsum([0, *lengths[:-1]], dtype=np.int64) * factor
    return Timeline.of(ticks, Fraction(1, per_second * factor), lengths[-1] * factor)


def _info(path: str, animation: _Animation, timeline: Timeline) -> VideoInfo:
    return VideoInfo(
        path=path,
        codec=animation.codec,
        num_frames=len(timeline),
        fps=timeline.fps,
        is_variable=timeline.is_variable,
        duration_s=timeline.duration_s,
        width_px=animation.width_px,
        height_px=animation.height_px,
        bit_depth=animation.bit_depth,
        has_alpha=animation.has_alpha,
        is_cut=animation.is_cut,
    )
