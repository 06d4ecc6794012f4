"""Frame k is frame k: in every container, from every place, in any order; and what is asked for beyond is refused."""

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.container import InputContainer
from av.video.stream import VideoStream

from tests.helpers.clips import FFV1, encode, marked, number_in
from ul_engine.errors import ConfigError, DataError
from ul_engine.media import container_frames, reading
from ul_engine.media.container_frames import ContainerFrames
from ul_engine.media.reading import iter_frames, open_clip, probe, read_clip
from ul_engine.media.stream_decoder import whole_packets

NUM_FRAMES = 40
B_FRAMES = {"g": "12", "bf": "3"}
KINDS: dict[str, dict[str, Any]] = {
    "mp4": {"options": B_FRAMES},
    "mkv": {"options": B_FRAMES},
    "mov": {"options": B_FRAMES},
    "flv": {"options": B_FRAMES},
    "ts": {"options": B_FRAMES},
    "open-gop.mp4": {"options": {"x264-params": "keyint=12:min-keyint=12:open-gop=1:bframes=3:b-pyramid=normal"}},
    "short-gop.mp4": {"options": {"g": "2", "bf": "1"}},
    "fragments.mp4": {"options": B_FRAMES, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "keyint=12:open-gop=1:log-level=none"}},
    "hevc.mkv": {
        "codec": "libx265",
        "pixel_format": "yuv420p10le",
        "options": {"x265-params": "keyint=12:log-level=none"},
    },
    "webm": {"codec": "libvpx-vp9", "options": {"g": "12", "lag-in-frames": "16", "auto-alt-ref": "1", "b": "300k"}},
    "avi": {"codec": "mpeg4", "options": {"g": "12", "bf": "2", "b": "2000k"}},
    "h264.avi": {"options": B_FRAMES},
    "mpg": {"codec": "mpeg2video", "options": {"g": "12", "bf": "2", "b": "2000k"}},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "ffv1.mkv": FFV1,
}


def write(folder: Path, kind: str, frames: np.ndarray[Any, np.dtype[np.uint8]], **changes: Any) -> Path:
    return encode(folder / (kind if "." in kind else f"a.{kind}"), frames, **(KINDS[kind] | changes))


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_from_everywhere(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind, marked(NUM_FRAMES))
    info = probe(path)
    assert (info.num_frames, info.fps, info.is_variable, info.is_cut) == (NUM_FRAMES, 25, False, False)
    assert info.duration_s == Fraction(NUM_FRAMES, 25)
    assert [number_in(frame) for frame in iter_frames(path)] == list(range(NUM_FRAMES))
    with open_clip(path) as source:
        for number in random.Random(0).sample(range(NUM_FRAMES), 12):
            assert number_in(source.frame(number)) == number


@pytest.mark.parametrize("kind", ["mp4", "mkv", "hevc.mp4", "webm"])
def test_a_seek_gives_the_same_pixels(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind, marked(NUM_FRAMES))
    whole = read_clip(path).frames
    with ContainerFrames(str(path)) as source:
        for number in (39, 25, 11, 12, 13, 30, 0):
            assert np.array_equal(source.frame(number), whole[number])
        assert source._seeks  # it was by seeking, not by decoding all from the start


def test_streams_without_key_frames_are_decoded_from_the_start(tmp_path: Path) -> None:
    options = {"x264-params": "intra-refresh=1:keyint=10:bframes=0"}
    path = encode(tmp_path / "a.mp4", marked(NUM_FRAMES), options=options)
    whole = read_clip(path).frames
    with ContainerFrames(str(path)) as source:
        for number in (30, 5, 22):
            assert np.array_equal(source.frame(number), whole[number])


