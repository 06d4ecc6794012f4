"""Results reach the disk whole, counted, and never in another's place."""

import errno
import os
import shutil
import stat
import sys
import threading
from collections import namedtuple
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ul_engine.errors import ConfigError, DataError, OutputError, ShapeError
from ul_engine.media.formats import ClipFormat, ClipSettings
from ul_engine.media.reading import read_clip
from ul_engine.media.texts import read_texts
from ul_engine.metadata import read_request
from ul_engine.outputs import OUTPUTS_VARIABLE, outputs_root, save_clip, save_picture, write_file
from ul_engine.requests import GenerateRequest

REQUEST = GenerateRequest(model="m", num_images=3, seed=40)
PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
FRAMES = np.random.default_rng(0).integers(0, 256, (6, 16, 24, 3), np.uint8)
Usage = namedtuple("Usage", "total used free")


def files(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_names_count_up_and_carry_the_seed(tmp_path: Path) -> None:
    paths = [save_picture(PIXELS, REQUEST, index, tmp_path) for index in range(3)]
    assert [path.name for path in paths] == ["00001-40.png", "00002-41.png", "00003-42.png"]
    assert files(tmp_path) == ["00001-40.png", "00002-41.png", "00003-42.png"]
    assert len({path.parent for path in paths}) <= 2  # one day, or two around midnight
    assert read_request(paths[1]).request.seed == 41


def test_pixels_arrive_unchanged(tmp_path: Path) -> None:
    from PIL import Image

    for pixels, shape in ((PIXELS, None), (PIXELS[None], None), (PIXELS.tobytes(), PIXELS.shape)):
        with Image.open(save_picture(pixels, REQUEST, 0, tmp_path, shape=shape)) as image:
            assert np.array_equal(np.asarray(image), PIXELS)


def test_a_strided_view_arrives_unchanged(tmp_path: Path) -> None:
    from PIL import Image

    view = PIXELS[:, ::-1]
    with Image.open(save_picture(view, REQUEST, 0, tmp_path)) as image:
        assert np.array_equal(np.asarray(image), view)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 4), (2, 4, 5, 3)])
def test_what_is_no_picture_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="one RGB picture"):
        save_picture(np.zeros(shape, np.uint8), REQUEST, 0, tmp_path)


def test_counting_goes_on_after_the_highest(tmp_path: Path) -> None:
    first = save_picture(PIXELS, REQUEST, 0, tmp_path)
    first.rename(first.with_name("00041-mine.png"))
    assert save_picture(PIXELS, REQUEST, 0, tmp_path).name == "00042-40.png"


def test_a_taken_name_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = save_picture(PIXELS, REQUEST, 0, tmp_path)
    before = first.read_bytes()
    monkeypatch.setattr(
        "ul_engine.whole_files._last_number", lambda folder: 0
    )  # as a second program would have counted
    assert save_picture(PIXELS[:2], REQUEST, 0, tmp_path).name == "00002-40.png"
    assert first.read_bytes() == before


def test_many_writers_at_once(tmp_path: Path) -> None:
    def work() -> None:
        for _ in range(5):
            save_picture(PIXELS, REQUEST, 0, tmp_path)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(tmp_path)) == 30


def test_a_disk_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    names = [save_picture(PIXELS, REQUEST, 0, tmp_path).name for _ in range(2)]
    assert names == files(tmp_path) == ["00001-40.png", "00002-40.png"]


def test_a_full_disk_is_noticed_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(OutputError, match="only 1 MB are free"):
        save_picture(PIXELS, REQUEST, 0, tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "reports an error")])
def test_a_disk_that_fails_while_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=words):
        save_picture(PIXELS, REQUEST, 0, tmp_path)
    assert files(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="other permissions there")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(OutputError, match="not allowed"):
        save_picture(PIXELS, REQUEST, 0, tmp_path)


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_picture(PIXELS, REQUEST, 0, tmp_path / "root")


def test_a_read_only_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match="can only be read"):
        save_picture(PIXELS, REQUEST, 0, tmp_path)


def test_the_root_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OUTPUTS_VARIABLE, str(tmp_path / "mine"))
    assert outputs_root() == tmp_path / "mine"
    monkeypatch.delenv(OUTPUTS_VARIABLE)
    checkout = Path(__file__).resolve().parents[2]
    assert outputs_root() == checkout / "outputs"


