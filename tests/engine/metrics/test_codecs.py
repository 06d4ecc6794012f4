"""Codecs at a quality and at wanted bits: real files, whose size and pixels another reading confirms."""

import importlib.util
import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ul_engine.data.pixels import pictures_from_array
from ul_engine.errors import ConfigError, DataError, ShapeError
from ul_engine.metrics.codec_rates import codec_curve, compare, encode_at_bits, rate_point
from ul_engine.metrics.codecs import CODECS, Picture, available_codecs, encode
from ul_engine.metrics.rate_distortion import Distortion, RatePoint
from ul_engine.metrics.scores import score
from ul_engine.requests import CodecName

USABLE = [codec.name for codec in available_codecs() if codec.problem is None]


def landscape(height: int = 64, width: int = 96) -> Picture:
    """Soft colour, an edge, and grain: something to save bits on."""
    row, column = np.mgrid[0:height, 0:width]
    sky = np.stack([120 + row, 100 + column / 2, 200 - row], -1) + 20 * np.sin(column / 6)[..., None]
    ground = np.where((row > 0.6 * height)[..., None], (60, 110, 40), sky)
    grain = np.random.default_rng(0).normal(0, 6, (height, width, 1))
    return (ground + grain).clip(0, 255).astype(np.uint8)


def measure(original: Picture, decoded: Picture) -> Distortion:
    return score(pictures_from_array(original[None]), pictures_from_array(decoded[None]))[0]


def mean_squared_error(a: Picture, b: Picture) -> float:
    return float(np.square(a.astype(float) - b).mean())


# ---- at a quality -------------------------------------------------------------------------------------------------


def test_what_is_there() -> None:
    codecs = available_codecs()
    assert [codec.name for codec in codecs] == ["jpeg", "webp", "avif", "jpegxl"]
    assert {"jpeg", "webp", "avif"} <= set(USABLE)
    assert (codecs[3].problem is None) == (importlib.util.find_spec("pillow_jxl") is not None)


@pytest.mark.parametrize("name", USABLE)
def test_bits_are_those_of_the_whole_file(name: CodecName) -> None:
    picture = landscape()
    encoded = encode(name, picture, 60)
    assert encoded.bits_per_pixel == pytest.approx(8 * encoded.num_bytes / (64 * 96))
    assert encoded.decoded.shape == picture.shape
    assert encoded.decoded.dtype == np.uint8
    assert 0 < mean_squared_error(picture, encoded.decoded) < 100
    assert encoded.setting.startswith("quality 60, 4:")


def test_jpeg_as_pillow_writes_it() -> None:
    """The smaller of a progressive and a baseline file, which hold the same pixels."""
    picture, sizes = landscape(), []
    for is_progressive in (True, False):
        stream = io.BytesIO()
        Image.fromarray(picture).save(
            stream, "JPEG", quality=40, optimize=True, progressive=is_progressive, subsampling="4:4:4"
        )
        sizes.append(len(stream.getvalue()))
        pixels = np.array(Image.open(stream))
    encoded = encode("jpeg", picture, 40, subsampling="4:4:4")
    assert encoded.num_bytes == min(sizes) < max(sizes)
    assert np.array_equal(encoded.decoded, pixels)


@pytest.mark.parametrize("name", USABLE)
def test_better_quality_costs_more(name: CodecName) -> None:
    picture = landscape()
    rungs = [encode(name, picture, quality) for quality in (CODECS[name].qualities[0], 50, CODECS[name].qualities[-1])]
    sizes = [rung.num_bytes for rung in rungs]
    errors = [mean_squared_error(picture, rung.decoded) for rung in rungs]
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


def test_what_encode_refuses() -> None:
    picture = landscape()
    for quality in (0, 101, 30.5):
        with pytest.raises(ConfigError, match=r"JPEG has qualities 1, 2, … 100") as caught:
            encode("jpeg", picture, quality)
        assert caught.value.field == "quality"
    with pytest.raises(ConfigError, match="WebP is used with 4:2:0 only"):
        encode("webp", picture, 50, subsampling="4:4:4")
    with pytest.raises(ConfigError, match="no codec 'gif'; there are jpeg"):
        encode("gif", picture, 50)  # type: ignore[arg-type]
    for other in (picture[0], picture.astype(np.float32), picture[..., :1], picture[:0]):
        with pytest.raises(ShapeError, match="uint8 picture"):
            encode("jpeg", other, 50)
    with pytest.raises(DataError, match="WebP cannot encode a picture of 16400 x 1 pixels"):
        encode("webp", np.zeros((1, 16400, 3), np.uint8), 50)


