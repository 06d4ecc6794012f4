"""Colours of textures: OKLab in and out of sRGB, palettes as photographs have them, and contrast of letters."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ul_engine.data.pixels import Uint8Array

FloatArray = npt.NDArray[np.floating[Any]]

_LMS_FROM_LAB = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ],
    dtype=np.float32,
)
_RGB_FROM_LMS = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ],
    dtype=np.float32,
)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def light_from_oklab(lab: FloatArray) -> FloatArray:
    """OKLab `[..., 3]` (lightness 0 to 1, green to red, blue to yellow) -> linear light in [0, 1], clipped.

    Source: B. Ottosson, "A perceptual color space for image processing" (2020).
    """
    cones = (lab @ _LMS_FROM_LAB.T) ** 3
    light: FloatArray = np.clip(cones @ _RGB_FROM_LMS.T, 0.0, 1.0)
    return light


def bytes_from_light(light: FloatArray) -> Uint8Array:
    """Linear light `[..., 3]` in [0, 1] -> sRGB uint8. Source: IEC 61966-2-1."""
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    return np.rint(encoded * 255.0).astype(np.uint8)


def light_from_bytes(colours: Uint8Array) -> FloatArray:
    """sRGB uint8 `[..., 3]` -> linear light in [0, 1]."""
    value = colours.astype(np.float32) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def picture_from_oklab(lab: FloatArray) -> Uint8Array:
    """OKLab `[H, W, 3]` -> sRGB uint8 `[H, W, 3]`."""
    return bytes_from_light(light_from_oklab(lab))


def palette(rng: np.random.Generator, count: int) -> FloatArray:
    """`count` colours `[count, 3]` in OKLab that go together: hues around one, mostly dull, of any lightness."""
    hue = rng.uniform(0.0, 2.0 * np.pi) + rng.uniform(0.1, 1.4) * rng.standard_normal(count)
    chroma = rng.uniform(0.03, 0.2) * rng.beta(2.0, 2.0, count)
    lightness = rng.uniform(0.3, 0.8) + rng.uniform(0.05, 0.25) * rng.standard_normal(count)
    colours = (np.clip(lightness, 0.05, 0.98), chroma * np.cos(hue), chroma * np.sin(hue))
    return np.stack(colours, axis=-1).astype(np.float32)


def luminance(light: FloatArray) -> FloatArray:
    """Relative luminance in [0, 1] of linear light `[..., 3]`."""
    found: FloatArray = light @ _LUMINANCE
    return found


def contrast_ratio(one: float, other: float) -> float:
    """Of two relative luminances, 1 to 21: `(L + 0.05) / (l + 0.05)`. Source: WCAG 2.1, contrast ratio."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
