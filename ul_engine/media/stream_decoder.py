"""One video stream of a container file: opened with care, its packets decoded to frames."""

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from ul_engine.errors import DataError
from ul_engine.media.cuts import whole_bytes

VideoPacket: TypeAlias = "av.Packet[VideoStream]"

_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,h264,hevc,ivf,obu,ogg,asf,nut,mxf,dv,"
    "yuv4mpegpipe"
)
"""Containers of video, and nothing that names other files or addresses (play lists) or takes any text for a film."""

_NUM_THREADS = 4
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # the library's own decoders leave transparency out


class StreamDecoder:
    """Turns packets of one stream into frames."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = _NUM_THREADS
        self._other = _alpha_decoder(stream)

    def frames(self, packets: Iterator[VideoPacket]) -> Iterator[av.VideoFrame]:
        """Frames in the order they are shown, to the very last one. Raises av.FFmpegError for damaged data."""
        decode = self._stream.decode if self._other is None else self._other.decode
        for packet in packets:
            if not packet.is_corrupt:
                yield from decode(packet)
        yield from decode(None)

    def forget(self) -> None:
        """Ready for packets from another place of the file. (A seek does the same for the stream's own decoder.)"""
        if self._other is not None:
            self._other.flush_buffers()


def whole_packets(container: InputContainer, stream: VideoStream) -> Iterator[VideoPacket]:
    """Packets in the order of the file, up to the first one that is cut (which comes last, and is not whole)."""
    for packet in container.demux(stream):
        if packet.size:  # the empty ones are marks of the end, or repeat a frame in AVI
            yield packet
        if packet.is_corrupt:
            return


def is_hidden(packet: VideoPacket) -> bool:
    """Whether a VP8 packet holds a frame that is only looked back at, never shown (RFC 6386, section 9.1)."""
    return packet.stream.codec_context.name == "vp8" and not bytes(packet)[0] >> 4 & 1


@contextmanager
def opened(path: str, num_bytes: int | None = None) -> Iterator[InputContainer]:
    """The container at `path`, or what its first `num_bytes` make of it; raises DataError in plain words.

    Nothing taken from the container may be touched after it is closed: the library does not survive that.
    """
    options = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"}
    with ExitStack() as stack:
        file: object = f"file:{os.path.abspath(path)}"
        if num_bytes is not None:
            file = _Prefix(stack.enter_context(Path(path).open("rb")), num_bytes)
        try:
            container = av.open(file, "r", options=options, metadata_errors="replace")
        except (av.FFmpegError, ValueError) as error:
            raise _explained(path, error) from error
        yield stack.enter_context(container)


def video_stream(container: InputContainer, path: str) -> VideoStream:
    """The first stream of moving pictures; a song's cover is none. Raises DataError."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise DataError("holds no video, only sound or other things", path=path)
    if getattr(streams[0], "codec_context", None) is None:
        raise DataError("is coded in a way this program cannot decode, or cut short", path=path)
    return streams[0]


class _Prefix:
    """The first bytes of a file as if nothing followed them."""

    def __init__(self, stream: BinaryIO, num_bytes: int) -> None:
        self._stream, self._num_bytes = stream, num_bytes
        self.tell = stream.tell

    def read(self, count: int) -> bytes:
        return self._stream.read(max(0, min(count, self._num_bytes - self._stream.tell())))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            return self._stream.seek(self._num_bytes + offset)
        return self._stream.seek(offset, whence)


def _alpha_decoder(stream: VideoStream) -> VideoCodecContext | None:
    marks = {name.lower(): value for name, value in stream.metadata.items()}
    name = _ALPHA_DECODERS.get(stream.codec_context.name) if marks.get("alpha_mode") == "1" else None
    if name is None:
        return None
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    return decoder


def _explained(path: str, error: Exception) -> DataError:
    with Path(path).open("rb") as stream:
        whole, size = whole_bytes(stream), stream.seek(0, os.SEEK_END)
    if whole < size:
        return DataError(
            "is cut short before the end of the index of its frames: 0 frames can be read; copy or download it again",
            path=path,
        )
    return DataError(f"is no video this program can read ({getattr(error, 'strerror', None) or error})", path=path)
