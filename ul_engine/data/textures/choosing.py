"""Which kind of texture a number stands for."""

from collections.abc import Callable

import numpy as np

from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.fields import Size, draws
from ul_engine.data.textures.gradients import gradient
from ul_engine.data.textures.leaves import dead_leaves
from ul_engine.data.textures.lettering import page
from ul_engine.data.textures.noise import clouds
from ul_engine.data.textures.patterns import pattern
from ul_engine.errors import ShapeError

VERSION = 1
"""Part of the fingerprint of data with textures; raise it with any change that alters pixels."""
LEAST_PX = 8

KINDS: dict[str, tuple[float, Callable[[np.random.Generator, Size], Uint8Array]]] = {
    "leaves": (0.3, dead_leaves),
    "noise": (0.2, clouds),
    "gradient": (0.1, gradient),
    "pattern": (0.2, pattern),
    "text": (0.2, page),
}
"""Share of each kind, and what draws it."""


def texture(seed: int, index: int, size: Size) -> Uint8Array:
    """Texture `index` of the endless series `seed`, uint8 sRGB `[H, W, 3]`. Pure: no other state, the same on every
    machine up to rounding. Raises ShapeError for a side below 8 pixels."""
    if min(size) < LEAST_PX:
        raise ShapeError(f"cannot draw a texture of {size[0]} x {size[1]} px; at least {LEAST_PX} x {LEAST_PX}")
    rng = draws(seed, index)
    return KINDS[kind_of(rng)][1](rng, size)


def kind_of(rng: np.random.Generator) -> str:
    """The kind that the first number of `rng` stands for."""
    place = rng.random() * sum(share for share, _ in KINDS.values())
    for name, (share, _) in KINDS.items():
        place -= share
        if place < 0.0:
            return name
    return name
