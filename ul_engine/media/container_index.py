"""The index of a container file: when every frame is shown, where decoding can start, what is missing at the end.

All packets are read once, none but the first are decoded: about 1 GB/s, or 1 ms for a short clip.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from ul_engine.errors import DataError
from ul_engine.media.clips import VideoInfo
from ul_engine.media.colours import display_matrix, has_alpha_channel, is_sideways
from ul_engine.media.cuts import whole_bytes
from ul_engine.media.rates import Ticks, fits
from ul_engine.media.stream_decoder import (
    StreamDecoder,
    VideoPacket,
    is_hidden,
    opened,
    video_stream,
    whole_packets,
)
from ul_engine.media.timeline import Timeline

_UNTIMED = {"avi", "h264", "hevc", "mpegvideo", "obu", "yuv4mpegpipe"}
"""Containers without presentation times: the order of decoding is all they know."""


@dataclass(frozen=True)
class ContainerIndex:
    """What one pass over the packets tells."""

    info: VideoInfo
    timeline: Timeline
    """Of the whole frames."""
    pts: Ticks | None
    """Presentation times on the stream's own clock; None: frames can only be counted from the start."""
    keys: tuple[tuple[int, int], ...]
    """Frames where decoding can start: number, and the time to seek."""
    num_bytes: int | None
    """Open only so much of the file; None: all of it."""


@dataclass(frozen=True)
class _Row:
    pts: int | None
    dts: int | None
    duration: int
    is_key: bool


class _PacketLog:
    """Notes the packets that pass by."""

    def __init__(self) -> None:
        self.rows: list[_Row] = []  # those that are shown, in the order of the file
        self.num_packets = 0
        self.is_broken = False

    def noting(self, packets: Iterable[VideoPacket]) -> Iterator[VideoPacket]:
        for packet in packets:
            if packet.is_corrupt:
                self.is_broken = True
                return
            self.num_packets += 1
            if not packet.is_discard and not is_hidden(packet):
                self.rows.append(_Row(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe))
            yield packet


def index_of(path: str) -> ContainerIndex:
    """The index of the file at `path`, kept for the next time it is asked. Raises DataError, and OSError."""
    status = Path(path).stat()
    return _index(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _index(path: str, size: int, _mtime_ns: int) -> ContainerIndex:
    with Path(path).open("rb") as stream:
        whole = whole_bytes(stream)
    try:
        return _index_of_bytes(path, None, whole < size)
    except DataError:
        if not 0 < whole < size:
            raise
    return _index_of_bytes(path, whole, True)  # the cut went through an index; what stands before it may be whole


def _index_of_bytes(path: str, num_bytes: int | None, ends_early: bool) -> ContainerIndex:
    with opened(path, num_bytes) as container:
        stream = video_stream(container, path)
        log, first = _scan(container, stream)
        if first is None:
            raise DataError(_why_none(log, ends_early or stream.frames > 0), path=path)
        is_mov = container.format.name.startswith("mov")
        is_cut = _is_cut(log, stream.frames, ends_early, is_mov)
        hints = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate]
        depth = stream.codec_context.reorder_depth if is_cut else 0
        pts = _presentation_times(log.rows, first) if container.format.name not in _UNTIMED else None
        if pts is None:
            timeline = _counted_timeline(log.rows, stream, hints, depth, path)
        else:
            pts = pts[: _num_whole(log.rows, pts, stream, hints, depth)] if is_cut else pts
            last = next((row.duration for row in log.rows if row.pts == int(pts[-1])), 0)
            timeline = Timeline.of(pts, _clock(stream), last, hints)
        info = _info(path, stream, first, timeline, is_cut=is_cut)
        return ContainerIndex(info, timeline, pts, _keys(log.rows, pts), num_bytes)


def _scan(container: InputContainer, stream: VideoStream) -> tuple[_PacketLog, av.VideoFrame | None]:
    log, first = _PacketLog(), None
    packets = log.noting(whole_packets(container, stream))
    try:
        first = next(StreamDecoder(stream).frames(packets), None)
        for _ in packets:
            pass
    except av.FFmpegError:
        log.is_broken = True
    return log, first


