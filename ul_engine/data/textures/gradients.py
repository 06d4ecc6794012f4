"""Gradients: skies, walls, soft shadows."""

import numpy as np

from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.colours import FloatArray, palette, picture_from_oklab
from ul_engine.data.textures.fields import Size, colour_noise, places, turned


def gradient(rng: np.random.Generator, size: Size) -> Uint8Array:
    """A smooth change of colour, along a line or around a place, with the grain of a camera: uint8 `[H, W, 3]`."""
    grain = colour_noise(rng, size, exponent=0.2, colourful=0.5) * np.float32(rng.uniform(0.0, 0.012))
    return picture_from_oklab(smooth_colours(rng, size, palette(rng, 3)) + grain)


def smooth_colours(rng: np.random.Generator, size: Size, colours: FloatArray) -> FloatArray:
    """OKLab `[H, W, 3]` that runs through `colours` `[N, 3]` once across the picture."""
    if rng.random() < 0.6:
        along, _ = turned(size, rng.uniform(0.0, 2.0 * np.pi))
        way = (along - along.min()) / max(float(np.ptp(along)), 1e-6)
    else:
        x, y = places(size)
        height, width = size
        distance = np.hypot(x - rng.uniform(-0.5, 0.5) * width, y - rng.uniform(-0.5, 0.5) * height)
        way = distance / distance.max()
    way = way ** rng.uniform(0.6, 1.7) * (len(colours) - 1)
    stops = np.arange(len(colours))
    return np.stack([np.interp(way, stops, colours[:, channel]) for channel in range(3)], axis=-1).astype(np.float32)
