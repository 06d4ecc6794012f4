"""The request inside files of every format: it comes back, others can read it, one switch leaves it out."""

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.helpers.clips import cut, encode, marked
from ul_engine.data.image_files import read_picture, write_picture
from ul_engine.errors import DataError
from ul_engine.media.picture_texts import exif_bytes, exif_texts, save_options
from ul_engine.media.reading import read_clip
from ul_engine.media.texts import read_texts
from ul_engine.metadata import (
    CHUNK_NAME,
    EmbeddedRequest,
    embed,
    embed_continued,
    embed_sheet,
    embed_way,
    read_request,
    text_chunks,
)
from ul_engine.outputs import write_clip
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, InterpolateRequest

PROMPT = 'eine große Kugel · 红色的球 · "quoted": a, b 🟥\tend'
REQUEST = GenerateRequest(model="/somewhere/private/scenes", prompt=PROMPT, num_images=4, seed=7)
EMBEDDED = embed(REQUEST, 2, model_name="Scenes, 64")
TEXTS = text_chunks(EMBEDDED, width_px=64, height_px=32, num_frames=3, fps=Fraction(30000, 1001))
CLIPS = ["a.mp4", "a.webm", "a.mkv", "a.gif", "a.webp", "a/%05d.png"]
PICTURES = ["p.png", "p.webp", "p.jpg"]


def clip(path: Path, texts: dict[str, str] | None = TEXTS) -> Path:
    return write_clip(path, marked(3), 25, texts=texts).path


def picture(path: Path, texts: dict[str, str] | None = TEXTS) -> Path:
    write_picture(path, marked(1)[0], texts=texts)
    return path


@pytest.mark.parametrize("name", CLIPS)
def test_clips_keep_the_request(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name)
    assert read_request(path) == EMBEDDED
    assert read_texts(path)["parameters"] == TEXTS["parameters"]
    assert len(read_clip(path).frames) == 3
    if name == "a/%05d.png":
        assert read_request(path.parent) == read_request(path.parent / "00002.png") == EMBEDDED


GRID = GridRequest(
    request=REQUEST,
    x=GridAxis(field="seed", values=(1, 2, 3)),
    y=GridAxis(field="init_image", values=("/private/a.png", "/private/b.png")),
)
WAY = InterpolateRequest(model="/private/m", prompt="a cube", num_steps=5, seed=3, second_seed=8)
CONTINUED = REQUEST.model_copy(update={"continue_from": "/private/before.mp4"})


@pytest.mark.parametrize(
    ("embedded", "words"),
    [
        (embed_sheet(GRID), "Holds: 6 pictures on a sheet, Columns: seed 1 | seed 2 | seed 3, Rows: init image a.png"),
        (embed_way(WAY), '"the whole way, 5 steps between seeds"'),
        (embed_continued(CONTINUED, EMBEDDED), "Holds: a clip and its continuation, Seed before: 9"),
        (embed_continued(CONTINUED, None), "Holds: a clip and its continuation"),
    ],
    ids=["sheet", "way", "continued", "continued of a foreign clip"],
)
def test_files_of_several_results_say_what_they_hold(tmp_path: Path, embedded: EmbeddedRequest, words: str) -> None:
    """The whole comes back; folders of this computer stay here; programs that do not know the form say so."""
    texts = text_chunks(embedded, width_px=64, height_px=32)
    for path in (
        picture(tmp_path / "a.png", texts),
        picture(tmp_path / "a.jpg", texts),
        clip(tmp_path / "a.mp4", texts),
    ):
        assert read_request(path) == embedded
    assert words in texts["parameters"]
    assert "/private" not in texts[CHUNK_NAME] + texts["parameters"]
    assert json.loads(texts[CHUNK_NAME])["version"] == 2


def test_a_file_of_one_result_is_read_by_older_programs() -> None:
    told = json.loads(TEXTS[CHUNK_NAME])
    assert told["version"] == 1
    assert set(told) == {"version", "request", "model_name", "program_version", "way", "step"}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_keep_the_request(tmp_path: Path, name: str) -> None:
    path = picture(tmp_path / name)
    assert read_request(path) == EMBEDDED
    assert read_texts(path)["parameters"] == TEXTS["parameters"]
    assert read_picture(path).shape == (32, 64, 3)


@pytest.mark.parametrize("name", [*CLIPS, *PICTURES])
def test_one_switch_leaves_it_out(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name, None) if name in CLIPS else picture(tmp_path / name, None)
    with pytest.raises(DataError, match="holds no settings of UL Studio; it was made or saved by another program"):
        read_request(path)
    content = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert not any(word in content for word in (b"ul_studio", b"parameters", b"Kugel", b"scenes"))


@pytest.mark.parametrize("name", [*CLIPS, *PICTURES])
def test_pixels_are_the_same_with_and_without(tmp_path: Path, name: str) -> None:
    pair = []
    for side, texts in (("with", TEXTS), ("without", None)):
        (tmp_path / side).mkdir()
        if name in CLIPS:
            pair.append(read_clip(clip(tmp_path / side / name, texts)).frames)
        else:
            pair.append(read_picture(picture(tmp_path / side / name, texts)))
    assert np.abs(pair[0].astype(int) - pair[1]).max() <= (3 if name == "a.mp4" else 0)  # x264 may round otherwise


