"""Files that end too early or are damaged: what is whole is delivered, counted exactly, and the rest is told."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from tests.helpers.clips import FFV1, cut, encode, marked, number_in
from ul_engine.errors import DataError
from ul_engine.media.broken import BrokenFrame
from ul_engine.media.cuts import whole_bytes
from ul_engine.media.reading import iter_frames, open_clip, probe, read_clip

NUM_FRAMES = 40
B_FRAMES = {"g": "12", "bf": "3"}
KINDS: dict[str, dict[str, Any]] = {
    "mp4": {"options": B_FRAMES, "container_options": {"movflags": "faststart"}},
    "fragments.mp4": {"options": B_FRAMES, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "mkv": {"options": B_FRAMES},
    "webm": {"codec": "libvpx-vp9", "options": {"g": "12", "b": "300k"}},
    "avi": {"codec": "mpeg4", "options": {"g": "12", "bf": "2", "b": "2000k"}},
    "ffv1.mkv": FFV1,
}


def write(folder: Path, kind: str) -> Path:
    return encode(folder / (kind if "." in kind else f"a.{kind}"), marked(NUM_FRAMES), **KINDS[kind])


def packet_ends(path: Path) -> list[tuple[int, int]]:
    """Time and end in the file of every packet, in the order of the file."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.size]
        return [(p.pts or 0, (p.pos or 0) + p.size) for p in packets]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packet", [5, 16, 25, 38])
def test_frames_before_the_cut_are_delivered_and_counted(tmp_path: Path, kind: str, packet: int) -> None:
    path = write(tmp_path, kind)
    short = cut(path, packet_ends(path)[packet][1] - 3)
    info = probe(short)
    assert info.is_cut
    assert 0 < info.num_frames < NUM_FRAMES
    delivered = []
    with pytest.raises(DataError, match=f"only its first {info.num_frames} frames are whole"):
        delivered.extend(number_in(frame) for frame in iter_frames(short))
    assert [number_in(frame) for frame in iter_frames(short, accept_cut=True)] == list(range(info.num_frames))
    assert delivered == list(range(info.num_frames))


@pytest.mark.parametrize("kind", ["mp4", "fragments.mp4", "mkv", "webm", "ffv1.mkv"])
@pytest.mark.parametrize("packet", [3, 7, 13, 22, 31, 39])
def test_the_count_is_exact(tmp_path: Path, kind: str, packet: int) -> None:
    """Frames that are stored whole and have every earlier one before the cut too: none more, none less."""
    path = write(tmp_path, kind)
    stored = packet_ends(path)
    there = {time for time, _ in stored[:packet]}
    times = sorted(time for time, _ in stored)
    expected = next(k for k, time in enumerate(times) if time not in there)
    assert probe(cut(path, stored[packet][1] - 3)).num_frames == expected


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_a_cut_file_is_read_as_far_as_it_goes(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind)
    short = cut(path, packet_ends(path)[30][1] - 3)
    count = probe(short).num_frames
    whole = read_clip(path).frames
    assert np.array_equal(read_clip(short, accept_cut=True).frames, whole[:count])
    assert np.array_equal(read_clip(short, start=count - 3, num_frames=3).frames, whole[count - 3 : count])
    with pytest.raises(DataError, match=f"only its first {count} frames"):
        read_clip(short)
    with pytest.raises(DataError, match=f"is cut short: only {count} frames"):
        read_clip(short, start=count - 1, num_frames=2)
    assert len(read_clip(short, start=count - 1, num_frames=2, accept_cut=True).frames) == 1


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_an_mp4_without_its_index_says_so(tmp_path: Path, share: float) -> None:
    path = encode(tmp_path / "a.mp4", marked(20))
    with pytest.raises(DataError, match="cut short before the end of the index of its frames: 0 frames"):
        probe(cut(path, max(60, int(path.stat().st_size * share))))


def whole_frames(path: Path) -> int:
    try:
        return probe(path).num_frames
    except DataError:
        return 0


def test_every_length_of_a_file_is_answered(tmp_path: Path) -> None:
    for kind in ("mp4", "mkv", "avi"):
        path = write(tmp_path, kind)
        size = path.stat().st_size
        counts = [whole_frames(cut(path, end, f"cut{end}")) for end in (*range(1, size - 1, 397), size - 1)]
        assert counts == sorted(counts)
        assert counts[0] == 0
        assert counts[-1] >= NUM_FRAMES - 5


def test_parts_of_containers(tmp_path: Path) -> None:
    for kind in KINDS:
        path = write(tmp_path, kind)
        with path.open("rb") as stream:
            assert whole_bytes(stream) == path.stat().st_size
        with cut(path, -1).open("rb") as stream:
            assert whole_bytes(stream) < path.stat().st_size - 1
    padded = tmp_path / "padded.mp4"
    padded.write_bytes((tmp_path / "a.mp4").read_bytes() + bytes(100))
    with padded.open("rb") as stream:
        assert whole_bytes(stream) == padded.stat().st_size