def test_a_decoder_sees_the_first_packet_before_any_seek(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the encoder. Decoders of H.264 make up for errors of old ones: without the name, 4:4:4 films of x264
    before build 151 come out as rubbish after a seek, and most of their frames are not even marked as damaged.
    """
    seen: list[int | None] = []

    def watched(container: InputContainer, stream: VideoStream) -> Iterator["av.Packet[VideoStream]"]:
        for packet in whole_packets(container, stream):
            seen.append(packet.dts)
            yield packet

    path = encode(tmp_path / "a.mp4", marked(30), options={"g": "10", "bf": "0"})
    monkeypatch.setattr(container_frames, "whole_packets", watched)
    assert number_in(read_clip(path, start=25, num_frames=1).frames[0]) == 25
    assert seen[0] == 0
    key = seen.index(20 * 512)
    assert key < 10
    assert seen[key : key + 6] == [k * 512 for k in range(20, 26)]


def test_hidden_frames_of_vp8_are_not_counted(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.webm", marked(10), codec="libvpx", options={"b": "500k"})
    hidden = tmp_path / "hidden.webm"
    with av.open(str(path)) as source, av.open(str(hidden), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size == 0:
                continue
            data, pts = bytes(packet), packet.pts
            assert pts is not None
            for content, time in ((bytes((data[0] & ~16,)) + data[1:], pts - 5), (data, pts)):
                if time < 0 or (content is not data and packet.is_keyframe):
                    continue
                other = av.Packet(content)
                other.pts = other.dts = time
                other.time_base, other.stream, other.is_keyframe = packet.time_base, copy, packet.is_keyframe
                target.mux(other)
    assert probe(hidden).num_frames == 10
    assert len(list(iter_frames(hidden))) == 10


def test_edits_leave_frames_out(tmp_path: Path) -> None:
    """Frames before time 0 stand in an MP4 but are not shown: its edit list starts behind them."""
    frames = marked(20)
    path = encode(tmp_path / "a.mp4", frames, times=range(-4, 16), options={"bf": "0"})
    assert probe(path).num_frames == 16
    assert [number_in(frame) for frame in iter_frames(path)] == list(range(4, 20))
    assert number_in(read_clip(path, start=7, num_frames=1).frames[0]) == 11


@pytest.mark.parametrize(("height", "width"), [(33, 64), (32, 71), (35, 67)])
@pytest.mark.parametrize(("name", "codec"), [("a.webm", "libvpx-vp9"), ("a.mkv", "ffv1")])
def test_odd_sizes(tmp_path: Path, name: str, codec: str, height: int, width: int) -> None:
    clip = read_clip(encode(tmp_path / name, marked(3, height, width), codec=codec))
    assert clip.frames.shape == (3, height, width, 3)
    assert [number_in(frame) for frame in clip.frames] == [0, 1, 2]


def test_pixels_that_are_not_square_are_told_not_stretched(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, VideoStream)
        stream.height, stream.width, stream.pix_fmt = 32, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        container.mux(stream.encode(av.VideoFrame(64, 32, "yuv420p")))
        container.mux(stream.encode(None))
    assert probe(path).pixel_aspect == Fraction(16, 11)
    assert read_clip(path).frames.shape == (1, 32, 64, 3)


def test_interlaced_frames_are_told_and_woven(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", marked(6), options={"x264-params": "tff=1", "flags": "+ildct+ilme"})
    assert probe(path).is_interlaced
    assert [number_in(frame) for frame in iter_frames(path)] == list(range(6))


# ---- selection ----------------------------------------------------------------------------------------------------


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return encode(tmp_path / "film.mkv", marked(30), fps=Fraction(30), **FFV1)


def numbers(path: Path, **selection: Any) -> list[int]:
    clip = read_clip(path, **selection)
    spelled = [number_in(frame) for frame in clip.frames]
    assert list(clip.numbers) == spelled
    assert [number_in(frame) for frame in iter_frames(path, **selection)] == spelled
    return spelled


def test_start_stride_and_number(film: Path) -> None:
    assert numbers(film, start=4, stride=3, num_frames=5) == [4, 7, 10, 13, 16]
    assert numbers(film, start=27) == [27, 28, 29]
    assert numbers(film, stride=10) == [0, 10, 20]
    assert read_clip(film, stride=3).fps == 10


def test_another_rate(film: Path) -> None:
    assert numbers(film, fps=15) == list(range(0, 30, 2))
    assert numbers(film, fps=60, num_frames=6) == [0, 0, 1, 1, 2, 2]
    assert numbers(film, fps=24) == [j * 30 // 24 for j in range(24)]
    assert numbers(film, fps=10, start=2, stride=2, num_frames=3) == [6, 12, 18]
    clip = read_clip(film, fps="24000/1001", stride=2)
    assert clip.fps == Fraction(12000, 1001)


def test_a_variable_rate(tmp_path: Path) -> None:
    times = [0, 1, 2, 6, 7, 20, 21, 22, 40]
    for name in ("a.mkv", "a.mp4"):
        path = encode(tmp_path / name, marked(9), fps=Fraction(20), times=times)
        info = probe(path)
        assert info.is_variable
        assert info.num_frames == 9
        expected = [max(k for k, time in enumerate(times) if time <= j) for j in range(41)]
        assert numbers(path, fps=20, num_frames=41) == expected
        assert numbers(path) == list(range(9))


def test_a_smaller_size(film: Path) -> None:
    small = read_clip(film, size_px=16)
    assert small.frames.shape == (30, 16, 32, 3)
    whole = read_clip(film).frames
    average = whole.reshape(30, 16, 2, 32, 2, 3).mean((2, 4))
    assert np.abs(small.frames - average).mean() < np.abs(small.frames.astype(int) - whole[:, ::2, ::2]).mean() / 2
    assert read_clip(film, size_px=64, num_frames=1).frames.shape == (1, 64, 128, 3)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"start": 30}, r"has 30 frames \(0 to 29\); frame 30"),
        ({"start": 20, "num_frames": 11}, "frame 30 was asked for"),
        ({"num_frames": 4, "stride": 10}, "frame 30 was asked for"),
        ({"fps": 10, "start": 10}, "has 10 frames at 10 frames per second"),
    ],
)
def test_frames_that_are_not_there(film: Path, selection: dict[str, int], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_clip(film, **selection)
    with pytest.raises(DataError, match=words):
        next(iter_frames(film, **selection))


@pytest.mark.parametrize(
    "selection", [{"start": -1}, {"num_frames": 0}, {"stride": 0}, {"size_px": 0}, {"fps": 0}], ids=str
)
def test_settings_out_of_range(film: Path, selection: dict[str, int]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_clip(film, **selection)
    assert caught.value.field == next(iter(selection))


def test_a_clip_that_does_not_fit_into_memory(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_CLIP_BYTES", 30 * 32 * 64 * 3 - 1)
    with pytest.raises(DataError, match=r"30 frames of 64 x 32 pixels take 0\.0 GiB"):
        read_clip(film)
    assert len(read_clip(film, num_frames=29).frames) == 29
    assert len(list(iter_frames(film))) == 30
