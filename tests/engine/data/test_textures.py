"""Synthetic textures: the same from the same numbers, of any size, rich, with the statistics they promise."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from ul_engine.assets import assets_dir
from ul_engine.data.textures.choosing import KINDS, kind_of, texture
from ul_engine.data.textures.colours import (
    bytes_from_light,
    contrast_ratio,
    light_from_bytes,
    light_from_oklab,
    luminance,
    palette,
)
from ul_engine.data.textures.fields import draws, fractal_noise
from ul_engine.data.textures.lettering import LEAST_CONTRAST, ground_colours, ink_for, page, written
from ul_engine.data.textures.pictures import PICTURES, sample_picture
from ul_engine.errors import ShapeError

SIZE = (48, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_a_texture_is_a_function_of_its_numbers(kind: str) -> None:
    draw = KINDS[kind][1]
    one, again, other = draw(draws(1, 2), SIZE), draw(draws(1, 2), SIZE), draw(draws(1, 3), SIZE)
    assert one.dtype == np.uint8
    assert one.shape == (*SIZE, 3)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, draw(draws(2, 2), SIZE))


@pytest.mark.parametrize("kind", KINDS)
def test_textures_are_not_empty(kind: str) -> None:
    spreads = [float(KINDS[kind][1](draws(5, index), SIZE).std()) for index in range(12)]
    assert np.median(spreads) > (4.0 if kind == "gradient" else 10.0)


def test_all_kinds_come_in_their_shares() -> None:
    found = [kind_of(draws(3, index)) for index in range(2_000)]
    for kind, (share, _) in KINDS.items():
        assert found.count(kind) / len(found) == pytest.approx(share, abs=0.04)


def test_any_size_but_the_smallest() -> None:
    for size in ((8, 8), (9, 31), (70, 40)):
        for index in range(12):
            assert texture(0, index, size).shape == (*size, 3)
    with pytest.raises(ShapeError, match="at least 8 x 8"):
        texture(0, 0, (7, 64))


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_amplitudes_of_fractal_noise_fall_with_its_exponent(exponent: float) -> None:
    field = fractal_noise(draws(0, 1), (256, 256), exponent=exponent, channels=8)
    assert field.mean(axis=(1, 2)) == pytest.approx(np.zeros(8), abs=1e-4)
    assert field.std(axis=(1, 2)) == pytest.approx(np.ones(8), abs=1e-4)
    window = np.hanning(256)[:, None] * np.hanning(256)  # the cut field is not periodic
    power = (np.abs(np.fft.fft2(field * window)) ** 2).mean(axis=0)
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None])
    edges = np.geomspace(0.03, 0.4, 9)
    bands = [power[(frequency >= low) & (frequency < high)].mean() for low, high in pairwise(edges)]
    slope = np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(bands), 1)[0]
    assert slope == pytest.approx(-2.0 * exponent, abs=0.15)


def test_letters_stand_off_from_all_of_their_ground() -> None:
    for index in range(300):
        rng = draws(7, index)
        ground = ground_colours(rng, SIZE)
        ink = float(luminance(ink_for(rng, ground)))
        assert all(
            contrast_ratio(ink, float(extreme(luminance(ground)))) >= LEAST_CONTRAST for extreme in (np.min, np.max)
        )


def test_a_page_shows_both_its_ink_and_its_ground() -> None:
    for index in range(20):
        brightness = luminance(light_from_bytes(page(draws(11, index), (64, 64))))
        assert contrast_ratio(*np.percentile(brightness, (2, 98)).tolist()) > 3.0  # strokes below a pixel are paler


def test_letters_grow_with_their_size() -> None:
    shares = [written(draws(0, 4), (64, 64), text_px) for text_px in (8.0, 24.0)]
    runs = [np.abs(np.diff(share, axis=1)).sum() for share in shares]
    assert runs[0] > 1.5 * runs[1] > 0.0
    assert all(0.0 <= share.min() < share.max() <= 1.0 for share in shares)


def test_colours_there_and_back() -> None:
    grey = light_from_oklab(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], dtype=np.float32))
    assert grey == pytest.approx(np.array([[0.0] * 3, [1.0] * 3]), abs=1e-5)
    every = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    assert np.array_equal(bytes_from_light(light_from_bytes(every)), every)
    assert contrast_ratio(0.0, 1.0) == contrast_ratio(1.0, 0.0) == pytest.approx(21.0)
    assert palette(draws(0, 0), 5).shape == (5, 3)


@pytest.mark.parametrize("name", PICTURES)
def test_sample_pictures_are_those_that_are_drawn(name: str) -> None:
    drawn = sample_picture(name)
    with Image.open(assets_dir() / "samples" / f"{name}.jpg") as opened:
        kept = np.asarray(opened)
    assert kept.shape == drawn.shape == (512, 768, 3)
    error = (kept.astype(np.float64) - drawn) ** 2
    assert 10 * np.log10(255**2 / error.mean()) > 30.0
    assert PICTURES[name](draws(0, 0), (96, 160)).shape == (96, 160, 3)
