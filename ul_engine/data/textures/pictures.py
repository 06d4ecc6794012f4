"""Whole pictures drawn from textures, as rich as photographs: a sign on a wall, foliage, mountains in haze.

They are the program's own and may be used as the program itself. ``python -m ul_engine.data.textures.pictures FOLDER``
writes those that lie in ``assets/samples``.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.colours import (
    FloatArray,
    bytes_from_light,
    light_from_bytes,
    light_from_oklab,
    picture_from_oklab,
)
from ul_engine.data.textures.fields import Size, colour_noise, draws, fractal_noise, places
from ul_engine.data.textures.leaves import LeafLook, leaves
from ul_engine.data.textures.lettering import typeface

SAMPLE_SIZE = (512, 768)
SEED = 20261
JPEG_QUALITY = 93


def foliage(rng: np.random.Generator, size: Size) -> Uint8Array:
    """Pointed leaves of all sizes at the beginning of autumn, with patches of sun and shade: uint8 `[H, W, 3]`."""
    greens = np.array(
        [[0.42, -0.07, 0.08], [0.5, -0.08, 0.1], [0.6, -0.09, 0.12], [0.66, -0.04, 0.13], [0.58, 0.06, 0.11]],
        dtype=np.float32,
    )
    side = min(size)
    light = light_from_bytes(leaves(rng, size, LeafLook(side * 0.014, side * 0.12, 1.0, 0.0, 0.03), greens))
    sun = _smooth_step(fractal_noise(rng, size, exponent=1.9)[0], -0.9, 0.9)[..., None]
    warmth = np.array([1.25, 1.15, 0.8]) * sun + np.array([0.22, 0.27, 0.33]) * (1.0 - sun)
    return bytes_from_light(np.clip(light * warmth, 0.0, 1.0))


def mountains(rng: np.random.Generator, size: Size) -> Uint8Array:
    """Ridges behind each other that fade into the haze of a low sun, a lake of mist before them: uint8 `[H, W, 3]`."""
    height, width = size
    _, y = places(size)
    way = (y + (height - 1) / 2) / (height - 1)  # [H, 1], 0 at the top
    zenith, glow = np.array([0.62, -0.03, -0.1]), np.array([0.93, 0.02, 0.06])
    lab = zenith + (glow - zenith) * _smooth_step(way, 0.0, 0.55)[..., None] * np.ones((1, width, 1))
    veil = fractal_noise(rng, (height, width), exponent=1.5)[0]
    lab += 0.07 * _smooth_step(veil, 0.2, 1.6)[..., None] * (1.0, 0.1, 0.1)
    num_ridges = 6
    for number in range(num_ridges):
        nearness = (number + 1) / num_ridges
        crest = _crest(rng, width, nearness) * height
        depth = (np.arange(height)[:, None] + 0.5) - crest[None, :]
        rock = np.array([0.3, -0.03, 0.02]) + _slopes(rng, size, nearness)
        haze = glow * (0.97, 0.6, 0.3) + (0.0, -0.01, -0.035)
        clear = 0.12 + 0.88 * nearness**1.8
        clear = clear * (1.0 - 0.55 * _smooth_step(depth / height, 0.0, 0.22) * (1.0 - nearness))
        ridge = haze + (rock - haze) * np.broadcast_to(clear[..., None], (height, width, 1))
        cover = np.clip(depth + 0.5, 0.0, 1.0)[..., None]
        lab = lab + cover * (ridge - lab)
    lab += colour_noise(rng, size, exponent=0.2, colourful=0.4) * 0.005
    return picture_from_oklab(lab.astype(np.float32))


def _crest(rng: np.random.Generator, width: int, nearness: float) -> FloatArray:
    """Height of a ridge along the picture `[W]`, as a share of the picture's height from the top: the near ones have
    trees on them, the far ones are smooth."""
    rise = fractal_noise(rng, (64, width), exponent=2.2)[0, 32]
    trees = fractal_noise(rng, (64, width), exponent=0.7)[0, 32]
    found: FloatArray = 0.36 + 0.48 * nearness**1.3 + (0.1 - 0.05 * nearness) * rise + 0.007 * nearness * trees
    return found


def _slopes(rng: np.random.Generator, size: Size, nearness: float) -> FloatArray:
    """Light on rock and woods, OKLab `[H, W, 3]`: the nearer, the stronger."""
    relief = fractal_noise(rng, size, exponent=1.35)[0]
    lit = np.gradient(relief, axis=1) + 0.5 * np.gradient(relief, axis=0)  # from the upper left
    woods = colour_noise(rng, size, exponent=0.7, colourful=0.15) * 0.05
    slope: FloatArray = 0.08 * np.clip(lit / max(float(lit.std()), 1e-6), -2.5, 2.5)[..., None] * (1.0, 0.05, 0.2)
    return (slope + woods) * nearness


def sign(rng: np.random.Generator, size: Size) -> Uint8Array:
    """An enamel sign with text of four sizes, screwed to a wall of bricks in slanting light: uint8 `[H, W, 3]`."""
    wall = light_from_oklab(_wall(rng, size))
    height, width = size
    box = tuple(round(share * side) for share, side in zip((0.14, 0.16, 0.86, 0.84), (width, height) * 2, strict=True))
    plate, ink, shade = _plate(size, (box[0], box[1], box[2], box[3]))
    wall *= 1.0 - 0.65 * shade[..., None] * (1.0 - plate[..., None])
    x, y = places(size)
    gloss = 0.06 * np.exp(-(((x + 0.6 * y - 0.1 * width) / (0.12 * width)) ** 2))
    rust = _smooth_step(fractal_noise(rng, size, exponent=1.3)[0] - 0.9 * _inside(size, box), 0.6, 1.2)[..., None]
    enamel = np.array([0.35, -0.03, -0.11]) + gloss[..., None] * (1.0, 0.0, 0.0)
    enamel = enamel + colour_noise(rng, size, exponent=0.9) * 0.008
    enamel = enamel + rust * (np.array([0.42, 0.08, 0.08]) - enamel)
    cream = np.array([0.93, 0.0, 0.03]) + gloss[..., None] * (0.5, 0.0, 0.0)
    face = light_from_oklab((enamel + ink[..., None] * (1.0 - 0.5 * rust) * (cream - enamel)).astype(np.float32))
    light = wall + plate[..., None] * (face - wall)
    fall = 1.0 - 0.35 * _smooth_step((x + y) / (width + height), -0.2, 0.5)[..., None]
    return bytes_from_light(np.clip(light * fall, 0.0, 1.0))


def _wall(rng: np.random.Generator, size: Size) -> FloatArray:
    """Bricks with mortar, OKLab `[H, W, 3]`."""
    x, y = places(size)
    bend = fractal_noise(rng, size, exponent=1.8, channels=2) * 0.8
    row = (y + bend[0] + 1000.0) / 26.0
    column = (x + bend[1] + 2000.0) / 78.0 + 0.5 * np.mod(np.floor(row), 2.0)
    edge = np.minimum((0.5 - np.abs(np.mod(column, 1.0) - 0.5)) * 78.0, (0.5 - np.abs(np.mod(row, 1.0) - 0.5)) * 26.0)
    edge = edge + 0.6 * fractal_noise(rng, size, exponent=0.8)[0]
    is_brick = _smooth_step(edge, 1.2, 2.8)[..., None]
    table = rng.standard_normal((997, 3)) * (0.045, 0.012, 0.012) + (0.5, 0.075, 0.055)
    brick = table[(np.floor(row).astype(int) * 31 + np.floor(column).astype(int) * 17) % 997]
    brick = brick + colour_noise(rng, size, exponent=0.8) * 0.03
    mortar = np.array([0.72, 0.005, 0.02]) + colour_noise(rng, size, exponent=0.6) * 0.025
    shadow = 0.12 * _smooth_step(edge, 4.5, 1.5)[..., None] * is_brick * (1.0, 0.0, 0.0)
    lab: FloatArray = mortar + is_brick * (brick - mortar) - shadow
    return lab.astype(np.float32)


def _inside(size: Size, box: tuple[int, ...]) -> FloatArray:
    """How deep inside a box each pixel lies, 0 at its edge to 1 from 30 pixels on, `[H, W]`."""
    x, y = np.arange(size[1])[None, :], np.arange(size[0])[:, None]
    depth = np.minimum(np.minimum(x - box[0], box[2] - x), np.minimum(y - box[1], box[3] - y))
    found: FloatArray = np.clip(depth / 30.0, 0.0, 1.0)
    return found


def _plate(size: Size, box: tuple[int, int, int, int]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shares `[H, W]` of the plate, of what is painted on it, and of its shadow on the wall."""
    fine = 3
    height, width = size
    left, top, right, bottom = (side * fine for side in box)
    plate = Image.new("L", (width * fine, height * fine), 0)
    ImageDraw.Draw(plate).rounded_rectangle((left, top, right, bottom), radius=22 * fine, fill=255)
    ink = Image.new("L", plate.size, 0)
    pencil = ImageDraw.Draw(ink)
    pencil.rounded_rectangle(
        (left + 12 * fine, top + 12 * fine, right - 12 * fine, bottom - 12 * fine),
        radius=14 * fine,
        outline=255,
        width=4 * fine,
    )
    lines = (
        ("SemiBold", 74, 0.24, "STUDIO 27"),
        ("Medium", 37, 0.45, "Pictures & Latents"),
        ("Regular", 22, 0.63, "Open Tuesday to Saturday, 10.30 – 18.45"),
        ("Regular", 13, 0.78, "No bit is lost here that was not given away before. Mind the step behind the door."),
    )
    for face, size_px, place, words in lines:
        where = ((left + right) / 2, top + place * (bottom - top))
        pencil.text(where, words, fill=255, font=typeface(face, size_px * fine), anchor="mm")
    for corner_x, corner_y in ((30, 30), (-30, 30), (30, -30), (-30, -30)):
        middle_x = (left if corner_x > 0 else right) + corner_x * fine
        middle_y = (top if corner_y > 0 else bottom) + corner_y * fine
        pencil.ellipse((middle_x - 5 * fine, middle_y - 5 * fine, middle_x + 5 * fine, middle_y + 5 * fine), fill=255)
    shadow = Image.new("L", plate.size, 0)
    shadow.paste(plate, (9 * fine, 12 * fine))
    shadow = shadow.filter(ImageFilter.GaussianBlur(5 * fine))
    return _share(plate, size), _share(ink, size), _share(shadow, size)


def _share(canvas: Image.Image, size: Size) -> FloatArray:
    small = canvas.resize((size[1], size[0]), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / np.float32(255.0)


def _smooth_step(value: FloatArray, low: float, high: float) -> FloatArray:
    """0 at `low`, 1 at `high`, level at both."""
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    found: FloatArray = share * share * (3.0 - 2.0 * share)
    return found


PICTURES: dict[str, Callable[[np.random.Generator, Size], Uint8Array]] = {
    "foliage": foliage,
    "mountains": mountains,
    "sign": sign,
}


def sample_picture(name: str, size: Size = SAMPLE_SIZE) -> Uint8Array:
    """One of `PICTURES` as it lies in ``assets/samples``, before it is packed, uint8 `[H, W, 3]`."""
    return PICTURES[name](draws(SEED, list(PICTURES).index(name)), size)


def main(folder: Path) -> None:
    """Write all of them as JPEG without a loss of colour's resolution."""
    for name in PICTURES:
        picture = Image.fromarray(sample_picture(name))
        picture.save(folder / f"{name}.jpg", quality=JPEG_QUALITY, subsampling=0, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