def _why_none(log: _PacketLog, should_have_some: bool) -> str:
    if log.num_packets:
        return "is damaged or cut short within its first frame: 0 frames can be read"
    return "is cut short: 0 frames can be read" if log.is_broken or should_have_some else "holds no frames"


def _is_cut(log: _PacketLog, claimed: int, ends_early: bool, is_mov: bool) -> bool:
    """Whether frames are missing at the end. `claimed` is the number the header states, 0 if it states none."""
    if log.num_packets == claimed:
        return False
    return ends_early or log.is_broken or (is_mov and log.num_packets < claimed)


def _presentation_times(rows: Sequence[_Row], first: av.VideoFrame) -> Ticks | None:
    """Sorted times of all frames from the first that can be decoded; None where they are missing or not unique."""
    times = sorted(row.pts for row in rows if row.pts is not None)
    if len(times) < len(rows) or len(set(times)) < len(times) or first.pts not in times:
        return None
    return np.asarray(times[times.index(first.pts) :], dtype=np.int64)


def _num_whole(rows: Sequence[_Row], pts: Ticks, stream: VideoStream, hints: Sequence[Fraction], depth: int) -> int:
    """How many frames of a cut file have all frames before them.

    Frames are stored out of order: one that is shown early may stand behind the cut. Of M frames the first M - depth
    are safe, `depth` being how far the order is mixed; the next ones are too, as long as they stand on the even grid
    of those before.
    """
    stored = np.asarray([row.pts for row in rows if row.pts is not None and row.pts >= pts[0]])
    mixed = int((np.arange(len(stored)) - np.searchsorted(pts, stored)).max())
    safe = max(1, len(pts) - max(depth, mixed))
    clock = _clock(stream)
    known = Timeline.of(pts[:safe], clock, None, hints)
    if not known.is_variable:
        while safe < len(pts) and fits(pts[: safe + 1] - pts[0], clock, known.fps):
            safe += 1
    return safe


def _counted_timeline(
    rows: Sequence[_Row], stream: VideoStream, hints: Sequence[Fraction], depth: int, path: str
) -> Timeline:
    """Of a container without presentation times: the order of decoding tells how many frames there are and how long."""
    times = [row.dts for row in rows if row.dts is not None]
    num_frames = max(1, len(rows) - depth)
    if len(times) == len(rows) == len(set(times)):
        ticks = np.asarray(sorted(times), dtype=np.int64)
        return Timeline.of(ticks, _clock(stream), rows[-1].duration, hints).first(num_frames)
    if not hints:
        raise DataError("states no frame rate and no times", path=path)
    return Timeline.even(num_frames, hints[0])


def _keys(rows: Sequence[_Row], pts: Ticks | None) -> tuple[tuple[int, int], ...]:
    if pts is None:
        return ()
    times = sorted(row.pts for row in rows if row.is_key and row.pts is not None and pts[0] <= row.pts <= pts[-1])
    return tuple(zip(np.searchsorted(pts, times).tolist(), times, strict=True))


def _info(path: str, stream: VideoStream, first: av.VideoFrame, timeline: Timeline, *, is_cut: bool) -> VideoInfo:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = first.width, first.height
    if is_sideways(display_matrix(first)):
        width, height, aspect = height, width, 1 / aspect
    return VideoInfo(
        path=path,
        codec=stream.codec.canonical_name,
        num_frames=len(timeline),
        fps=timeline.fps,
        is_variable=timeline.is_variable,
        duration_s=timeline.duration_s,
        width_px=width,
        height_px=height,
        pixel_aspect=aspect,
        bit_depth=max(component.bits for component in first.format.components),
        has_alpha=has_alpha_channel(first),
        is_interlaced=first.interlaced_frame,
        is_cut=is_cut,
    )


def _clock(stream: VideoStream) -> Fraction:
    assert stream.time_base is not None
    return stream.time_base
