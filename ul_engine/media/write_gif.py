"""Writes clips as GIF: one palette for the whole clip, exact where it has at most 256 colours."""

import io
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.filter.context import FilterContext

from ul_engine.errors import ConfigError
from ul_engine.media.clips import Frame, WrittenClip, checked_frame
from ul_engine.media.gif_blocks import UNITS_PER_SECOND, with_comments
from ul_engine.media.rates import rounded_times

MAX_FPS = 50
"""Viewers show frames of 10 ms for 100 ms."""

_CLOCK = Fraction(1, UNITS_PER_SECOND)
_DITHER = "sierra2_4a"


def write_gif(path: Path, frames: Iterable[Frame], fps: Fraction, *, texts: Mapping[str, str]) -> WrittenClip:
    """Write frames, uint8 `[H, W, 3]` each, endlessly repeated; texts become comments ``name: text``.

    Delays are multiples of 10 ms: frame k starts at k / fps rounded to them, so that errors never add up (30 frames
    per second: 30, 40, 30 ms, ...). All frames are held in memory, for the palette is made of all of them. Raises
    ConfigError above 50 frames per second.
    """
    if fps > MAX_FPS:
        raise ConfigError(f"a GIF plays at most {MAX_FPS} frames per second; choose fewer, or MP4 or WebM", field="fps")
    kept: list[Frame] = []
    for frame in frames:
        kept.append(checked_frame(frame, like=kept[0] if kept else None))
    times = rounded_times(len(kept), fps, UNITS_PER_SECOND)
    data = _encoded(kept, times)
    path.write_bytes(with_comments(data, [f"{name}: {text}" for name, text in texts.items()]))
    height, width = kept[0].shape[:2]
    return WrittenClip(path, len(kept), Fraction(len(kept) * UNITS_PER_SECOND, times[-1]), width, height)


def _encoded(frames: list[Frame], times: list[int]) -> bytes:
    buffer = io.BytesIO()
    options = {"loop": "0", "final_delay": str(times[-1] - times[-2])}
    with av.open(buffer, "w", format="gif", options=options) as container:
        stream = container.add_stream("gif", rate=UNITS_PER_SECOND)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "pal8"
        stream.codec_context.time_base = _CLOCK
        for frame in _with_palette(frames, times):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _with_palette(frames: list[Frame], times: list[int]) -> Iterator[av.VideoFrame]:
    """The frames as numbers into one palette, with their times."""
    colours = _few_colours(frames)
    palette = _palette_of(colours) if colours is not None else _best_palette(frames)
    graph = Graph()
    pictures = _source(graph, frames[0])
    colours_in = graph.add_buffer(width=16, height=16, format=palette.format, time_base=_CLOCK)
    dither = "none" if colours is not None else _DITHER
    use = graph.add("paletteuse", f"dither={dither}:diff_mode=rectangle")
    sink = graph.add("buffersink")
    pictures.link_to(use, 0, 0)
    colours_in.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    palette.pts, palette.time_base = 0, _CLOCK
    colours_in.push(palette)
    colours_in.push(None)
    for frame, time in zip(frames, times, strict=False):
        pictures.push(_timed(frame, time))
        yield from _available(sink)
    pictures.push(None)
    yield from _available(sink)


def _few_colours(frames: list[Frame]) -> npt.NDArray[np.uint32] | None:
    """All colours of the clip as 0xRRGGBB if there are at most 256, else None."""
    found = np.empty(0, dtype=np.uint32)
    for frame in frames:
        values = frame.astype(np.uint32)
        packed = values[..., 0] << 16 | values[..., 1] << 8 | values[..., 2]
        found = np.union1d(found, packed)
        if len(found) > 256:
            return None
    return found


def _palette_of(colours: npt.NDArray[np.uint32]) -> av.VideoFrame:
    entries = np.full(256, colours[0], dtype=np.uint32)
    entries[: len(colours)] = colours
    rgba = np.stack([entries >> 16 & 255, entries >> 8 & 255, entries & 255, np.full(256, 255)], axis=-1)
    square = rgba.astype(np.uint8).reshape(16, 16, 4)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(square[..., [2, 1, 0, 3]]), format="bgra")


def _best_palette(frames: list[Frame]) -> av.VideoFrame:
    graph = Graph()
    pictures = _source(graph, frames[0])
    make, sink = graph.add("palettegen", "reserve_transparent=0:max_colors=256"), graph.add("buffersink")
    pictures.link_to(make)
    make.link_to(sink)
    graph.configure()
    for number, frame in enumerate(frames):
        pictures.push(_timed(frame, number))
    pictures.push(None)
    palette = sink.pull()
    assert isinstance(palette, av.VideoFrame)
    return palette


def _source(graph: Graph, like: Frame) -> FilterContext:
    return graph.add_buffer(width=like.shape[1], height=like.shape[0], format=av.VideoFormat("rgb24"), time_base=_CLOCK)


def _timed(frame: Frame, time: int) -> av.VideoFrame:
    timed = av.VideoFrame.from_ndarray(frame, format="rgb24")
    timed.pts, timed.time_base = time, _CLOCK
    return timed


def _available(sink: FilterContext) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, av.VideoFrame)
        yield frame
