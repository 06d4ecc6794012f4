"""Fractal noise in colour: clouds, stone, grass from afar."""

import numpy as np

from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.colours import palette, picture_from_oklab
from ul_engine.data.textures.fields import Size, colour_noise


def clouds(rng: np.random.Generator, size: Size) -> Uint8Array:
    """Noise from rough (exponent 0.6) to smooth (1.8) around one colour; half of the time with a second colour where it
    is high: uint8 `[H, W, 3]`."""
    field = colour_noise(rng, size, exponent=rng.uniform(0.6, 1.8), colourful=rng.uniform(0.05, 0.4))
    first, second = palette(rng, 2)
    lab = first + field * np.float32(rng.uniform(0.03, 0.16))
    if rng.random() < 0.5:
        share = 1.0 / (1.0 + np.exp(-rng.uniform(1.0, 6.0) * (field[..., :1] - rng.normal(0.0, 0.5))))
        lab += (second - first) * share.astype(np.float32)
    return picture_from_oklab(lab)
