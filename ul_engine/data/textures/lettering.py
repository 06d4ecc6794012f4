"""Text: made-up words and numbers in the program's own typeface, always well off their ground."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ul_engine.assets import assets_dir
from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.colours import (
    FloatArray,
    bytes_from_light,
    contrast_ratio,
    light_from_oklab,
    luminance,
    palette,
)
from ul_engine.data.textures.fields import Size, colour_noise
from ul_engine.data.textures.gradients import smooth_colours

LEAST_CONTRAST = 4.5
"""Contrast ratio of the letters with every pixel of their ground; WCAG's for text."""
NUM_INKS = 12
_DARK, _LIGHT = (0.08, 0.42), (0.72, 0.97)
"""Lightness (OKLab) of grounds: against either, white or black keeps the contrast."""
_CAPITALS, _SMALL, _DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
_VOWELS = "aeiou"
FACES = ("Regular", "Medium", "SemiBold")


def page(rng: np.random.Generator, size: Size) -> Uint8Array:
    """Lines of words on a ground that varies a little, uint8 `[H, W, 3]`."""
    ground = ground_colours(rng, size)
    ink = ink_for(rng, ground)
    text_px = float(np.exp(rng.uniform(np.log(8.0), np.log(max(10.0, min(size) / 1.6)))))
    share = written(rng, size, text_px)[..., None]
    return bytes_from_light(ground + share * (ink - ground))


def ground_colours(rng: np.random.Generator, size: Size) -> FloatArray:
    """Linear light `[H, W, 3]` of a ground, dark or light all over."""
    low, high = _DARK if rng.random() < 0.5 else _LIGHT
    colours = palette(rng, 2)
    colours[:, 0] = rng.uniform(low, high, 2)
    colours[:, 1:] *= 0.6
    lab = smooth_colours(rng, size, colours)
    lab += colour_noise(rng, size, exponent=rng.uniform(0.5, 1.5)) * np.float32(rng.uniform(0.0, 0.03))
    lab[..., 0] = np.clip(lab[..., 0], low, high)
    return light_from_oklab(lab)


def ink_for(rng: np.random.Generator, ground: FloatArray) -> FloatArray:
    """A colour `[3]` (linear light) whose contrast with all of `ground` `[H, W, 3]` is `LEAST_CONTRAST` or more: the
    first of some drawn ones that keeps it, else black or white."""
    brightness = luminance(ground)
    low, high = float(brightness.min()), float(brightness.max())
    for drawn in light_from_oklab(palette(rng, NUM_INKS)):
        if _least_contrast(float(luminance(drawn)), low, high) >= LEAST_CONTRAST:
            return np.asarray(drawn)
    black_wins = contrast_ratio(low, 0.0) > contrast_ratio(high, 1.0)
    return np.full(3, 0.0 if black_wins else 1.0, dtype=np.float32)


def _least_contrast(ink: float, low: float, high: float) -> float:
    """With a ground of luminances between `low` and `high`; 1 where the ink lies among them."""
    return 1.0 if low <= ink <= high else min(contrast_ratio(ink, low), contrast_ratio(ink, high))


def written(rng: np.random.Generator, size: Size, text_px: float) -> FloatArray:
    """Share of ink `[H, W]` in [0, 1] of lines of words with letters of about `text_px`, at times a little turned."""
    height, width = size
    canvas = Image.new("L", (width, height), 0)
    pencil = ImageDraw.Draw(canvas)
    font = typeface(FACES[int(rng.integers(len(FACES)))], round(text_px))
    step = text_px * rng.uniform(1.15, 1.6)
    top = -rng.uniform(0.0, 0.5) * text_px
    while top < height:
        words = " ".join(word(rng) for _ in range(2 + int(2 * width / text_px / 4)))
        pencil.text((-rng.uniform(0.0, 2.0) * text_px, top), words, fill=255, font=font)
        top += step
    if rng.random() < 0.4:
        canvas = canvas.rotate(rng.uniform(-20.0, 20.0), Image.Resampling.BICUBIC)
    return np.asarray(canvas, dtype=np.float32) / np.float32(255.0)


def word(rng: np.random.Generator) -> str:
    """A made-up word, or a number."""
    if rng.random() < 0.2:
        return "".join(rng.choice(list(_DIGITS), int(rng.integers(1, 5))))
    letters = [rng.choice(list(_VOWELS if place % 2 else _SMALL)) for place in range(int(rng.integers(2, 9)))]
    made = "".join(letters)
    return {0: made.upper(), 1: made.capitalize()}.get(int(rng.integers(4)), made)


@lru_cache(maxsize=256)
def typeface(face: str, size_px: int) -> ImageFont.FreeTypeFont:
    """Inter in one of `FACES`."""
    return ImageFont.truetype(str(assets_dir() / "fonts" / f"Inter-{face}.ttf"), size_px)
