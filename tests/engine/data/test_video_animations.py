"""GIF, APNG, animated WebP and folders of pictures: counted and timed by their own blocks, decoded by Pillow."""

import struct
import zlib
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.clips import cut, marked, number_in
from ul_engine.errors import DataError
from ul_engine.media.broken import BrokenFrame
from ul_engine.media.gif_blocks import read_gif_blocks, with_comments
from ul_engine.media.pictures import write_picture
from ul_engine.media.reading import iter_frames, open_clip, probe, read_clip
from ul_engine.media.texts import read_texts
from ul_engine.media.webp_chunks import read_webp_chunks

NUM_FRAMES = 10
SUFFIXES = ("gif", "png", "webp")


def animate(path: Path, durations_ms: list[int], *, lossless: bool = True) -> Path:
    """Written by Pillow, an independent hand."""
    images = [Image.fromarray(frame) for frame in marked(len(durations_ms))]
    options: dict[str, object] = {"lossless": True} if path.suffix == ".webp" and lossless else {}
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations_ms, loop=0, **options)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_and_rate(tmp_path: Path, suffix: str) -> None:
    path = animate(tmp_path / f"a.{suffix}", [40] * NUM_FRAMES)
    clip = read_clip(path)
    assert (clip.info.num_frames, clip.fps, clip.info.is_variable) == (NUM_FRAMES, Fraction(25), False)
    assert clip.info.duration_s == Fraction(NUM_FRAMES, 25)
    assert [number_in(frame) for frame in clip.frames] == list(range(NUM_FRAMES))
    assert clip.frames.shape == (NUM_FRAMES, 32, 64, 3)
    if suffix != "gif":
        assert np.array_equal(clip.frames, marked(NUM_FRAMES))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_order(tmp_path: Path, suffix: str) -> None:
    path = animate(tmp_path / f"a.{suffix}", [40] * NUM_FRAMES)
    with open_clip(path) as source:
        for number in (7, 2, 9, 0, 5):
            assert number_in(source.frame(number)) == number
    assert [number_in(frame) for frame in iter_frames(path, start=1, stride=4)] == [1, 5, 9]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_delays_that_differ(tmp_path: Path, suffix: str) -> None:
    durations = [40, 40, 200, 40, 1000, 80]
    path = animate(tmp_path / f"a.{suffix}", durations)
    info = probe(path)
    assert info.is_variable
    assert info.duration_s == Fraction(sum(durations), 1000)
    assert info.fps == Fraction(6 * 1000, sum(durations))
    starts = [sum(durations[:k]) for k in range(6)]
    expected = [max(k for k, start in enumerate(starts) if start <= 40 * j) for j in range(sum(durations) // 40)]
    assert list(read_clip(path, fps=25).numbers) == expected


def test_rounded_delays_are_a_constant_rate(tmp_path: Path) -> None:
    assert probe(animate(tmp_path / "a.gif", [30, 40, 30] * 4)).fps == 30
    assert probe(animate(tmp_path / "a.webp", [33, 34, 33] * 4)).fps == 30


def test_no_delay_counts_as_browsers_count_it(tmp_path: Path) -> None:
    assert probe(animate(tmp_path / "a.gif", [0, 0, 0])).fps == 10
    assert probe(animate(tmp_path / "b.gif", [10, 10, 10])).fps == 10
    assert probe(animate(tmp_path / "c.gif", [20, 20, 20])).fps == 50
    assert probe(animate(tmp_path / "a.webp", [10, 10, 10])).fps == 100


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_transparency_lies_over_white(tmp_path: Path, suffix: str) -> None:
    images = []
    for k in range(3):
        array = np.full((16, 16, 4), 0 if suffix == "gif" else 1, np.uint8)  # all but transparent
        array[:, :8] = (200, 10 * k, 0, 255)
        images.append(Image.fromarray(array))
    options = {"lossless": True} if suffix == "webp" else {}
    path = tmp_path / f"a.{suffix}"
    images[0].save(path, save_all=True, append_images=images[1:], duration=50, disposal=2, **options)
    clip = read_clip(path)
    assert clip.info.has_alpha
    assert (clip.frames[:, :, 8:] >= 254).all()
    assert clip.frames[1, 3, 3].tolist() == [200, 10, 0]


def test_frames_that_change_only_a_part_are_put_together(tmp_path: Path) -> None:
    frames = np.full((4, 24, 24, 3), 90, np.uint8)
    for k in range(4):
        frames[k, 4 * k : 4 * k + 5, 6:11] = (250, 60 * k, 10)
    for suffix in SUFFIXES:
        images = [Image.fromarray(frame) for frame in frames]
        options = {"lossless": True} if suffix == "webp" else {}
        path = tmp_path / f"a.{suffix}"
        images[0].save(path, save_all=True, append_images=images[1:], duration=50, **options)
        assert np.array_equal(read_clip(path).frames, frames)


def test_a_cover_for_programs_without_animation_is_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    images = [Image.fromarray(frame) for frame in marked(4)]
    Image.new("RGB", images[0].size, "red").save(
        path, save_all=True, append_images=images, duration=40, default_image=True
    )
    assert [number_in(frame) for frame in iter_frames(path)] == [0, 1, 2, 3]
    assert probe(path).num_frames == 4


def test_sixteen_bits_and_odd_delays_of_png(tmp_path: Path) -> None:
    """A rate that milliseconds cannot state: 1001/30000 s a frame, written chunk by chunk."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 4, 2, 8, 2, 0, 0, 0)), (b"acTL", struct.pack(">II", 3, 0))]
    sequence = 0
    for k in range(3):
        chunks.append((b"fcTL", struct.pack(">IIIIIHHBB", sequence, 4, 2, 0, 0, 1001, 30000, 0, 0)))
        pixels = zlib.compress(b"".join(b"\0" + bytes([50 * k] * 12) for _ in range(2)))
        chunks.append((b"IDAT", pixels) if k == 0 else (b"fdAT", struct.pack(">I", sequence + 1) + pixels))
        sequence += 1 if k == 0 else 2
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in [*chunks, (b"IEND", b"")]:
        data += struct.pack(">I", len(body)) + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    clip = read_clip(tmp_path / "a.png")
    assert clip.fps == Fraction(30000, 1001)
    assert clip.frames[:, 0, 0, 0].tolist() == [0, 50, 100]


# ---- cut and damaged ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_length_of_a_file_is_answered(tmp_path: Path, suffix: str) -> None:
    path = animate(tmp_path / f"a.{suffix}", [40] * NUM_FRAMES)
    whole, counts = read_clip(path).frames, []
    for size in range(13, path.stat().st_size, path.stat().st_size // 40):
        short = cut(path, size)
        try:
            info = probe(short)
        except DataError as error:
            counts.append(0)
            assert "0 frames" in str(error)  # noqa: PT017
            continue
        counts.append(info.num_frames)
        assert info.is_cut
        assert np.array_equal(read_clip(short, accept_cut=True).frames, whole[: info.num_frames])
        with pytest.raises(DataError, match=f"only its first {info.num_frames} frames"):
            read_clip(short)
    assert counts == sorted(counts)
    assert counts[-1] >= NUM_FRAMES - 1
    assert set(range(2, NUM_FRAMES - 1)) <= set(counts)


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_a_damaged_frame(tmp_path: Path, suffix: str) -> None:
    path = animate(tmp_path / f"a.{suffix}", [40] * NUM_FRAMES)
    data = bytearray(path.read_bytes())
    start = len(data) * 2 // 3
    data[start : start + 200] = bytes(255 - value for value in data[start : start + 200])
    path.write_bytes(data)
    delivered = []
    with pytest.raises(DataError) as caught:
        delivered.extend(number_in(frame) for frame in iter_frames(path))
    assert isinstance(caught.value, BrokenFrame) or "cut short" in str(caught.value) or "0 frames" in str(caught.value)
    assert delivered == list(range(len(delivered)))


def test_a_picture_larger_than_any_is_refused(tmp_path: Path) -> None:
    path = animate(tmp_path / "a.gif", [40] * 2)
    data = bytearray(path.read_bytes())
    data[6:10] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(DataError, match="65535 x 65535"):
        probe(path)


# ---- blocks -------------------------------------------------------------------------------------------------------


def test_the_blocks_of_a_gif(tmp_path: Path) -> None:
    path = animate(tmp_path / "a.gif", [40, 50, 60])
    commented = with_comments(path.read_bytes(), ["first", "second: " + "ü" * 400])
    blocks = read_gif_blocks(commented)
    assert blocks.delays == [4, 5, 6]
    assert blocks.comments == ["first", "second: " + "ü" * 400]
    assert not blocks.is_cut
    (tmp_path / "b.gif").write_bytes(commented)
    with Image.open(tmp_path / "b.gif") as image:
        assert image.n_frames == 3  # type: ignore[attr-defined]
    assert np.array_equal(read_clip(path).frames, read_clip(tmp_path / "b.gif").frames)


def test_what_is_neither_gif_nor_webp() -> None:
    for read in (read_gif_blocks, read_webp_chunks):
        with pytest.raises(ValueError, match="no "):
            read(b"something else entirely")


def test_noise_between_the_blocks_is_an_error_of_the_data(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for suffix in SUFFIXES:
        whole = animate(tmp_path / f"a.{suffix}", [40] * 3).read_bytes()
        for number in range(60):
            data = bytearray(whole)
            for place in generator.integers(4, min(len(data), 400), 5):
                data[place] = int(generator.integers(256))
            path = tmp_path / f"{number}.{suffix}"
            path.write_bytes(data[: int(generator.integers(10, len(data) + 1))])
            for read in (probe, read_texts, lambda file: read_clip(file, accept_cut=True)):
                with suppress(DataError):
                    read(path)


# ---- sequences ----------------------------------------------------------------------------------------------------


def pictures(folder: Path, names: list[str]) -> Path:
    for name, frame in zip(names, marked(len(names)), strict=True):
        write_picture(folder / name, frame)
    return folder


def test_a_folder_in_natural_order(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "shots", [f"shot{n}.png" for n in (1, 2, 9, 10, 11, 100)])
    (folder / "notes.txt").write_text("take 3")
    (folder / ".hidden.png").write_bytes(b"")
    info = probe(folder)
    assert (info.num_frames, info.fps, info.codec) == (6, Fraction(24), "png sequence")
    assert [number_in(frame) for frame in iter_frames(folder)] == list(range(6))
    assert read_clip(folder, sequence_fps="30000/1001").fps == Fraction(30000, 1001)


@pytest.mark.parametrize("pattern", ["shot_%04d.jpg", "shot_%d.jpg", "shot_*.jpg", "shot_????.jpg"])
def test_patterns(tmp_path: Path, pattern: str) -> None:
    pictures(tmp_path, [f"shot_{n:04d}.jpg" for n in range(7, 12)])
    Image.new("RGB", (5, 5)).save(tmp_path / "other.png")
    clip = read_clip(tmp_path / pattern)
    assert [number_in(frame) for frame in clip.frames] == list(range(5))
    assert clip.info.codec == "jpeg sequence"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "no pictures"),
        ("b_%d.png", "no file has such a name"),
        ("b_*.png", "no pictures"),
        ("a_%d.png", "picture 3 of 1 to 5 is missing"),
        ("a_%d_%d.png", "one %d"),
        ("none/%d.png", "cannot be read"),
    ],
)
def test_sequences_that_are_none(tmp_path: Path, name: str, words: str) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    if name:
        pictures(folder, [f"a_{n}.png" for n in (1, 2, 4, 5)])
    with pytest.raises(DataError, match=words):
        probe(folder / name if name else folder)


def test_a_picture_of_another_size_and_a_broken_one(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", [f"{n}.png" for n in range(4)])
    Image.new("RGB", (9, 9)).save(folder / "2.png")
    with pytest.raises(BrokenFrame, match=r"2\.png: frame 2 is 9 x 9 pixels, the first one 64 x 32"):
        read_clip(folder)
    (folder / "2.png").write_bytes(b"nothing")
    delivered = []
    with pytest.raises(BrokenFrame, match="frame 2 is no picture this program can read"):
        delivered.extend(iter_frames(folder))
    assert len(delivered) == 2
    assert len(read_clip(folder, accept_cut=True).frames) == 2


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for n in range(2):
        Image.new("RGB", (20, 10)).save(tmp_path / f"{n}.jpg", exif=exif)
    assert read_clip(tmp_path).frames.shape == (2, 20, 10, 3)
    assert (probe(tmp_path).height_px, probe(tmp_path).width_px) == (20, 10)
