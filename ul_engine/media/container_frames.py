"""Frames of a container by their number: frame k is frame k, wherever decoding had to start."""

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Self

import av
import numpy as np

from ul_engine.media.broken import BrokenFrame
from ul_engine.media.clips import Frame, VideoInfo
from ul_engine.media.colours import RgbConverter
from ul_engine.media.container_index import index_of
from ul_engine.media.stream_decoder import StreamDecoder, opened, video_stream, whole_packets
from ul_engine.media.timeline import Timeline


class _Missed(Exception):
    """Decoding from a key frame did not come to the frame that was asked for."""


class ContainerFrames:
    """Random access to the frames of a video file.

    A frame is found by its presentation time, after a seek to the last key frame before it. Where that does not lead
    there (streams that refresh in slices, containers that seek roughly), the file is decoded from its start.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._index = index_of(path)
        self._stack = ExitStack()
        self._converter = RgbConverter()
        self._container = self._stack.enter_context(opened(path, self._index.num_bytes))
        self._stream = video_stream(self._container, path)
        self._decoder = StreamDecoder(self._stream)
        self._counts = self._index.pts is None
        self._seeks = not self._counts
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._has_begun = self._is_closed = False
        self._start()

    @property
    def info(self) -> VideoInfo:
        return self._index.info

    @property
    def timeline(self) -> Timeline:
        return self._index.timeline

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_closed = True
        self._frames = iter(())
        self._stack.close()

    def frame(self, number: int) -> Frame:
        """Frame `number`, uint8 `[H, W, 3]`; raises BrokenFrame. Rising numbers are quick."""
        assert not self._is_closed
        key = self._key_before(number) if self._seeks else None
        if number < self._next or not (self._seeks or self._from_start) or (key is not None and key[0] > self._next):
            self._go_to(key)
        try:
            found = self._advance(number)
        except _Missed:
            if self._from_start:
                raise BrokenFrame(number, "cannot be decoded", self._path) from None
            self._seeks = False
            return self.frame(number)
        return self._converted(found, number)

    def _converted(self, frame: av.VideoFrame, number: int) -> Frame:
        if frame.is_corrupt:
            raise BrokenFrame(number, "is damaged", self._path)
        picture = self._converter.rgb(frame)
        expected = (self.info.height_px, self.info.width_px)
        if picture.shape[:2] != expected:
            height, width = picture.shape[:2]
            reason = f"is {width} x {height} pixels, the ones before {expected[1]} x {expected[0]}"
            raise BrokenFrame(number, reason, self._path)
        return picture

    def _advance(self, number: int) -> av.VideoFrame:
        """Decode until frame `number` comes; raises _Missed if it does not."""
        try:
            self._has_begun = True
            for frame in self._frames:
                at = self._number_of(frame)
                self._next = at + 1
                if at == number and not (frame.is_corrupt and not self._from_start):
                    return frame
                if at >= number:
                    break
        except av.FFmpegError as error:
            raise _Missed from error
        raise _Missed

    def _number_of(self, frame: av.VideoFrame) -> int:
        if not self._counts:
            pts = self._index.pts
            assert pts is not None
            at = int(np.searchsorted(pts, frame.pts)) if frame.pts is not None else len(pts)
            if at < len(pts) and pts[at] == frame.pts:
                return at
            if self._index.info.is_cut and at == len(pts):
                return at  # behind the cut
            if not self._from_start:
                raise _Missed
            self._counts, self._seeks = True, False  # this decoder has times of its own: frames are only counted
        return self._next

    def _key_before(self, number: int) -> tuple[int, int] | None:
        at = bisect_right(self._index.keys, number, key=lambda key: key[0])
        return self._index.keys[at - 1] if at > 1 else None

    def _go_to(self, key: tuple[int, int] | None) -> None:
        if key is None:
            self._rewind()
            return
        if not self._has_begun:
            # The first packet names the encoder, whose known errors the decoder then makes up for (4:4:4 of x264
            # before build 151). Without it, frames after a seek come out as rubbish, most of them not even marked.
            next(self._frames, None)
            self._has_begun = True
        self._container.seek(key[1], stream=self._stream, backward=True)
        self._decoder.forget()
        self._start(key[0])

    def _rewind(self) -> None:
        """Open the file anew: no container is trusted to seek to its very first packet."""
        self._frames = iter(())
        self._stack.close()
        self._container = self._stack.enter_context(opened(self._path, self._index.num_bytes))
        self._stream = video_stream(self._container, self._path)
        self._decoder = StreamDecoder(self._stream)
        self._has_begun = False
        self._start()

    def _start(self, number: int = 0) -> None:
        self._next = number
        self._from_start = number == 0
        self._frames = self._decoder.frames(whole_packets(self._container, self._stream))
