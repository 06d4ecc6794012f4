"""The request inside a picture: what is written comes back, and nothing else is believed."""

import json
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from ul_engine.errors import DataError
from ul_engine.metadata import (
    CHUNK_NAME,
    EmbeddedRequest,
    embed,
    encode_png,
    folder_name,
    parameters_text,
    read_request,
    text_chunks,
)
from ul_engine.requests import GenerateRequest, SamplerName, SamplerSettings, SamplingSettings

REQUEST = GenerateRequest(
    model="/somewhere/private/scenes",
    prompt="a red sphere, under a blue sky",
    num_images=4,
    seed=7,
    width_px=32,
    sampling=SamplingSettings(base=SamplerSettings(name=SamplerName.DDIM, num_steps=12)),
)


def write_png(path: Path, texts: dict[str, str]) -> Path:
    path.write_bytes(encode_png(bytes(4 * 2 * 3), width_px=4, height_px=2, texts=texts))
    return path


def picture(path: Path, request: GenerateRequest = REQUEST, index: int = 2) -> Path:
    return write_png(path, text_chunks(embed(request, index, model_name="Scenes"), width_px=4, height_px=2))


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    embedded = read_request(picture(tmp_path / "a.png"))
    assert embedded.request == REQUEST.for_single(2).model_copy(update={"model": "scenes"})
    assert embedded.request.seed == 9
    assert embedded.model_name == "Scenes"


def test_prompts_of_all_languages_survive(tmp_path: Path) -> None:
    prompt = 'eine große Kugel · 红色的球 · "quoted" 🟥\tend'
    embedded = read_request(picture(tmp_path / "a.png", REQUEST.model_copy(update={"prompt": prompt})))
    assert embedded.request.prompt == prompt


def test_folders_of_this_computer_are_not_told(tmp_path: Path) -> None:
    assert b"private" not in picture(tmp_path / "a.png").read_bytes()


def test_nor_those_of_pictures_and_films(tmp_path: Path) -> None:
    started = REQUEST.model_copy(
        update={"init_image": "/home/me/secret/cat.png", "mask_image": "/home/me/secret/mask.png"}
    )
    continued = REQUEST.model_copy(update={"continue_from": "C:\\secret\\cat.mp4"})
    for request in (started, continued):
        assert b"secret" not in picture(tmp_path / "a.png", request).read_bytes()
    assert embed(started, 0).request.init_image == "cat.png"
    assert embed(started, 0).request.mask_image == "mask.png"
    assert embed(continued, 0).request.continue_from == "cat.mp4"


def test_what_the_common_text_form_says_of_clips_starts_and_variations() -> None:
    embedded = embed(REQUEST.model_copy(update={"variation_seed": 5, "variation_strength": 0.25}), 0)
    text = text_chunks(embedded, width_px=64, height_px=32, num_frames=16, fps=Fraction(24000, 1001))["parameters"]
    assert "Size: 64x32, Frames: 16, FPS: 24000/1001, " in text
    assert "Variation seed: 5, Variation seed strength: 0.25" in text
    started = embed(REQUEST.model_copy(update={"init_image": "a.png", "strength": 0.5}), 0)
    assert "Denoising strength: 0.5" in parameters_text(started, width_px=1, height_px=1)


def test_the_common_text_form() -> None:
    text = parameters_text(embed(REQUEST, 0, model_name="Scenes, small"), width_px=32, height_px=64)
    prompt, line = text.split("\n")
    assert prompt == REQUEST.prompt
    assert line.startswith('Steps: 12, Sampler: DDIM, CFG scale: 2, Seed: 7, Size: 32x64, Model: "Scenes, small", ')


def test_the_common_text_form_is_readable_by_others(tmp_path: Path) -> None:
    from PIL import Image

    with Image.open(picture(tmp_path / "a.png")) as image:
        assert image.size == (4, 2)
        assert image.text["parameters"].startswith(REQUEST.prompt)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a/b/scenes", "scenes"), ("C:\\models\\tiny\\", "tiny"), ("plain", "plain"), ("", "")],
)
def test_folder_name(path: str, name: str) -> None:
    assert folder_name(path) == name


def test_a_picture_of_another_program(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="another program"):
        read_request(write_png(tmp_path / "a.png", {"parameters": "a cat\nSteps: 20"}))


def test_no_picture_at_all(tmp_path: Path) -> None:
    path = tmp_path / "letter.png"
    path.write_text("Dear reader")
    with pytest.raises(DataError, match="no picture or clip that can keep settings"):
        read_request(path)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no longer there"):
        read_request(tmp_path / "a.png")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures .* are there"):
        read_request(tmp_path)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    whole = picture(tmp_path / "a.png").read_bytes()
    cut = tmp_path / "cut.png"
    for length in range(8, len(whole), 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(DataError, match="cut short"):
            read_request(cut)


def test_a_changed_text_is_noticed(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    path.write_bytes(path.read_bytes().replace(b'"num_steps": 12', b'"num_steps": 13'))
    with pytest.raises(DataError, match="checksum"):
        read_request(path)


def settings(**changes: object) -> str:
    return json.dumps(embed(REQUEST, 0).model_dump(mode="json") | changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "damaged"),
        ("[" * 100_000, "damaged"),
        ('{"version": ' + "1" * 5000 + "}", "damaged"),
        ("[1]", "no version"),
        ("{}", "no version"),
        (settings(version=99), "newer version"),
        (settings(version="1"), "no version"),
        (settings(request={"model": "m", "num_images": 0}), "damaged at request.num_images"),
        (settings(surprise=1), "damaged at surprise"),
    ],
)
def test_settings_that_are_not_ours(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_request(write_png(tmp_path / "a.png", {CHUNK_NAME: text}))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


@pytest.mark.parametrize(
    "made",
    [
        lambda text: chunk(b"zTXt", b"ul_studio\0\0" + zlib.compress(text)),
        lambda text: chunk(b"iTXt", b"ul_studio\0\1\0en\0\0" + zlib.compress(text)),
        lambda text: chunk(b"iTXt", b"ul_studio\0\0\0en\0title\0" + text),
    ],
    ids=["packed", "packed-unicode", "unicode"],
)
def test_texts_that_another_program_packed_anew(tmp_path: Path, made: Callable[[bytes], bytes]) -> None:
    text = settings().encode()
    path = write_png(tmp_path / "a.png", {})
    data = path.read_bytes()
    path.write_bytes(data[:33] + made(text) + data[33:])
    assert isinstance(read_request(path), EmbeddedRequest)


def test_a_compression_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    path = write_png(tmp_path / "a.png", {})
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk(b"zTXt", b"ul_studio\0\0" + bomb) + data[33:])
    with pytest.raises(DataError, match="damaged"):
        read_request(path)
