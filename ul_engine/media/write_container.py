"""Writes clips as MP4 (H.264), WebM (VP9) and Matroska (FFV1), with exact frame counts and rates.

H.264 and VP9 get 4:2:0 chroma, BT.709 and limited range, and say so, which every player understands. FFV1 keeps RGB as
it is, with a checksum per frame.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from ul_engine.media.clips import Frame, WrittenClip, checked_frame
from ul_engine.media.formats import ClipFormat
from ul_engine.media.picture_texts import PARAMETERS_NAME

_NUM_THREADS = 4
_BT709, _LIMITED, _FULL = 1, 1, 2
_ACCURATE = int(Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP)


@dataclass(frozen=True)
class _Coding:
    codec: str
    pixel_format: str
    options: dict[str, str]
    needs_even_size: bool = False


def write_container(
    path: Path, frames: Iterable[Frame], fps: Fraction, *, kind: ClipFormat, quality: int, texts: Mapping[str, str]
) -> WrittenClip:
    """Write frames, uint8 `[H, W, 3]` each, at a constant rate.

    `quality` 1 to 100 is the quantiser of H.264 (CRF 51 to 10) and VP9 (62 to 8); FFV1 is without loss. Odd sizes are
    repeated by one row or column at the bottom and right in MP4, where only even ones exist. Raises OSError,
    av.FFmpegError, ShapeError.
    """
    frames = iter(frames)
    first = checked_frame(next(frames))
    coding = _coding(kind, quality, fps)
    height, width = first.shape[:2]
    if coding.needs_even_size:
        height, width = height + height % 2, width + width % 2
    count = 0
    with av.open(str(path), "w", format=_MUXERS[kind], options=_CONTAINER_OPTIONS[kind]) as container:
        container.metadata.update(texts)
        if PARAMETERS_NAME in texts:
            container.metadata["comment"] = texts[PARAMETERS_NAME]  # the name that players show
        stream = _stream(container, coding, fps, height, width)
        reformatter = VideoReformatter()
        for count, frame in enumerate(chain((first,), frames), start=1):
            picture = _padded(checked_frame(frame, like=first), height, width)
            container.mux(stream.encode(_coded(picture, coding, reformatter, count - 1, 1 / fps)))
        container.mux(stream.encode(None))
    return WrittenClip(path, count, fps, width, height)


_MUXERS = {ClipFormat.MP4: "mp4", ClipFormat.WEBM: "webm", ClipFormat.MKV: "matroska"}
_CONTAINER_OPTIONS = {
    ClipFormat.MP4: {"movflags": "+faststart+use_metadata_tags"},  # index in front; texts under any name
    ClipFormat.WEBM: {"fflags": "+bitexact"},  # no random numbers that make two equal files differ
    ClipFormat.MKV: {"fflags": "+bitexact"},
}


def _coding(kind: ClipFormat, quality: int, fps: Fraction) -> _Coding:
    second = str(max(1, round(fps)))  # a key frame each second: stepping through stays quick
    if kind is ClipFormat.MP4:
        crf = str(round(51 - 0.41 * quality))
        return _Coding("libx264", "yuv420p", {"crf": crf, "preset": "medium", "g": second}, needs_even_size=True)
    if kind is ClipFormat.WEBM:
        options = {"crf": str(round(63 - 0.55 * quality)), "b": "0", "deadline": "good", "cpu-used": "2", "g": second}
        return _Coding("libvpx-vp9", "yuv420p", options | {"row-mt": "1"})
    return _Coding("ffv1", "bgr0", {"level": "3", "slicecrc": "1", "g": "1"})


def _stream(container: OutputContainer, coding: _Coding, fps: Fraction, height: int, width: int) -> VideoStream:
    stream = container.add_stream(coding.codec, rate=fps, options=coding.options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = width, height, coding.pixel_format
    context = stream.codec_context
    context.time_base = 1 / fps
    context.thread_count = _NUM_THREADS
    if coding.codec == "libx264":
        context.thread_type = "FRAME"  # slices, the library's default, would make files 2 % larger
    if coding.pixel_format == "yuv420p":
        context.color_range, context.colorspace = _LIMITED, _BT709
        context.color_primaries, context.color_trc = _BT709, _BT709
    return stream


def _coded(
    picture: Frame, coding: _Coding, reformatter: VideoReformatter, number: int, time_base: Fraction
) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    if coding.pixel_format == "yuv420p":
        frame = reformatter.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            src_color_range=_FULL,
            dst_color_range=_LIMITED,
            interpolation=_ACCURATE,
            threads=1,
        )
    frame.pts, frame.time_base = number, time_base
    return frame


def _padded(picture: Frame, height: int, width: int) -> Frame:
    rows, columns = height - picture.shape[0], width - picture.shape[1]
    if rows == columns == 0:
        return picture
    return np.pad(picture, ((0, rows), (0, columns), (0, 0)), mode="edge")
