"""Files as people bring them: right, wrong, huge, broken, pasted."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage

from app.services import file_facts, input_files
from app.services.dropped import dropped
from app.services.file_facts import FileFacts, FileKind, FileProblem, keep_pasted, keep_smaller, look_at
from app.ui.widgets.generate.start_picture_field import StartPictureField
from tests.app.conftest import RunAsync, until
from tests.app.views import noise, plain
from tests.helpers.clips import encode, marked
from ul_engine.outputs import write_clip

pytestmark = pytest.mark.usefixtures("qapp")


def facts(path: Path) -> FileFacts:
    found = look_at(str(path))
    assert isinstance(found, FileFacts), found
    return found


def problem(path: Path) -> str:
    found = look_at(str(path))
    assert isinstance(found, FileProblem), found
    return found.sentence


# ---- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif", "gif"])
def test_pictures_of_all_kinds(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(marked(1)[0]).save(path)
    found = facts(path)
    assert (found.kind, found.size_px, found.fps, found.notes) == (FileKind.PICTURE, (64, 32), None, ())
    assert found.num_bytes == path.stat().st_size
    assert found.thumbnail is not None
    assert found.thumbnail.width() == 64


def test_a_turned_picture_is_measured_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(marked(1)[0]).save(tmp_path / "a.jpg", exif=exif)
    assert facts(tmp_path / "a.jpg").size_px == (32, 64)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("a.png", "JPEG", "named .png, but holds JPEG"), ("a.txt", "PNG", "named .txt, but holds PNG")],
)
def test_a_wrong_suffix_is_read_and_told(tmp_path: Path, name: str, kind: str, words: str) -> None:
    Image.fromarray(marked(1)[0]).save(tmp_path / name, kind)
    assert words in facts(tmp_path / name).notes[0]


def test_transparency_is_told(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 10)).save(tmp_path / "a.png")
    assert "laid over white" in facts(tmp_path / "a.png").notes[0]


@pytest.mark.allowed_logs("qt.*image")
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_a_picture_that_is_cut_short(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    rough = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(rough).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert any(word in problem(path) for word in ("cut short", "truncated", "broken", "damaged"))


def test_what_is_no_picture_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("I am a text")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert problem(tmp_path / "a.png")
    assert problem(tmp_path / "empty.jpg") == "is empty"
    assert "drawing" in problem(tmp_path / "a.svg")
    assert problem(tmp_path / "gone.png") == "is no longer there"


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert problem(tmp_path / "pipe.png") == "is no ordinary file"


def test_a_picture_beyond_all_limits_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_facts, "MAX_PIXELS", 1000)
    plain(64, 64).save(str(tmp_path / "a.png"))
    found = look_at(str(tmp_path / "a.png"))
    assert isinstance(found, FileProblem)
    assert found.is_too_large
    assert "64 × 64 pixels" in found.sentence
    smaller = keep_smaller(str(tmp_path / "a.png"), tmp_path / "cache", 1000)
    assert isinstance(smaller, str)
    assert facts(Path(smaller)).size_px == (31, 31)


def test_smaller_copies_of_photos_of_one_name_are_two(tmp_path: Path) -> None:
    """Cameras give every card the same names; a job that waits must not find the other photo in its file."""
    for number, card in enumerate("ab"):
        (tmp_path / card).mkdir()
        noise(64, 64, number).save(str(tmp_path / card / "IMG_0001.png"))
    first, second, again = (
        keep_smaller(str(tmp_path / card / "IMG_0001.png"), tmp_path / "cache", 1000) for card in "aba"
    )
    assert first == again != second
    assert QImage(str(first)) != QImage(str(second))


# ---- clips and folders --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.mkv", "a.gif", "a.webp"])
def test_clips_of_all_kinds(tmp_path: Path, name: str) -> None:
    write_clip(tmp_path / name, marked(9), 10)
    found = facts(tmp_path / name)
    assert (found.kind, found.size_px, found.num_frames, found.fps) == (FileKind.CLIP, (64, 32), 9, 10.0)
    assert found.thumbnail is not None


def test_a_clip_with_the_name_of_a_picture(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", marked(9), 10)
    (tmp_path / "a.mp4").rename(tmp_path / "a.jpg")
    found = facts(tmp_path / "a.jpg")
    assert found.num_frames == 9
    assert "holds a clip" in found.notes[0]


@pytest.mark.parametrize("name", ["cut.mkv", "cut.gif", "cut.webp"])
def test_a_clip_that_is_cut_short_still_serves(tmp_path: Path, name: str) -> None:
    write_clip(tmp_path / name, marked(60), 10)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[: (tmp_path / name).stat().st_size // 2])
    found = facts(tmp_path / name)
    assert 1 < found.num_frames < 60
    assert "cut short" in found.notes[0]


def test_an_mp4_without_its_index_is_told(tmp_path: Path) -> None:
    encode(tmp_path / "cut.mp4", marked(60))  # the index stands at the end
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "cut.mp4").read_bytes()[:-900])
    assert problem(tmp_path / "cut.mp4")


def test_folders(tmp_path: Path) -> None:
    assert "without pictures" in problem(tmp_path)
    for number in range(3):
        plain(4, 4).save(str(tmp_path / f"{number}.png"))
    (tmp_path / "notes.txt").write_text("x")
    found = facts(tmp_path)
    assert (found.kind, found.num_files) == (FileKind.FOLDER, 3)


# ---- paste and drop -----------------------------------------------------------------------------------------------


def test_pasted_pictures_get_files_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_facts, "MAX_PASTED", 3)
    paths = [keep_pasted(noise(8, 8, seed), tmp_path / "pasted") for seed in range(5)]
    assert isinstance(paths[-1], str)
    assert facts(Path(paths[-1])).size_px == (8, 8)
    assert sorted(str(path) for path in (tmp_path / "pasted").iterdir()) == paths[-3:]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "pasted").write_text("a file stands in the way")
    found = keep_pasted(plain(4, 4), tmp_path / "pasted")
    assert isinstance(found, FileProblem)
    assert "cannot be kept" in found.sentence


def test_what_is_dropped(tmp_path: Path) -> None:
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/a.png"), QUrl.fromLocalFile("/b.mp4"), QUrl("https://c.org/c.png")])
    assert dropped(files).paths == ("/a.png", "/b.mp4")
    from_browser = QMimeData()
    from_browser.setUrls([QUrl("https://c.org/c.png")])
    from_browser.setImageData(plain(4, 4))
    found = dropped(from_browser)
    assert found.image is not None
    assert found.is_welcome
    link = QMimeData()
    link.setUrls([QUrl("https://c.org/c.png")])
    assert "Save the picture" in dropped(link).problem
    words = QMimeData()
    words.setText("hello")
    assert not dropped(words).is_welcome
    assert not dropped(None).is_welcome


# ---- really large, really broken ----------------------------------------------------------------------------------


@pytest.mark.stress
def test_a_hundred_megapixels(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (10_000, 10_000), (200, 30, 30)).save(path, compress_level=1)
    found = facts(path)
    assert found.size_px == (10_000, 10_000)
    assert found.is_large
    smaller = keep_smaller(str(path), tmp_path / "cache")
    assert isinstance(smaller, str)
    assert not facts(Path(smaller)).is_large


@pytest.mark.stress
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_four_hundred_megapixels_are_refused_with_a_way_on(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    Image.new("RGB", (20_000, 20_000), (200, 30, 30)).save(path)
    found = look_at(str(path))
    assert isinstance(found, FileProblem)
    assert found.is_too_large
    smaller = keep_smaller(str(path), tmp_path / "cache")
    assert isinstance(smaller, str), smaller
    assert facts(Path(smaller)).size_px[0] > 5000


@pytest.mark.stress
@pytest.mark.allowed_logs("qt.*image")
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.mp4", "a.webm", "a.mkv"])
def test_damage_anywhere_never_raises(tmp_path: Path, name: str) -> None:
    """Bytes are flipped and ends cut off at random: there is always an answer, facts or a sentence."""
    path, random = tmp_path / name, np.random.default_rng(5)
    if name in ("a.png", "a.jpg"):
        Image.fromarray(random.integers(0, 256, (48, 48, 3), dtype=np.uint8)).save(path)
    else:
        write_clip(path, marked(12), 10)
    whole = path.read_bytes()
    answers: set[Callable[..., Any]] = set()
    for _ in range(150):
        data = bytearray(whole[: int(random.integers(1, len(whole) + 1))])
        for at in random.integers(0, len(data), 3):
            data[at] = int(random.integers(256))
        path.write_bytes(bytes(data))
        found = look_at(str(path))
        answers.add(type(found))
        if isinstance(found, FileProblem):
            assert found.sentence
    assert FileProblem in answers


# ---- where they are used ------------------------------------------------------------------------------------------


def test_compare_offers_a_smaller_copy_of_what_is_too_large(
    make_program: Callable[..., Any], run_async: RunAsync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_facts, "MAX_PIXELS", 1000)
    monkeypatch.setattr(input_files, "kept_dir", lambda: tmp_path)
    monkeypatch.setattr(input_files, "keep_smaller", lambda path, folder: keep_smaller(path, folder, 1000))
    plain(64, 64).save(str(tmp_path / "a.png"))

    async def story() -> None:
        program = make_program()
        inputs, board = program.session.compare.inputs, program.session.notices
        program.session.compare.add_files([str(tmp_path / "a.png")])
        await until(lambda: board.notices)
        notice = board.notices[0]
        assert "64 × 64 pixels" in notice.sentence
        board.choose(notice, notice.actions[0].name, notice.actions[0].argument)
        await until(lambda: inputs.items and inputs.items[0].size_px == (31, 31))
        assert len(inputs.items) == 1

    run_async(story())


def test_a_pipe_cannot_stop_compare(make_program: Callable[..., Any], run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        program = make_program()
        os.mkfifo(tmp_path / "pipe.png")
        plain(8, 8).save(str(tmp_path / "b.png"))
        program.session.compare.add_files([str(tmp_path / "pipe.png"), str(tmp_path / "b.png")])
        await until(lambda: program.session.compare.inputs.items[1].size_px == (8, 8))
        assert program.session.compare.inputs.items[0].problem == "is no ordinary file"

    run_async(story())


def test_a_picture_dragged_from_a_browser_starts_generate(make_shell: Callable[..., Any]) -> None:
    shell = make_shell()
    field = shell.window.generate_page.panel.findChild(StartPictureField)
    assert field is not None
    pictures: list[Any] = []
    files: list[Any] = []
    field.image_dropped.connect(pictures.append)
    field.file_dropped.connect(files.append)
    data = QMimeData()
    data.setUrls([QUrl("https://c.org/c.png")])
    data.setImageData(plain(4, 4))
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    field.dropEvent(event)
    assert len(pictures) == 1
    assert files == []
