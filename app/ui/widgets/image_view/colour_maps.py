"""Colours for numbers: tables whose lightness rises (or falls on both sides) evenly, so that equal steps look equal.

A table is made from a few colours in OKLab, between which lightness runs straight. Loads numpy.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from app.services.difference import image_of_rgb

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Floats = npt.NDArray[np.float32]

NUM_COLOURS = 256


@dataclass(frozen=True)
class ColourMap:
    """Colours from the lowest value to the highest."""

    name: str
    stops: tuple[tuple[float, float, float], ...]
    """OKLab, evenly spaced: lightness 0 to 1, green to red, blue to yellow."""


HEAT = ColourMap(
    "heat",
    (
        (0.06, 0.00, -0.02),
        (0.27, 0.08, -0.12),
        (0.46, 0.16, -0.05),
        (0.66, 0.15, 0.07),
        (0.82, 0.05, 0.13),
        (0.97, -0.02, 0.06),
    ),
)
"""From black over purple and orange to pale yellow: errors, deviation."""
DIVERGING = ColourMap(
    "diverging",
    ((0.85, -0.08, -0.09), (0.58, -0.05, -0.15), (0.25, 0.00, 0.00), (0.60, 0.14, 0.09), (0.87, 0.06, 0.12)),
)
"""Blue below, dark grey at the middle, orange above: signed differences."""
BITS = ColourMap(
    "bits", ((0.14, 0.00, -0.05), (0.36, -0.01, -0.12), (0.56, -0.09, -0.06), (0.76, -0.13, 0.06), (0.95, -0.05, 0.16))
)
"""From night blue over teal to yellow: amounts, as of bits."""


@cache
def table(colour_map: ColourMap) -> "Bytes":
    """uint8 sRGB `[256, 3]`."""
    import numpy as np

    stops = np.asarray(colour_map.stops, np.float64)
    at, grid = np.linspace(0, 1, len(stops)), np.linspace(0, 1, NUM_COLOURS)
    lab = np.stack([np.interp(grid, at, stops[:, channel]) for channel in range(3)], axis=1)
    return _srgb_of_oklab(lab)


def coloured(values: "Floats", low: float, high: float, colour_map: ColourMap) -> QImage:
    """A picture of float `[H, W]`: `low` and below get the first colour, `high` and above the last, NaN grey."""
    import numpy as np

    span = max(high - low, 1e-12)
    places = np.nan_to_num((values - low) / span * (NUM_COLOURS - 1), nan=0.0, posinf=NUM_COLOURS, neginf=0.0)
    pixels = table(colour_map)[np.clip(np.rint(places), 0, NUM_COLOURS - 1).astype(np.uint8)]
    holes = np.isnan(values)
    if holes.any():
        pixels[holes] = 128
    return image_of_rgb(pixels)


def _srgb_of_oklab(lab: "npt.NDArray[np.float64]") -> "Bytes":
    """OKLab `[N, 3]` -> uint8 sRGB, out of gamut clipped. Source: B. Ottosson, "A perceptual color space" (2020)."""
    import numpy as np

    roots = lab @ np.array(
        [[1.0, 1.0, 1.0], [0.3963377774, -0.1055613458, -0.0894841775], [0.2158037573, -0.0638541728, -1.2914855480]]
    )
    linear = roots**3 @ np.array(
        [
            [4.0767416621, -1.2684380046, -0.0041960863],
            [-3.3077115913, 2.6097574011, -0.7034186147],
            [0.2309699292, -0.3413193965, 1.7076147010],
        ]
    )
    clipped = np.clip(linear, 0.0, 1.0)
    coded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    rounded: Bytes = np.rint(coded * 255).astype(np.uint8)
    return rounded
