"""Where samples come from, in which order, and what is wrong with those that cannot be read."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.tiny import simple_pictures, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine.data.image_files import read_picture, write_picture
from ul_engine.errors import DataError
from ul_engine.evaluation import EvaluationSettings
from ul_engine.evaluation.files import FileReader, decoded_picture, find_files
from ul_engine.evaluation.inventory import Inventory, frames_of, take_inventory
from ul_engine.outputs import write_clip


def inventory(*data: Path, clips: bool = False, **settings: object) -> Inventory:
    config = clip_config(4, num_frames=4) if clips else tiny_config()
    with FileReader() as reader:
        return take_inventory(find_files(data, clips=clips), EvaluationSettings(**settings), config, reader)


def names(found: Inventory) -> list[str]:
    return [sample.name for sample in found.samples]


def test_a_folder_is_searched_through_and_sorted(pictures: Path) -> None:
    (pictures / "notes.txt").write_text("no picture")
    write_picture(pictures / ".hidden.png", simple_pictures(1)[0])
    found = inventory(pictures)
    assert names(found) == [f"{'a' if index < 3 else 'b'}/{index}.png" for index in range(6)]
    assert [sample.index for sample in found.samples] == list(range(6))
    assert names(inventory(pictures, limit=2)) == ["a/0.png", "a/1.png"]


def test_a_list_names_files_relative_to_itself(pictures: Path) -> None:
    path = pictures / "some.txt"
    path.write_text("# mine\n\nb/5.png\na/0.png\n")
    assert names(inventory(path)) == ["b/5.png", "a/0.png"]
    path.write_text("b/9.png\n")
    with pytest.raises(DataError, match=r"b/9\.png: there is no such file"):
        inventory(path)


def test_several_places_keep_their_order_and_say_which_they_are(pictures: Path) -> None:
    assert names(inventory(pictures / "b", pictures / "a" / "1.png")) == ["b/3.png", "b/4.png", "b/5.png", "1.png"]


def test_a_zip_holds_the_same_samples_as_its_folder(pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(pictures.rglob("*.png"), reverse=True):
            archive.write(file, file.relative_to(pictures))
        archive.writestr("__MACOSX/a/._0.png", b"rubbish")
        archive.writestr("LICENSE", "free")
    packed, plain = inventory(path), inventory(pictures)
    assert names(packed) == names(plain)
    assert packed.fingerprint == plain.fingerprint
    with FileReader() as reader:
        for one, other in zip(packed.samples, plain.samples, strict=True):
            settings = EvaluationSettings()
            assert np.array_equal(frames_of(one, settings, reader), frames_of(other, settings, reader))


def test_a_damaged_zip(tmp_path: Path, pictures: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(pictures / "a" / "0.png", "0.png")
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip/0\.png: cannot be read"):
        inventory(path)
    path.write_bytes(content[:40])
    with pytest.raises(DataError, match="is no zip, or damaged"):
        inventory(path)


def test_the_fingerprint_follows_names_and_contents(pictures: Path) -> None:
    before = inventory(pictures).fingerprint
    assert inventory(pictures.rename(pictures.with_name("moved"))).fingerprint == before
    moved = pictures.with_name("moved")
    write_picture(moved / "a" / "0.png", 255 - simple_pictures(1)[0])
    changed = inventory(moved).fingerprint
    assert changed != before
    (moved / "a" / "0.png").rename(moved / "a" / "00.png")
    assert inventory(moved).fingerprint not in (before, changed)


def test_pictures_are_read_as_the_rest_of_the_program_reads_them(tmp_path: Path) -> None:
    turned = Image.fromarray(simple_pictures(1, 24)[0][:16])
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    clear = np.dstack((simple_pictures(1)[0], np.full((16, 16), 128, np.uint8)))
    Image.fromarray(clear).save(tmp_path / "clear.png")
    for path in (tmp_path / "turned.jpg", tmp_path / "clear.png"):
        assert np.array_equal(decoded_picture(path.read_bytes(), "it"), read_picture(path))
    by_name = {sample.name: sample.shape for sample in inventory(tmp_path).samples}
    assert by_name == {"clear.png": (1, 16, 16), "turned.jpg": (1, 24, 16)}


def test_pictures_are_cut_to_a_size(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", simple_pictures(1, 40)[0][:30])
    found = inventory(tmp_path, size_px=16)
    with FileReader() as reader:
        frames = frames_of(found.samples[0], EvaluationSettings(size_px=16), reader)
    assert frames.shape == (1, 16, 16, 3)


def test_a_broken_picture_stops_the_work_or_is_left_out(pictures: Path) -> None:
    path = pictures / "a" / "1.png"
    path.write_bytes(path.read_bytes()[:70])
    (pictures / "b" / "4.png").write_text("text")
    with pytest.raises(DataError, match=r"a/1\.png: is truncated or broken"):
        inventory(pictures)
    found = inventory(pictures, skip_broken=True)
    assert names(found) == ["a/0.png", "a/2.png", "b/3.png", "b/5.png"]
    assert [sample.index for sample in found.samples] == [0, 1, 2, 3]
    assert [each.name for each in found.broken] == ["a/1.png", "b/4.png"]
    assert "is no picture" in found.broken[1].reason
    for sample in found.samples:
        sample.file.path.write_text("text")
    with pytest.raises(DataError, match="none of the 6 files can be read"):
        inventory(pictures, skip_broken=True)


@pytest.mark.parametrize(("place", "reason"), [("nowhere", "no such file or folder"), ("empty", "no pictures")])
def test_places_without_pictures(place: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=reason):
        inventory(tmp_path / place)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_files_that_are_no_sensible_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as stream:
        stream.truncate(2**30 + 1)
    with pytest.raises(DataError, match=r"it has 1\.1 GB, far more than a picture"):
        inventory(path)
    Image.new("1", (12000, 12000)).save(path)
    with pytest.raises(DataError, match="has 12000 x 12000 pixels"):
        inventory(path)
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is no list of files"):
        inventory(tmp_path / "list.txt")


def test_a_file_that_changes_meanwhile(pictures: Path) -> None:
    sample = inventory(pictures).samples[0]
    write_picture(sample.file.path, simple_pictures(1, 20)[0])
    with FileReader() as reader, pytest.raises(DataError, match="has changed"):
        frames_of(sample, EvaluationSettings(), reader)


def test_videos_give_clips_by_stride(tmp_path: Path) -> None:
    frames = simple_pictures(11)
    (tmp_path / "v").mkdir()
    write_clip(tmp_path / "v" / "film.mkv", frames, 8)
    for index, frame in enumerate(frames[:5]):
        write_picture(tmp_path / "v" / "sequence" / f"{index}.png", frame)
    found = inventory(tmp_path / "v", clips=True)
    assert names(found) == ["film.mkv#0", "film.mkv#4", "sequence#0"]
    assert {sample.shape for sample in found.samples} == {(4, 16, 16)}
    with FileReader() as reader:
        assert np.array_equal(frames_of(found.samples[1], EvaluationSettings(), reader), frames[4:8])
    assert names(inventory(tmp_path / "v" / "film.mkv", clips=True, clip_stride=3)) == [
        f"film.mkv#{start}" for start in (0, 3, 6)
    ]
    half = inventory(tmp_path / "v" / "film.mkv", clips=True, clip_fps=4.0)
    assert names(half) == ["film.mkv#0"]
    with FileReader() as reader:
        assert np.array_equal(frames_of(half.samples[0], EvaluationSettings(clip_fps=4.0), reader), frames[:8:2])


def test_a_video_that_is_too_short(tmp_path: Path) -> None:
    write_clip(tmp_path / "film.mkv", simple_pictures(3), 8)
    with pytest.raises(DataError, match="has 3 frames; clips of this model have 4"):
        inventory(tmp_path, clips=True)
