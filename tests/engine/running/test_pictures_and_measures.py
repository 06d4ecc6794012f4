"""Pixels between uint8 and [-1, 1], pictures from files of every kind, and the two measures of distortion."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.helpers.tiny import simple_pictures
from ul_engine.data.image_files import MAX_PIXELS, read_picture, write_picture
from ul_engine.data.pixels import array_from_pictures, pictures_from_array, to_signed, to_uint8
from ul_engine.errors import DataError, ShapeError
from ul_engine.metrics.distortion import psnr_db, ssim


def test_every_byte_goes_there_and_back() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    signed = to_signed(values)
    assert signed.dtype == torch.float32
    assert (float(signed[0]), float(signed[-1])) == (-1.0, 1.0)
    assert torch.equal(to_uint8(signed), values)
    assert torch.equal(values, torch.arange(256, dtype=torch.uint8))  # the input is left alone


def test_rounding_and_clipping() -> None:
    assert to_uint8(torch.tensor([-3.0, -1.0, 0.0, 0.004, 1.0, 7.0])).tolist() == [0, 0, 128, 128, 255, 255]
    assert to_uint8(torch.tensor([0.5]).bfloat16()).tolist() == [191]


def test_pictures_are_clips_of_one_frame() -> None:
    array = simple_pictures(3)[:, :12]
    pictures = pictures_from_array(array)
    assert pictures.shape == (3, 3, 1, 12, 16)
    assert float(pictures[1, 2, 0, 5, 7]) == pytest.approx(array[1, 5, 7, 2] / 127.5 - 1, abs=1e-6)
    back = array_from_pictures(pictures)
    assert np.array_equal(back, array)
    assert back.flags.c_contiguous


def test_other_shapes_are_refused() -> None:
    for array in (np.zeros((2, 4, 4, 3), np.float32), np.zeros((4, 4, 3), np.uint8), np.zeros((1, 4, 4, 4), np.uint8)):
        with pytest.raises(ShapeError):
            pictures_from_array(array)
    for shape in ((1, 3, 2, 4, 4), (1, 1, 1, 4, 4), (3, 1, 4, 4)):
        with pytest.raises(ShapeError):
            array_from_pictures(torch.zeros(shape))


# ---- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "jpg"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    picture = np.full((9, 13, 3), (200, 100, 50), np.uint8)
    write_picture(tmp_path / "new" / f"a.{suffix}", picture)
    back = read_picture(tmp_path / "new" / f"a.{suffix}")
    assert back.shape == (9, 13, 3)
    assert back.dtype == np.uint8
    assert np.abs(back.astype(int) - picture).max() <= (12 if suffix in ("jpg", "webp") else 0)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK", "I;16"])
def test_modes(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        Image.fromarray(np.full((4, 5), 65535, np.uint16)).save(tmp_path / "a.png")
    else:
        white = Image.new("RGB", (5, 4), "white")
        white.convert("L" if mode == "LA" else mode).convert(mode).save(tmp_path / "a.tiff")
    (file,) = tmp_path.iterdir()
    assert np.abs(read_picture(file).astype(int) - 255).max() <= 1
    assert read_picture(file).shape == (4, 5, 3)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    array = np.zeros((2, 2, 4), np.uint8)
    array[0, 0] = (255, 0, 0, 255)
    array[1, 1] = (0, 0, 0, 128)
    Image.fromarray(array).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture[0, 0].tolist() == [255, 0, 0]
    assert picture[0, 1].tolist() == [255, 255, 255]
    assert abs(int(picture[1, 1, 0]) - 127) <= 1


def test_cameras_turn_pictures_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg").shape == (20, 10, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no picture"), (b"text", "no picture"), (None, "no such file"), (b"cut", "truncated or broken")],
)
def test_what_is_no_picture(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "a.png"
    if content == b"cut":
        write_picture(path, np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8))
        path.write_bytes(path.read_bytes()[:900])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_picture(path)
    assert caught.value.path == str(path)


def test_gigantic_pictures_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    Image.new("1", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[18:26] = (11_000).to_bytes(4, "little") * 2  # the size in the header: 121 million pixels
    path.write_bytes(content)
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(DataError, match="million"):
        read_picture(path)
    assert MAX_PIXELS < 11_000**2


@pytest.mark.parametrize("name", ["a.unknown", "taken/a.png"])
def test_unwritable(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        write_picture(tmp_path / name, simple_pictures(1)[0])


# ---- measures -----------------------------------------------------------------------------------------------------


def test_psnr_is_the_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, 3, 1, 16, 16, generator=generator) * 2 - 1
    x_hat = x + torch.tensor([0.1, 0.01, 0.0]).view(3, 1, 1, 1, 1)
    values = psnr_db(x, x_hat).tolist()
    assert values[0] == pytest.approx(10 * math.log10(4 / 0.01), abs=1e-3)
    assert values[1] == pytest.approx(10 * math.log10(4 / 0.0001), abs=1e-2)
    assert values[2] == math.inf


def test_ssim() -> None:
    x = pictures_from_array(simple_pictures(4, size_px=32))
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert ssim(x, x).tolist() == [1.0] * 4
    little, much = ssim(x, x + 0.02 * noise), ssim(x, x + 0.3 * noise)
    assert (little > much).all()
    torch.testing.assert_close(ssim(x[1:2], x[1:2] + 0.3 * noise[1:2]), much[1:2])
    torch.testing.assert_close(ssim(x, x + 0.3 * noise), ssim(x + 0.3 * noise, x))
    with pytest.raises(ShapeError, match="at least 11 pixels"):
        ssim(x[..., :10], x[..., :10])