@pytest.mark.skipif("jpegxl" in USABLE, reason="JPEG XL is installed")
def test_a_codec_that_is_not_installed() -> None:
    with pytest.raises(ConfigError, match="JPEG XL cannot be used here: needs the package pillow-jxl-plugin") as caught:
        encode("jpegxl", landscape(), 50)
    assert caught.value.field == "codec"


def test_a_codec_that_is_installed_and_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pillow_jxl.py").write_text("raise ImportError('wrong GLIBC')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "pillow_jxl", raising=False)
    problem = available_codecs()[3].problem
    assert problem is not None
    assert "wrong GLIBC" in problem


# ---- at wanted bits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", USABLE)
def test_the_best_within_the_bits(name: CodecName) -> None:
    """No file of the codec that fits is nearer to the original, whatever its quality and subsampling."""
    picture, target = landscape(32, 48), 3.0
    chosen = encode_at_bits(name, picture, target)
    assert 0.8 * target < chosen.bits_per_pixel <= target
    assert not chosen.is_floor
    codec = CODECS[name]
    every = [
        encode(name, picture, q, subsampling=s)
        for q in codec.qualities[:: len(codec.qualities) // 50]
        for s in codec.subsamplings
    ]
    fitting = [each for each in every if each.bits_per_pixel <= target]
    least = min(mean_squared_error(picture, each.decoded) for each in fitting)
    assert mean_squared_error(picture, chosen.decoded) <= least * 1.02  # sizes are not strictly rising in quality


@pytest.mark.parametrize("name", USABLE)
def test_the_floor_is_shown_and_marked(name: CodecName) -> None:
    picture = landscape()
    floor = encode_at_bits(name, picture, 0.001)
    assert floor.is_floor
    assert floor.bits_per_pixel > 0.001
    assert floor.quality == CODECS[name].qualities[0]
    at_floor = encode_at_bits(name, picture, floor.bits_per_pixel)
    assert not at_floor.is_floor  # asked for exactly that much, it is no floor
    assert at_floor.num_bytes <= floor.num_bytes


def test_more_bits_than_there_are() -> None:
    best = encode_at_bits("jpeg", landscape(), 1000.0)
    assert (best.quality, best.is_floor) == (100, False)
    assert "4:4:4" in best.setting


@pytest.mark.parametrize("bits", [0.0, -1.0, math.nan])
def test_bits_must_be_positive(bits: float) -> None:
    with pytest.raises(ConfigError) as caught:
        encode_at_bits("jpeg", landscape(), bits)
    assert caught.value.field == "bits_per_pixel"


# ---- curves and comparison ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", USABLE)
def test_a_curve(name: CodecName) -> None:
    curve = codec_curve(name, landscape(), measure)
    assert len(curve) == len(CODECS[name].ladder)
    for better, worse in zip(curve[2::2], curve[:-2:2], strict=True):
        assert better.bits_per_pixel > worse.bits_per_pixel
        assert better.distortion.psnr_db > worse.distortion.psnr_db
        assert better.distortion.flip < worse.distortion.flip
    assert not any(point.is_floor for point in curve)


def test_a_curve_at_chosen_qualities() -> None:
    picture = landscape()
    (point,) = codec_curve("webp", picture, measure, qualities=[33.3])
    encoded = encode("webp", picture, 33.3)
    assert point == rate_point(encoded, measure(picture, encoded.decoded))
    assert point.distortion.psnr_db == pytest.approx(
        10 * math.log10(255**2 / mean_squared_error(picture, encoded.decoded)), abs=1e-3
    )


def test_ours_beside_the_codecs() -> None:
    picture = landscape()
    ours = RatePoint(0.4, measure(picture, picture), "20 steps")
    comparison = compare("a.png", picture, ours, measure)
    assert (comparison.name, comparison.ours) == ("a.png", ours)
    assert list(comparison.codecs) == USABLE
    for point in comparison.codecs.values():
        assert point.is_floor == (point.bits_per_pixel > 0.4)
    assert list(compare("a.png", picture, ours, measure, ["webp"]).codecs) == ["webp"]
