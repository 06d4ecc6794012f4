"""What textures are made of: their random numbers, places in the picture, and noise with the spectrum of nature."""

import numpy as np
from PIL import Image

from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.colours import FloatArray

Size = tuple[int, int]
"""Height and width in pixels."""
MAX_EXPONENT = 3.0


def draws(seed: int, index: int) -> np.random.Generator:
    """The random numbers of texture `index` of the endless series `seed` (both below 2^64), the same everywhere."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))


def places(size: Size) -> tuple[FloatArray, FloatArray]:
    """Middles of all pixels: x `[1, W]` and y `[H, 1]`, 0 in the picture's middle, in pixels."""
    height, width = size
    x = np.arange(width, dtype=np.float32)[None, :] - (width - 1) / 2
    y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
    return x.astype(np.float32), y.astype(np.float32)


def turned(size: Size, angle_rad: float) -> tuple[FloatArray, FloatArray]:
    """Places `[H, W]` along and across a direction, in pixels."""
    x, y = places(size)
    cos, sin = np.float32(np.cos(angle_rad)), np.float32(np.sin(angle_rad))
    along: FloatArray = cos * x + sin * y
    across: FloatArray = cos * y - sin * x
    return along, across


def fractal_noise(rng: np.random.Generator, size: Size, *, exponent: float, channels: int = 1) -> FloatArray:
    """Noise `[channels, H, W]` of mean 0 and standard deviation 1 whose amplitudes fall as frequency to the
    -`exponent` (0 to 3): 1 is that of photographs, more is smoother. It is cut from a larger, periodic field."""
    height, width = (side + side // 4 for side in size)
    down = np.fft.fftfreq(height)[:, None].astype(np.float32)
    along = np.fft.rfftfreq(width)[None, :].astype(np.float32)
    frequency = np.hypot(down, along)
    frequency[0, 0] = 1.0
    amplitude = frequency ** -min(exponent, MAX_EXPONENT)
    amplitude[0, 0] = 0.0
    spectrum = np.fft.rfft2(rng.standard_normal((channels, height, width), dtype=np.float32))
    field = np.fft.irfft2(spectrum * amplitude, s=(height, width))[:, : size[0], : size[1]]
    field -= field.mean(axis=(1, 2), keepdims=True)
    field = field / np.maximum(field.std(axis=(1, 2), keepdims=True), 1e-6)
    return np.asarray(field, dtype=np.float32)


def colour_noise(rng: np.random.Generator, size: Size, *, exponent: float, colourful: float = 0.25) -> FloatArray:
    """Noise `[H, W, 3]` to be added to OKLab: unit lightness, hues that vary `colourful` as much and more slowly."""
    lightness = fractal_noise(rng, size, exponent=exponent)
    hues = fractal_noise(rng, size, exponent=exponent + 0.4, channels=2) * np.float32(colourful)
    return np.concatenate((lightness, hues)).transpose(1, 2, 0)


def shrunk(picture: Uint8Array, size: Size) -> Uint8Array:
    """uint8 `[H, W, 3]` brought to a smaller `size` by area."""
    return np.array(Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.BOX))