# ---- damage -------------------------------------------------------------------------------------------------------


def damaged(path: Path, number: int) -> Path:
    """A copy in which the middle of one packet is noise."""
    with av.open(str(path)) as container:
        packet = [p for p in container.demux(container.streams.video[0]) if p.size][number]
        start, size = packet.pos or 0, packet.size
    data = bytearray(path.read_bytes())
    noise = np.random.default_rng(0).integers(0, 256, size // 2, np.uint8)
    data[start + size // 4 : start + size // 4 + len(noise)] = noise.tobytes()
    copy = path.with_name(f"damaged{path.suffix}")
    copy.write_bytes(data)
    return copy


def test_a_damaged_frame_is_not_shown(tmp_path: Path) -> None:
    path = damaged(encode(tmp_path / "a.mp4", marked(20), options={"bf": "0", "g": "1", "qp": "10"}), 12)
    delivered = []
    with pytest.raises(BrokenFrame, match=r"frame 12 .*; the 12 frames before it can be read") as caught:
        delivered.extend(number_in(frame) for frame in iter_frames(path))
    assert delivered == list(range(12))
    assert caught.value.number == 12
    assert caught.value.path == str(path)
    assert len(read_clip(path, accept_cut=True).frames) == 12
    assert number_in(read_clip(path, start=15, num_frames=1).frames[0]) == 15


def test_damage_in_the_first_frame(tmp_path: Path) -> None:
    path = damaged(encode(tmp_path / "a.mp4", marked(5), options={"bf": "0", "g": "1", "qp": "10"}), 0)
    for accept_cut in (False, True):
        with pytest.raises(DataError, match=r"frame 0 .* no frame before it|0 frames can be read"):
            read_clip(path, accept_cut=accept_cut)


def test_a_change_of_size_within_a_clip(tmp_path: Path) -> None:
    small, large = (encode(tmp_path / f"{h}.h264", marked(5, h, w)) for h, w in ((32, 64), (48, 96)))
    path = tmp_path / "both.h264"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    delivered = []
    with pytest.raises(BrokenFrame, match="frame 5 is 96 x 48 pixels, the ones before 64 x 32"):
        delivered.extend(number_in(frame) for frame in iter_frames(path))
    assert delivered == list(range(5))


# ---- no clip at all -----------------------------------------------------------------------------------------------


def sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_files_that_are_no_clips(tmp_path: Path) -> None:
    from PIL import Image

    contents = {
        "empty.mp4": b"",
        "letter.mp4": b"Dear reader, " * 50,
        "letter.txt": b"Dear reader, " * 50,
        "noise.mkv": np.random.default_rng(0).bytes(5000),
        "list.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        "joined.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "zeros.webm": bytes(5000),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in ("still.jpg", "still.png", "still.webp", "still.bmp", "still.tif"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    sound(tmp_path / "song.m4a")
    reasons = {"empty.mp4": "is empty", "song.m4a": "no video, only sound", "absent.mp4": "no such file"}
    reasons |= {f"still.{suffix}": "is a single picture" for suffix in ("jpg", "png", "webp", "bmp", "tif")}
    for name in (*contents, *reasons):
        with pytest.raises(DataError, match=reasons.get(name, "is no video this program can read")) as caught:
            probe(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)
        with pytest.raises(DataError):
            next(iter_frames(tmp_path / name))


def test_a_clip_without_frames(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", marked(1), container_options={"movflags": "frag_keyframe+empty_moov"})
    with path.open("rb") as stream:
        data = stream.read()
    header = data[: data.index(b"moof") - 4]
    (tmp_path / "none.mp4").write_bytes(header)
    with pytest.raises(DataError, match="holds no frames"):
        probe(tmp_path / "none.mp4")


def test_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.avi", marked(2), codec="mpeg4")
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"XYZ0"))
    with pytest.raises(DataError, match=r"cannot decode|can read"):
        probe(path)


def test_names_with_a_meaning_to_the_library(tmp_path: Path) -> None:
    """A file is a file, whatever protocol its name seems to speak of."""
    path = encode(tmp_path / "a.mkv", marked(2), **FFV1)
    odd = tmp_path / "concat:50%25 härter.mkv"
    path.rename(odd)
    assert probe(odd).num_frames == 2


def test_a_clip_is_closed_behind_the_reader(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", marked(5), **FFV1)
    with open_clip(path) as source:
        assert number_in(source.frame(3)) == 3
    with pytest.raises(AssertionError):
        source.frame(4)
    frames = iter_frames(path)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
