"""Pixels of every kind become the RGB that the standards' formulas give; turned pictures stand upright."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.helpers.clips import FFV1, encode, encode_planes, marked, number_in
from ul_engine.media.colours import over_white, turned
from ul_engine.media.reading import probe, read_clip

COEFFICIENTS = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593), "240M": (0.212, 0.087)}
SPACES = {"709": 1, "601": 6, "240M": 7, "2020": 9}
PATCH = 8


def rgb(planes: npt.NDArray[np.float64], matrix: str, bits: int, *, is_full: bool) -> npt.NDArray[np.float64]:
    """Y, Cb, Cr `[3, H, W]` -> 0 to 255: ITU-T H.273, equations of section 8.3."""
    kr, kb = COEFFICIENTS[matrix]
    unit = 2 ** (bits - 8)
    scale = (2**bits - 1, 2**bits - 1, 2**bits - 1) if is_full else (219 * unit, 224 * unit, 224 * unit)
    offset = (0, 128 * unit, 128 * unit) if is_full else (16 * unit, 128 * unit, 128 * unit)
    y, cb, cr = ((plane - o) / s for plane, o, s in zip(planes, offset, scale, strict=True))
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return (np.stack([red, green, blue], -1) * 255).clip(0, 255)


def patches(bits: int, height: int = 32, width: int = 48, seed: int = 0) -> npt.NDArray[np.uint16]:
    """Even patches of random colours, `[3, H, W]`, so that chroma of half size has places without mixing."""
    unit = 2 ** (bits - 8)
    small = np.random.default_rng(seed).integers(50 * unit, 200 * unit, (3, height // PATCH, width // PATCH))
    return small.repeat(PATCH, 1).repeat(PATCH, 2).astype(np.uint16)


def in_patches(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The middle of every patch, `[H, W, 3]` -> `[..., 2, ..., 2, 3]`."""
    height, width = values.shape[:2]
    return values.reshape(height // PATCH, PATCH, width // PATCH, PATCH, 3)[:, 3:5, :, 3:5]


@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv420p", "yuv422p", "yuv444p10le", "yuv420p10le", "yuv420p12le"])
@pytest.mark.parametrize("matrix", ["601", "709", "2020", "240M"])
@pytest.mark.parametrize("is_full", [False, True], ids=["limited", "full"])
def test_the_formula(tmp_path: Path, pixel_format: str, matrix: str, is_full: bool) -> None:
    bits = int(pixel_format.removesuffix("le")[7:] or 8)
    planes = patches(bits)
    down, right = (1 if "420" not in pixel_format else 2), (1 if "444" in pixel_format else 2)
    stored = [planes[0], planes[1, ::down, ::right], planes[2, ::down, ::right]]
    tags = {"colorspace": SPACES[matrix], "color_range": 2 if is_full else 1}
    clip = read_clip(encode_planes(tmp_path / "a.mkv", stored, pixel_format, tags))
    expected = rgb(planes.astype(np.float64), matrix, bits, is_full=is_full)
    error = np.abs(in_patches(clip.frames[0].astype(np.float64) - expected))
    assert error.max() <= (1.5 if is_full and bits > 8 else 0.6)
    assert clip.info.bit_depth == bits


@pytest.mark.parametrize(("height", "width", "matrix"), [(32, 48, "601"), (32, 1280, "709"), (592, 16, "709")])
def test_a_file_that_names_no_matrix(tmp_path: Path, height: int, width: int, matrix: str) -> None:
    planes = patches(8, height, width)
    clip = read_clip(encode_planes(tmp_path / "a.mkv", list(planes), "yuv444p"))
    expected = rgb(planes.astype(np.float64), matrix, 8, is_full=False)
    assert np.abs(clip.frames[0] - expected).max() <= 0.6


def test_grey(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint16), (16, 1))
    frame = read_clip(encode_planes(tmp_path / "a.mkv", [ramp], "gray")).frames[0]
    assert np.array_equal(frame, ramp[..., None].repeat(3, -1))
    ten_bits = read_clip(encode_planes(tmp_path / "b.mkv", [ramp * 4], "gray10le"))
    assert np.abs(ten_bits.frames[0].astype(int) - ramp[..., None]).max() <= 1
    assert ten_bits.info.bit_depth == 10


def test_rgb_is_taken_as_it_is(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 15, 17, 3), np.uint8)
    assert np.array_equal(read_clip(encode(tmp_path / "a.mkv", frames, **FFV1)).frames, frames)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mkv", "ffv1", "bgra"),
        ("a.mov", "qtrle", "argb"),
        ("a.mov", "png", "rgba"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
    ],
)
def test_transparency_lies_over_white(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    frames = np.zeros((3, 16, 64, 4), np.uint8)
    frames[..., 0], frames[..., 3] = 200, 255
    frames[:, :, 32:, 3] = 128
    clip = read_clip(encode(tmp_path / name, frames, codec=codec, pixel_format=pixel_format))
    assert clip.info.has_alpha
    assert np.abs(clip.frames[:, 4:12, 4:28].astype(int) - (200, 0, 0)).max() <= 4
    assert np.abs(clip.frames[:, 4:12, 36:60].astype(int) - (227, 127, 127)).max() <= 4


def test_over_white_is_the_formula() -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (9, 9, 4), np.uint8)
    alpha = rgba[..., 3:] / 255
    exact = rgba[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(over_white(rgba) - exact).max() <= 0.5 + 1e-9


# ---- turned -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_all_eight_orientations(tmp_path: Path, suffix: str, degrees: int, mirror: bool, flip: bool) -> None:
    frames = marked(3)
    path = encode(tmp_path / f"a.{suffix}", frames, options={"qp": "1"}, rotation=(degrees, mirror, flip))
    upright = np.rot90(frames, degrees // 90, axes=(1, 2))  # counter-clockwise, then mirrored
    upright = upright[:, :: -1 if flip else 1, :: -1 if mirror else 1]
    clip = read_clip(path)
    assert clip.frames.shape == upright.shape
    assert (clip.info.height_px, clip.info.width_px) == upright.shape[1:3]
    assert np.abs(clip.frames.astype(int) - upright).mean() < 3
    assert clip.frames.flags.c_contiguous


def test_a_portrait_film_of_a_telephone(tmp_path: Path) -> None:
    """Stored lying on its side, with the matrix (0, 1, -1, 0) of a clockwise quarter turn, as telephones write it."""
    frames = marked(4, 64, 32)
    lying = np.rot90(frames, 1, axes=(1, 2))
    path = encode(tmp_path / "a.mp4", lying, rotation=(-90, False, False))
    matrix = b"".join(value.to_bytes(4, "big", signed=True) for value in (0, 65536, 0, -65536, 0, 0))
    assert matrix in path.read_bytes()
    clip = read_clip(path)
    assert [number_in(frame) for frame in clip.frames] == [0, 1, 2, 3]
    assert (probe(path).width_px, probe(path).height_px) == (32, 64)


def test_a_slanted_matrix_turns_nothing() -> None:
    picture = marked(1)[0]
    assert np.array_equal(turned(picture, (46341, 46341, -46341, 46341)), picture)
    assert np.array_equal(turned(picture, None), picture)
