"""What is written comes back: every frame, the exact rate, and the pixels as far as the format can."""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.helpers.clips import marked, number_in, psnr_db
from ul_engine.errors import ConfigError, OutputError, ShapeError
from ul_engine.media import writing
from ul_engine.media.formats import ClipFormat, format_of
from ul_engine.media.reading import probe, read_clip
from ul_engine.outputs import write_clip

NUM_FRAMES = 24
NTSC = Fraction(30000, 1001)
TARGETS = {"mp4": "a.mp4", "webm": "a.webm", "mkv": "a.mkv", "gif": "a.gif", "webp": "a.webp", "png": "a/%05d.png"}
LOSSLESS = ("mkv", "webp", "png")


def smooth(num_frames: int, height: int = 48, width: int = 64) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A soft pattern that moves, as real pictures are soft."""
    y, x = np.mgrid[0:height, 0:width]
    waves = ((np.sin((x + 2 * t) / 9), np.cos((y - t) / 7), np.sin((x + y + t) / 11)) for t in range(num_frames))
    return np.stack([127.5 + 110 * np.stack(wave, -1) for wave in waves]).round().astype(np.uint8)


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("fps", [Fraction(24), NTSC, Fraction(25, 2)], ids=str)
def test_a_round_trip(tmp_path: Path, kind: str, fps: Fraction) -> None:
    frames = marked(NUM_FRAMES)
    frames[7] = frames[6]  # frames that are alike stay frames of their own
    frames[-1] = frames[-2]
    path = tmp_path / TARGETS[kind]
    written = write_clip(path, frames, fps, quality=100)
    clip = read_clip(path)
    assert (written.path, written.num_frames) == (path, NUM_FRAMES)
    assert len(clip.frames) == clip.info.num_frames == NUM_FRAMES
    assert not clip.info.is_variable
    assert [number_in(frame) for frame in clip.frames] == [*range(7), 6, *range(8, 23), 22]
    if kind in LOSSLESS:
        assert np.array_equal(clip.frames, frames)
    if kind not in ("gif", "webp"):
        assert clip.fps == written.fps == fps
    else:
        assert abs(written.fps / fps - 1) <= Fraction(1, 200) / (NUM_FRAMES / fps)
        assert written.fps == NUM_FRAMES / sum(delays_s(path))


def delays_s(path: Path) -> list[Fraction]:
    with Image.open(path) as image:
        delays = []
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            image.load()
            delays.append(Fraction(image.info["duration"], 1000))
    return delays


def test_delays_of_a_gif_never_drift(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.gif", marked(60), 30)
    delays = delays_s(tmp_path / "a.gif")
    assert set(delays) == {Fraction(3, 100), Fraction(4, 100)}
    for k in range(61):
        assert abs(sum(delays[:k]) - Fraction(k, 30)) <= Fraction(1, 200)
    assert probe(tmp_path / "a.gif").fps == 30


@pytest.mark.parametrize("kind", ["mp4", "webm", "webp", "gif"])
def test_quality_counts(tmp_path: Path, kind: str) -> None:
    frames, path = smooth(8), tmp_path / f"a.{kind}"
    results = []
    for quality in (20, 80, 99):
        write_clip(path, frames, 25, quality=quality)
        results.append((psnr_db(read_clip(path).frames, frames), path.stat().st_size))
    assert results[1][0] > (24 if kind == "gif" else 36)
    if kind == "gif":
        assert results[0] == results[2]
    else:
        assert [psnr for psnr, _ in results] == sorted({psnr for psnr, _ in results})
        assert [size for _, size in results] == sorted({size for _, size in results})


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_colours_do_not_shift(tmp_path: Path, kind: str) -> None:
    """A wrong matrix or range would move plain colours by 5 to 20 levels."""
    colours = np.random.default_rng(0).integers(0, 256, (6, 3))
    frames = np.broadcast_to(colours[:, None, None], (6, 32, 32, 3)).astype(np.uint8)
    path = tmp_path / f"a.{kind}"
    write_clip(path, frames, 2, quality=100)
    assert np.abs(read_clip(path).frames.astype(int) - frames).max() <= 3
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range, context.pix_fmt) == (1, 1, "yuv420p")
        if kind == "mp4":
            assert (context.color_primaries, context.color_trc) == (1, 1)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize(("height", "width"), [(33, 47), (1, 1), (16, 33)])
def test_odd_sizes(tmp_path: Path, kind: str, height: int, width: int) -> None:
    frames = smooth(3, height, width)
    path = tmp_path / TARGETS[kind]
    written = write_clip(path, frames, 25, quality=100)
    clip = read_clip(path)
    even = (height + height % 2, width + width % 2) if kind == "mp4" else (height, width)
    assert (written.height_px, written.width_px) == clip.frames.shape[1:3] == even
    if kind in LOSSLESS:
        assert np.array_equal(clip.frames, frames)
    if kind == "mp4":  # the last row and column stand twice
        padded = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        assert psnr_db(clip.frames, padded) > 30


@pytest.mark.parametrize("kind", TARGETS)
def test_one_frame(tmp_path: Path, kind: str) -> None:
    path = tmp_path / TARGETS[kind]
    written = write_clip(path, marked(1), 25)
    clip = read_clip(path)
    assert (clip.frames.shape, clip.fps, written.fps) == ((1, 32, 64, 3), 25, 25)


@pytest.mark.parametrize("kind", TARGETS)
def test_frames_may_come_one_by_one(tmp_path: Path, kind: str) -> None:
    frames = marked(5)
    whole, streamed = tmp_path / "whole" / TARGETS[kind], tmp_path / "streamed" / TARGETS[kind]
    for path, given in ((whole, frames), (streamed, (frame[:, ::-1][:, ::-1] for frame in frames))):
        path.parents[len(Path(TARGETS[kind]).parts) - 1].mkdir()
        write_clip(path, given, 10, quality=100)
    assert psnr_db(read_clip(whole).frames, read_clip(streamed).frames) > 40


def test_few_colours_are_exact_in_a_gif(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    colours = generator.integers(0, 256, (256, 3), np.uint8)
    frames = colours[generator.integers(0, 256, (5, 20, 30))]
    write_clip(tmp_path / "a.gif", frames, 10)
    assert np.array_equal(read_clip(tmp_path / "a.gif").frames, frames)


def test_a_still_part_of_a_webp_costs_nothing(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    still = np.repeat(generator.integers(0, 256, (1, 64, 64, 3), np.uint8), 20, 0)
    write_clip(tmp_path / "one.webp", still[:1], 25, quality=100)
    write_clip(tmp_path / "all.webp", still, 25, quality=100)
    assert (tmp_path / "all.webp").stat().st_size < (tmp_path / "one.webp").stat().st_size + 19 * 100
    assert np.array_equal(read_clip(tmp_path / "all.webp").frames, still)


def test_an_mp4_starts_with_its_index(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", marked(30), 25)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    for kind in ("webm", "mkv", "gif", "webp"):  # x264 itself rounds one way or the other
        path = tmp_path / f"a.{kind}"
        contents = []
        for _ in range(2):
            write_clip(path, smooth(10), 25)
            contents.append(path.read_bytes())
        assert contents[0] == contents[1]


# ---- refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.mpeg", "a", "a.jpg", ".mp4"])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError) as caught:
        write_clip(tmp_path / name, marked(1), 25)
    assert all(f".{kind}: " in str(caught.value) for kind in ClipFormat)
    assert everything_in(tmp_path) == []


def test_suffixes_in_capitals(tmp_path: Path) -> None:
    assert format_of("CLIP.MP4") is ClipFormat.MP4
    write_clip(tmp_path / "A.GIF", marked(2), 10)
    assert probe(tmp_path / "A.GIF").num_frames == 2


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"fps": 0}, ConfigError, "fps"),
        ({"quality": 0}, ConfigError, "quality: must be between 1 and 100"),
        ({"quality": 101}, ConfigError, "quality"),
        ({"frames": marked(0)}, ShapeError, "at least one frame"),
        ({"frames": np.zeros((2, 4, 4), np.uint8)}, ShapeError, r"\[H, W, 3\]"),
        ({"frames": np.zeros((2, 4, 4, 3), np.float32)}, ShapeError, "float32"),
        ({"frames": np.zeros((2, 0, 4, 3), np.uint8)}, ShapeError, r"\[0, 4, 3\]"),
        ({"frames": [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)]}, ShapeError, "one size"),
    ],
)
@pytest.mark.parametrize("kind", TARGETS)
def test_what_cannot_be_written(
    tmp_path: Path, kind: str, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    given: dict[str, Any] = {"frames": marked(2), "fps": 25} | arguments
    with pytest.raises(error, match=words):
        write_clip(tmp_path / TARGETS[kind], **given)
    assert everything_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_rates_that_viewers_do_not_show(tmp_path: Path) -> None:
    for name, fps in (("a.gif", 51), ("a.webp", 91)):
        with pytest.raises(ConfigError, match="plays at most"):
            write_clip(tmp_path / name, marked(2), fps)
    assert probe(write_clip(tmp_path / "a.gif", marked(9), 50).path).fps == 50
    assert probe(write_clip(tmp_path / "a.webp", marked(9), 90).path).num_frames == 9


def test_sizes_beyond_a_format(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="16383 pixels"):
        write_clip(tmp_path / "a.webp", np.zeros((1, 2, 16384, 3), np.uint8), 25)
    with pytest.raises(OutputError, match=r"a\.webm: cannot be encoded .*; try another format or size"):
        write_clip(tmp_path / "a.webm", np.zeros((1, 2, 70000, 3), np.uint8), 25)
    assert everything_in(tmp_path) == []


# ---- whole or not at all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in TARGETS if kind != "png"])
def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / TARGETS[kind]
    path.write_bytes(b"old")

    def frames() -> Iterator[Any]:
        yield from marked(3)
        raise RuntimeError("the model gave up")

    with pytest.raises(RuntimeError, match="gave up"):
        write_clip(path, frames(), 25)
    assert path.read_bytes() == b"old"
    assert everything_in(tmp_path) == [path.name]
    write_clip(path, marked(3), 25)
    assert probe(path).num_frames == 3
    assert everything_in(tmp_path) == [path.name]


@contextmanager
def file_limit(limit: int) -> Iterator[None]:
    """The operating system lets no file of this process grow beyond a size, as a full disk would.

    Only for as long as the clip is written: the test's own report may go to a file as well.
    """
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
@pytest.mark.parametrize("kind", TARGETS)
def test_a_disk_that_fills_up_while_writing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "new" / TARGETS[kind]
    path.parents[len(Path(TARGETS[kind]).parts) - 1].mkdir()
    write_clip(path, marked(12), 25, quality=100)
    size = max(file.stat().st_size for file in path.parent.iterdir())
    other = tmp_path / "other" / TARGETS[kind]
    other.parents[len(Path(TARGETS[kind]).parts) - 1].mkdir()
    for limit in (0, 50, size // 2, size - 1):
        with pytest.raises(OutputError, match="cannot be written"), file_limit(limit):
            write_clip(other, marked(12), 25, quality=100)
        assert everything_in(tmp_path / "other") == []


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "reports an error")])
@pytest.mark.parametrize("kind", ["mp4", "png"])
def test_a_disk_that_fails_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, number: int, words: str
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=words):
        write_clip(tmp_path / TARGETS[kind], marked(3), 25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("percent", "words"), [(60, r"only \d+ of 12 frames reached"), (5, "was not written as it")])
def test_frames_that_did_not_arrive_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, percent: int, words: str
) -> None:
    """A disk may lose what it took: the file is looked at before it gets its name."""
    write = writing.write_container

    def lose(target: Path, *arguments: Any, **options: Any) -> Any:
        written = write(target, *arguments, **options)
        os.truncate(target, target.stat().st_size * percent // 100)
        return written

    monkeypatch.setattr(writing, "write_container", lose)
    with pytest.raises(OutputError, match=rf"a\.mkv: {words}"):
        write_clip(tmp_path / "a.mkv", marked(12), 25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", TARGETS)
def test_a_folder_that_is_gone(tmp_path: Path, kind: str) -> None:
    with pytest.raises(OutputError, match="the folder is gone"):
        write_clip(tmp_path / "none" / TARGETS[kind], marked(2), 25)


def test_pictures_get_a_folder_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    written = write_clip(folder / "shot_%03d.png", marked(3), 25)
    assert everything_in(folder) == ["shot_000.png", "shot_001.png", "shot_002.png"]
    assert written.path == folder / "shot_%03d.png"
    assert read_clip(written.path).fps == 25
    with pytest.raises(OutputError, match="already holds something"):
        write_clip(folder / "shot_%03d.png", marked(2), 25)
    for name in ("a.png", "a/b.png", "a/%d_%d.png"):
        with pytest.raises(OutputError, match=r"folder/%05d\.png"):
            write_clip(tmp_path / name, marked(2), 25)
    assert len(everything_in(tmp_path)) == 3
