"""Every kind of picture becomes upright 8-bit RGB, and damage is named."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.helpers.picture_sets import encoded, picture
from trainer.data.decoding import EncodedPicture
from trainer.data.fitting import Crop, cut_and_scaled
from ul_engine.errors import DataError

PLAIN = picture(1, 60, 40)


def pixels(data: bytes, shrink: float = 1.0) -> np.ndarray:
    with EncodedPicture(data, "a picture") as encoded_picture:
        result = np.array(encoded_picture.decoded(shrink))
        assert encoded_picture.size == (result.shape[1], result.shape[0]) or shrink > 1
        return result


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 100, "subsampling": 0}, 6),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 8),
    ],
)
def test_formats(kind: str, options: dict[str, object], tolerance: int) -> None:
    found = pixels(encoded(PLAIN, kind, **options))
    assert found.shape == (40, 60, 3)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - np.asarray(PLAIN)).max() <= tolerance


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "I;16"])
def test_modes(mode: str) -> None:
    grey = PLAIN.convert("L")
    if mode == "I;16":
        image, expected = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), grey.convert("RGB")
    else:
        image = (grey if mode in ("L", "LA") else PLAIN).convert(mode)
        expected = image.convert("RGB")
    found = pixels(encoded(image, "TIFF" if mode == "CMYK" else "PNG"))
    assert np.array_equal(found, np.asarray(expected))


def test_transparency_lies_over_white() -> None:
    image = PLAIN.convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert (pixels(encoded(image)) == 255).all()
    palette = PLAIN.quantize(4)
    assert (pixels(encoded(palette, transparency=bytes(4))) == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, 1),
    }[orientation]
    assert np.array_equal(pixels(encoded(PLAIN, exif=exif)), turned(np.asarray(PLAIN)))


def test_large_jpegs_come_smaller_and_nearly_the_same() -> None:
    data = encoded(picture(2, 40, 30).resize((640, 480)), "JPEG", quality=95)
    full, half, eighth = pixels(data), pixels(data, 4.0), pixels(data, 16.0)
    assert (full.shape, half.shape, eighth.shape) == ((480, 640, 3), (240, 320, 3), (60, 80, 3))
    assert pixels(data, 3.9).shape == full.shape
    assert np.array_equal(half, pixels(data, 4.0))
    whole = Crop(0.0, 0.0, 1.0, 1.0)
    small, reference = (cut_and_scaled(Image.fromarray(p), whole, (30, 40)).astype(float) for p in (eighth, full))
    assert np.abs(small - reference).mean() < 1.5
    assert pixels(encoded(picture(2, 640, 480)), 16.0).shape == full.shape  # other formats come whole


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP"])
def test_cut_files_are_named(kind: str) -> None:
    data = encoded(picture(3, 300, 200), kind)
    for share in (0.3, 0.7):
        with pytest.raises(DataError, match=r"^a picture: "):
            pixels(data[: int(len(data) * share)])


def test_other_things_are_named() -> None:
    for data, reason in ((b"", "is empty"), (b"some text", "no picture"), (b"\xff\xd8\xff", "a picture: ")):
        with pytest.raises(DataError, match=reason):
            pixels(data)
    stream = io.BytesIO()
    Image.fromarray(np.ones((4, 4), np.float32)).save(stream, "TIFF")
    with pytest.raises(DataError, match="floating-point"):
        pixels(stream.getvalue())


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [11_000, 20_000])
def test_bombs_are_refused_by_their_header(side: int) -> None:
    data = bytearray(encoded(PLAIN))
    data[16:24] = struct.pack(">2I", side, side)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(DataError, match=r"pixels"):
        pixels(bytes(data))
