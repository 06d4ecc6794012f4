"""Reads clips: video files of all common kinds, animated pictures, folders of pictures.

``probe`` tells what a file holds, ``iter_frames`` hands out frames one by one, ``read_clip`` gives an array. Frame k is
the k-th frame in the order they are shown, wherever the file's key frames are.
"""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from PIL import Image

from ul_engine.errors import ConfigError, DataError
from ul_engine.media.animations import AnimationFrames
from ul_engine.media.broken import BrokenFrame
from ul_engine.media.clips import Clip, Frame, VideoInfo
from ul_engine.media.container_frames import ContainerFrames
from ul_engine.media.png_chunks import SIGNATURE as PNG
from ul_engine.media.rates import as_rate
from ul_engine.media.sequences import SequenceFrames, is_sequence
from ul_engine.media.timeline import Numbers, Timeline

MAX_CLIP_BYTES = 8 * 2**30
"""A larger clip is not read into memory at once."""

FilePath = str | os.PathLike[str]


class FrameSource(Protocol):
    """An open clip: frames by number, uint8 `[H, W, 3]`. Rising numbers are quick; close it by ``with``."""

    @property
    def info(self) -> VideoInfo: ...
    @property
    def timeline(self) -> Timeline: ...
    def frame(self, number: int) -> Frame: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_error: object) -> None: ...


def open_clip(path: FilePath, *, sequence_fps: Fraction | float | str | None = None) -> FrameSource:
    """Open a clip for reading frames by number.

    `path` is a video file, a GIF, APNG or animated WebP, a folder of pictures, or a pattern of their names
    (``shot_%04d.png``, ``shot_*.jpg``). `sequence_fps` is the rate of pictures, None for what they state (24 where
    they state none). Raises DataError: missing, empty, unreadable, no clip, nothing whole in it.
    """
    name = os.fspath(path)
    if is_sequence(name):
        return SequenceFrames(name, None if sequence_fps is None else as_rate(sequence_fps))
    try:
        return _open_file(name)
    except FileNotFoundError:
        raise DataError("there is no such file", path=path) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error


def _open_file(name: str) -> FrameSource:
    with Path(name).open("rb") as stream:
        head = stream.read(16)
    if not head:
        raise DataError("is empty", path=name)
    if head[:4] == b"GIF8" or head[:8] == PNG or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return AnimationFrames(name)
    if head[:2] in (b"\xff\xd8", b"BM", b"II", b"MM"):
        raise DataError("is a single picture, no clip", path=name)
    return ContainerFrames(name)


def probe(path: FilePath, *, sequence_fps: Fraction | float | str | None = None) -> VideoInfo:
    """What the clip at `path` holds, counted exactly; at most one frame is decoded. As `open_clip` otherwise.

    A file that is cut short is no error here: `is_cut` says it, `num_frames` counts what is whole.
    """
    with open_clip(path, sequence_fps=sequence_fps) as source:
        return source.info


def iter_frames(
    path: FilePath,
    *,
    start: int = 0,
    num_frames: int | None = None,
    stride: int = 1,
    size_px: int | None = None,
    fps: Fraction | float | str | None = None,
    accept_cut: bool = False,
    sequence_fps: Fraction | float | str | None = None,
) -> Iterator[Frame]:
    """The frames that `read_clip` would give, one after the other; only one is in memory.

    Of a clip that is cut short or damaged all whole frames come first, then DataError (unless `accept_cut`).
    """
    with open_clip(path, sequence_fps=sequence_fps) as source:
        chosen = _chosen(source, start, num_frames, stride, fps)
        yield from _frames(source, chosen, size_px, accept_cut=accept_cut)
        if num_frames is None and not accept_cut:
            _refuse_cut(source.info)