def test_the_longest_prompt_of_the_widest_letters(tmp_path: Path) -> None:
    request = REQUEST.model_copy(update={"prompt": "🟥" * 2000})
    texts = text_chunks(embed(request, 0), width_px=64, height_px=32)
    for name in (*CLIPS, *PICTURES):
        path = clip(tmp_path / name, texts) if name in CLIPS else picture(tmp_path / name, texts)
        assert read_request(path).request.prompt == request.prompt
        assert read_texts(path)["parameters"].startswith(request.prompt)


# ---- other programs -----------------------------------------------------------------------------------------------


def test_players_find_a_comment(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv", "a.webm"):
        with av.open(str(clip(tmp_path / name))) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
        assert tags["comment"] == tags["parameters"] == TEXTS["parameters"]
        assert json.loads(tags["ul_studio"])["request"]["seed"] == 9


def test_picture_programs_find_a_user_comment(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.webp"):
        with Image.open(picture(tmp_path / name)) as image:
            comment = image.getexif().get_ifd(0x8769)[0x9286]
        assert comment == b"UNICODE\0" + TEXTS["parameters"].encode("utf-16-be")
    with Image.open(clip(tmp_path / "b.webp")) as image:
        assert image.getexif()[0x010E].startswith("ul_studio: {")
    with Image.open(clip(tmp_path / "a.gif")) as image:
        assert image.info["comment"].startswith(b"parameters: eine gro")


def test_a_film_of_another_camera(tmp_path: Path) -> None:
    """Tags in other alphabets, or in none, are no reason to fail."""
    path = encode(tmp_path / "a.mp4", marked(2))
    with pytest.raises(DataError, match="another program"):
        read_request(path)
    path.write_bytes(path.read_bytes().replace(b"VideoHandler", b"Vid\xe9o\xffandler"))
    assert read_clip(path).info.num_frames == 2
    with pytest.raises(DataError, match="another program"):
        read_request(path)


def test_a_copy_into_another_container_keeps_it(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4")
    copy = tmp_path / "copy.mkv"
    with av.open(str(source)) as reader, av.open(str(copy), "w") as writer:
        writer.metadata.update(reader.metadata)
        stream = writer.add_stream_from_template(reader.streams.video[0])
        for packet in reader.demux(reader.streams.video[0]):
            if packet.size:
                packet.stream = stream
                writer.mux(packet)
    assert read_request(copy) == EMBEDDED


# ---- not ours, not whole ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_every_cut_is_noticed(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name)
    for size in range(20, path.stat().st_size, path.stat().st_size // 30):
        with pytest.raises(DataError, match="cut short"):
            read_request(cut(path, size))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "p.jpg"])
def test_a_cut_that_took_the_settings(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name) if name in CLIPS else picture(tmp_path / name)
    with pytest.raises(DataError):
        read_request(cut(path, 60))


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "damaged"), ("{}", "no version"), ('{"version": 99}', "newer version"), ('{"version": 1}', "at request")],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp"])
def test_settings_that_are_not_ours(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_request(clip(tmp_path / name, {CHUNK_NAME: text}))


def test_a_text_of_megabytes_is_left_alone(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", {CHUNK_NAME: '{"version": 1}' + " " * 2**20})
    with pytest.raises(DataError, match="another program"):
        read_request(path)


def test_damaged_exif_holds_nothing() -> None:
    data = exif_bytes(TEXTS)
    assert exif_texts(data) == exif_texts(data[6:]) == {name: TEXTS[name] for name in TEXTS}
    generator = np.random.default_rng(0)
    for _ in range(100):
        noisy = bytearray(data)
        for place in generator.integers(0, 80, 6):
            noisy[place] = int(generator.integers(256))
        assert isinstance(exif_texts(bytes(noisy)), dict)
    assert exif_texts(b"") == exif_texts(data[:20]) == exif_texts(b"II*\0\xff\xff\xff\xff") == {}


def test_exif_of_the_other_byte_order() -> None:
    value = b"ul_studio: {}\0"
    entry = bytes.fromhex("010e 0002") + len(value).to_bytes(4, "big") + (26).to_bytes(4, "big")
    data = b"MM\0*" + (8).to_bytes(4, "big") + (1).to_bytes(2, "big") + entry + bytes(4) + value
    assert exif_texts(data) == {"ul_studio": "{}"}


def test_formats_that_keep_nothing_say_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"files of kind \.bmp keep no settings"):
        save_options(".bmp", TEXTS)
    with pytest.raises(DataError, match="keep no settings"):
        picture(tmp_path / "a.bmp")
    assert list(tmp_path.iterdir()) == []
    assert picture(tmp_path / "a.bmp", None).is_file()


def test_more_than_a_jpeg_can_keep(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        picture(tmp_path / "a.jpg", {CHUNK_NAME: "x" * 70_000})


@pytest.mark.parametrize("quality", [10, 90, 100])
def test_quality_of_pictures(tmp_path: Path, quality: int) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for name in ("a.webp", "a.jpg"):
        write_picture(tmp_path / name, frame, quality=quality)
        error = np.abs(read_picture(tmp_path / name).astype(int) - frame).mean()
        assert (error == 0) == (quality == 100 and name == "a.webp")


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.gif")
    shutil.move(path, tmp_path / "b.gif")
    with pytest.raises(DataError, match="no longer there"):
        read_request(path)


def test_nothing_heavy_is_loaded_before_it_is_used() -> None:
    program = "import sys, ul_engine.outputs, ul_engine.metadata; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "cv2", "av", "PIL", "numpy"} & set(run.stdout.split())