def test_without_a_checkout_results_are_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(OUTPUTS_VARIABLE, raising=False)
    monkeypatch.setattr("ul_engine.outputs.__file__", str(tmp_path / "site-packages" / "ul_engine" / "outputs.py"))
    assert outputs_root().parts[-2:] == ("UL Studio", "outputs")


def test_a_chosen_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    write_file(target, b"first")
    write_file(target, b"second")
    assert target.read_bytes() == b"second"

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="disk is full"):
        write_file(target, b"third")
    assert target.read_bytes() == b"second"
    assert files(tmp_path) == ["a.png"]


# ---- clips --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ClipFormat)
def test_clips_of_every_format_are_counted_and_carry_the_seed(tmp_path: Path, kind: ClipFormat) -> None:
    settings = ClipSettings(kind, quality=100)
    written = [save_clip(FRAMES, REQUEST, index, tmp_path, fps=12.5, settings=settings) for index in range(2)]
    names = [entry.name for entry in sorted(written[0].path.parents[kind is ClipFormat.PNG].iterdir())]
    assert names == (["00001-40", "00002-41"] if kind is ClipFormat.PNG else [f"00001-40.{kind}", f"00002-41.{kind}"])
    clip = read_clip(written[1].path)
    assert (clip.fps, len(clip.frames)) == (Fraction(25, 2), 6)
    if kind in (ClipFormat.MKV, ClipFormat.WEBP, ClipFormat.PNG):
        assert np.array_equal(clip.frames, FRAMES)
    assert read_request(written[1].path).request.seed == 41
    assert "Size: 24x16, Frames: 6, FPS: 25/2, " in read_texts(written[1].path)["parameters"]


def test_pictures_and_clips_share_one_counter(tmp_path: Path) -> None:
    save_picture(PIXELS, REQUEST, 0, tmp_path)
    pictures = save_clip(FRAMES, REQUEST, 1, tmp_path, fps=10, settings=ClipSettings(ClipFormat.PNG)).path
    assert (pictures.parent.name, pictures.name) == ("00002-41", "%05d.png")
    assert save_clip(FRAMES, REQUEST, 2, tmp_path, fps=10).path.name == "00003-42.mp4"


def test_a_clip_never_takes_the_place_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (ClipFormat.GIF, ClipFormat.PNG):
        root, settings = tmp_path / kind, ClipSettings(kind)
        first = save_clip(FRAMES, REQUEST, 0, root, fps=10, settings=settings).path
        before = files(root)
        with monkeypatch.context() as patch:
            patch.setattr("ul_engine.whole_files._last_number", lambda folder: 0)
            second = save_clip(FRAMES[:2], REQUEST, 0, root, fps=10, settings=settings).path
        assert str(second).count("00002-40") == 1
        assert len(read_clip(first).frames) == 6
        assert len(files(root)) > len(before)


def test_packed_frames(tmp_path: Path) -> None:
    packed = memoryview(FRAMES.tobytes()).cast("B", FRAMES.shape)
    settings = ClipSettings(ClipFormat.MKV)
    assert np.array_equal(
        read_clip(save_clip(packed, REQUEST, 0, tmp_path, fps=8, settings=settings).path).frames, FRAMES
    )


def test_one_switch_leaves_the_request_out(tmp_path: Path) -> None:
    paths = [
        save_picture(PIXELS, REQUEST, 0, tmp_path, keeps_request=False),
        save_clip(FRAMES, REQUEST, 0, tmp_path, fps=10, keeps_request=False).path,
    ]
    for path in paths:
        with pytest.raises(DataError, match="another program"):
            read_request(path)


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    for shape in ((6, 16, 24), (6, 16, 24, 4), (1, 6, 16, 24, 3), (0, 16, 24, 3)):
        with pytest.raises(ShapeError):
            save_clip(np.zeros(shape, np.uint8), REQUEST, 0, tmp_path, fps=10)
    with pytest.raises(ConfigError, match="fps"):
        save_clip(FRAMES, REQUEST, 0, tmp_path, fps=0)
    assert files(tmp_path) == []


def test_a_clip_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    for kind in (ClipFormat.MP4, ClipFormat.PNG):
        with pytest.raises(OutputError, match="disk is full"):
            save_clip(FRAMES, REQUEST, 0, tmp_path, fps=10, settings=ClipSettings(kind))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(OutputError, match="only 1 MB are free"):
        save_clip(FRAMES, REQUEST, 0, tmp_path, fps=10)
    (day,) = tmp_path.iterdir()
    assert list(day.iterdir()) == []