def read_clip(
    path: FilePath,
    *,
    start: int = 0,
    num_frames: int | None = None,
    stride: int = 1,
    size_px: int | None = None,
    fps: Fraction | float | str | None = None,
    accept_cut: bool = False,
    sequence_fps: Fraction | float | str | None = None,
) -> Clip:
    """Frames `start`, `start + stride`, ... of the clip at `path`, `num_frames` of them (None: all to the end).

    `fps` first brings the clip to this constant rate (also one whose rate varies): at each multiple of 1/fps stands
    the frame that is on screen then, so frames are repeated or left out, never blended; `start` and `stride` then
    count these. `size_px` scales the shorter side to it (Lanczos, antialiased), keeping the shape.

    Raises DataError where frames are asked for that the clip does not have. A file that is cut short gives the frames
    before the cut; asking for more, or for all, is an error that says how many there are, unless `accept_cut`, which
    takes the whole frames before the cut or the first damaged one, at least one.
    """
    with open_clip(path, sequence_fps=sequence_fps) as source:
        if num_frames is None and not accept_cut:
            _refuse_cut(source.info)
        chosen = _chosen(source, start, num_frames, stride, fps, accept_cut=accept_cut)
        _check_memory(source.info, len(chosen), size_px)
        frames = np.empty((len(chosen), *_height_and_width(source.info, size_px), 3), dtype=np.uint8)
        count = 0
        for frame in _frames(source, chosen, size_px, accept_cut=accept_cut):
            frames[count] = frame
            count += 1
        rate = (source.timeline.fps if fps is None else as_rate(fps)) / stride
        return Clip(frames[:count], rate, tuple(chosen[:count].tolist()), source.info)


def _chosen(
    source: FrameSource,
    start: int,
    num_frames: int | None,
    stride: int,
    fps: Fraction | float | str | None,
    *,
    accept_cut: bool = False,
) -> Numbers:
    """Numbers of the frames that are asked for; raises DataError if the clip does not have them."""
    for field, value, least in (("start", start, 0), ("num_frames", num_frames, 1), ("stride", stride, 1)):
        if value is not None and value < least:
            raise ConfigError(f"must be at least {least}, not {value}", field=field)
    numbers = source.timeline.numbers_at(None if fps is None else as_rate(fps))
    chosen = numbers[start::stride][:num_frames]
    is_short = len(chosen) == 0 or (num_frames is not None and len(chosen) < num_frames)
    if is_short and not (accept_cut and source.info.is_cut and len(chosen)):
        last = start + (num_frames or 1) * stride - stride
        cut = "is cut short: only" if source.info.is_cut else "has"
        at_rate = "" if fps is None else f" at {fps} frames per second"
        raise DataError(
            f"{cut} {len(numbers)} frames{at_rate} (0 to {len(numbers) - 1}); frame {last} was asked for",
            path=source.info.path,
        )
    return chosen


def _frames(source: FrameSource, chosen: Numbers, size_px: int | None, *, accept_cut: bool) -> Iterator[Frame]:
    height, width = _height_and_width(source.info, size_px)
    last, frame = -1, None
    for number in chosen.tolist():
        if frame is None or number != last:
            try:
                frame = source.frame(number)
            except BrokenFrame:
                if accept_cut and frame is not None:
                    return
                raise
            if frame.shape[:2] != (height, width):
                frame = np.array(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS))
            last = number
        yield frame


def _height_and_width(info: VideoInfo, size_px: int | None) -> tuple[int, int]:
    height, width = info.height_px, info.width_px
    if size_px is None:
        return height, width
    if size_px < 1:
        raise ConfigError(f"must be at least 1, not {size_px}", field="size_px")
    shorter = min(height, width)
    return max(1, round(height * size_px / shorter)), max(1, round(width * size_px / shorter))


def _check_memory(info: VideoInfo, num_frames: int, size_px: int | None) -> None:
    height, width = _height_and_width(info, size_px)
    num_bytes = num_frames * height * width * 3
    if num_bytes > MAX_CLIP_BYTES:
        raise DataError(
            f"{num_frames} frames of {width} x {height} pixels take {num_bytes / 2**30:.1f} GiB of memory; "
            "read fewer at a time, a larger stride, or a smaller size",
            path=info.path,
        )


def _refuse_cut(info: VideoInfo) -> None:
    if info.is_cut:
        raise DataError(
            f"is cut short: only its first {info.num_frames} frames are whole and can be read; copy or download it "
            "again, or accept what is there",
            path=info.path,
        )
