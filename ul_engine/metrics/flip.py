"""FLIP: the difference a person sees when two pictures are shown in turns at the same place.

Source: Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström, Fairchild, "FLIP: a difference evaluator for alternating
images" (HPG 2020), the version for ordinary (LDR) pictures. Section numbers below are the paper's. Differs from it by:
nothing in the result; kernels that are products, or sums of products, are applied as such. Against the authors' program
(flip-evaluator 1.7) the largest deviation of any pixel was 4.8e-5, over 57 pairs made from seven Kodak photographs; a
768 x 512 picture takes 0.07 s on one CPU core.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ul_engine.errors import ConfigError
from ul_engine.metrics import colour
from ul_engine.metrics.distortion import check_pair, unit_frames
from ul_engine.metrics.separable import correlate

PIXELS_PER_DEGREE = 67.0  # 0.7 m before a 3840 pixel wide screen of 0.7 m
PIXELS_PER_DEGREE_RANGE = (1.0, 1000.0)

# Contrast sensitivity as Gaussians in space: pairs (a, b) of a sqrt(pi / b) exp(-pi^2 x^2 / b), x in degrees; table 1.
SENSITIVITY = {
    "achromatic": ((1.0, 0.0047),),
    "red-green": ((1.0, 0.0053),),
    "blue-yellow": ((34.1, 0.04), (13.5, 0.025)),
}
WIDEST = 0.04  # the largest b: all three kernels have its radius of three standard deviations
FEATURE_WIDTH_DEGREES = 0.082  # section 4.2.1
COLOUR_EXPONENT = 0.7  # q_c, section 4.1.3
KNEE_ERROR, KNEE_VALUE = 0.4, 0.95  # p_c and p_t: errors up to 40 % of the largest take 95 % of the scale
FEATURE_EXPONENT = 0.5  # q_f, section 4.2.2
STRIP_PIXELS = 2**21  # at once


class Flip(NamedTuple):
    """Error maps in [0, 1] (0 where no difference is seen) and their means."""

    map: Tensor  # [B, 1, T, H, W] float32
    mean: Tensor  # [B] float32


def flip(
    x: Tensor,
    x_hat: Tensor,
    pixels_per_degree: float = PIXELS_PER_DEGREE,
    *,
    observe: Callable[[], None] = lambda: None,
) -> Flip:
    """FLIP of `x_hat` against `x`, float `[B, 3, T, H, W]` sRGB in [-1, 1] (clipped), each frame by itself.

    `pixels_per_degree` of visual angle says how the picture is looked at: `distance * pi / 180 / pixel pitch`; more
    means from further away, where less is seen. Raises ConfigError outside 1 to 1000. Symmetric; takes any size.
    `observe` is called before each strip of a frame; it may raise to stop.
    `error = colour ^ (1 - feature)`: differences of colour, amplified where edges or points differ (eq. 1).
    """
    check_pair(x, x_hat)
    lowest, highest = PIXELS_PER_DEGREE_RANGE
    if not lowest <= pixels_per_degree <= highest:
        raise ConfigError(f"must be {lowest:.0f} to {highest:.0f}, got {pixels_per_degree}", field="pixels_per_degree")
    frames = zip(unit_frames(x).split(1), unit_frames(x_hat).split(1), strict=True)
    errors = torch.cat(
        [_of_frame(before, after, pixels_per_degree, observe) for before, after in frames]
    )  # [B T, 1, H, W]
    mean = errors.reshape(len(x), -1).mean(1, dtype=torch.float64).float()
    return Flip(errors.reshape(len(x), -1, 1, *x.shape[-2:]).transpose(1, 2), mean)


def _of_frame(before: Tensor, after: Tensor, pixels_per_degree: float, observe: Callable[[], None]) -> Tensor:
    """Errors of one frame `[1, 3, H, W]` in strips of rows, each with what the kernels reach of its neighbours. At 212
    bytes a pixel, 8000 x 8000 pixels at once would take 14 GB."""
    height, width = before.shape[-2:]
    reach = max(_colour_radius(pixels_per_degree), _feature_radius(pixels_per_degree))
    rows = max(reach, STRIP_PIXELS // width)
    strips = []
    for top in range(0, height, rows):
        observe()
        first, last = max(0, top - reach), min(height, top + rows + reach)
        errors = _errors(before[..., first:last, :], after[..., first:last, :], pixels_per_degree)
        strips.append(errors[..., top - first : min(top + rows, height) - first, :])
    return torch.cat(strips, dim=-2)


def _errors(x: Tensor, x_hat: Tensor, pixels_per_degree: float) -> Tensor:
    """sRGB `[N, 3, H, W]` in [0, 1] (clipped) -> errors `[N, 1, H, W]`."""
    before, after = (colour.opponent_from_rgb(each.clamp(0, 1)) for each in (x, x_hat))
    colour_error = _colour_error(_perceived(before, pixels_per_degree), _perceived(after, pixels_per_degree))
    feature_error = _feature_error(colour.achromatic(before), colour.achromatic(after), pixels_per_degree)
    return (colour_error ** (1 - feature_error)).clamp(0, 1)


# ---- colour (section 4.1) -----------------------------------------------------------------------------------------


def _perceived(opponent: Tensor, pixels_per_degree: float) -> Tensor:
    """YCxCz `[N, 3, H, W]` -> what is left of it at viewing distance, as L*a*b* with Hunt's adjustment."""
    radius = _colour_radius(pixels_per_degree)
    degrees = [offset / pixels_per_degree for offset in range(-radius, radius + 1)]
    padded = F.pad(opponent, (radius,) * 4, mode="replicate")
    channels = [_filtered(padded[:, i], SENSITIVITY[name], degrees) for i, name in enumerate(SENSITIVITY)]
    lab = colour.lab_from_rgb(colour.linear_rgb_from_opponent(torch.stack(channels, dim=1)).clamp(0, 1))
    return colour.hunt_adjusted(lab)


def _colour_radius(pixels_per_degree: float) -> int:
    return math.ceil(3 * math.sqrt(WIDEST / (2 * math.pi**2)) * pixels_per_degree)


def _filtered(x: Tensor, gaussians: Sequence[tuple[float, float]], degrees: Sequence[float]) -> Tensor:
    """Sum of Gaussians, each a product of two, scaled so that all taps sum to 1."""
    profiles = [[math.exp(-((math.pi * d) ** 2) / b) for d in degrees] for _, b in gaussians]
    heights = [a * math.sqrt(math.pi / b) for a, b in gaussians]
    total = sum(height * sum(profile) ** 2 for height, profile in zip(heights, profiles, strict=True))
    parts = [
        correlate(x, profile, [height / total * tap for tap in profile])
        for height, profile in zip(heights, profiles, strict=True)
    ]
    return torch.stack(parts).sum(0)


def _colour_error(lab: Tensor, lab_hat: Tensor) -> Tensor:
    """HyAB distance, compressed and spread over [0, 1] by a line with a knee, `[N, 1, H, W]`."""
    error = colour.hyab(lab, lab_hat) ** COLOUR_EXPONENT
    largest = _largest_colour_error()
    knee = KNEE_ERROR * largest
    above = KNEE_VALUE + (error - knee) / (largest - knee) * (1 - KNEE_VALUE)
    return torch.where(error < knee, error * (KNEE_VALUE / knee), above)


def _largest_colour_error() -> float:
    """The error of green against blue, the two most distant colours of sRGB."""
    corners = torch.eye(3, dtype=torch.float64).view(3, 3, 1, 1)  # red, green, blue
    lab = colour.hunt_adjusted(colour.lab_from_rgb(corners))
    return math.pow(float(colour.hyab(lab[1:2], lab[2:3])), COLOUR_EXPONENT)


# ---- features (section 4.2) ---------------------------------------------------------------------------------------


def _feature_error(y: Tensor, y_hat: Tensor, pixels_per_degree: float) -> Tensor:
    """Difference in strength of edges or of points, whichever is larger, in [0, 1], `[N, 1, H, W]`."""
    sd_px, radius = 0.5 * FEATURE_WIDTH_DEGREES * pixels_per_degree, _feature_radius(pixels_per_degree)
    offsets = range(-radius, radius + 1)
    gaussian = [math.exp(-(i**2) / (2 * sd_px**2)) for i in offsets]
    edge = [-i * g for i, g in zip(offsets, gaussian, strict=True)]
    point = [(i**2 / sd_px**2 - 1) * g for i, g in zip(offsets, gaussian, strict=True)]
    differences = [
        (_strength(y, detector, gaussian) - _strength(y_hat, detector, gaussian)).abs() for detector in (edge, point)
    ]
    return (torch.maximum(*differences) / math.sqrt(2)) ** FEATURE_EXPONENT


def _feature_radius(pixels_per_degree: float) -> int:
    return math.ceil(1.5 * FEATURE_WIDTH_DEGREES * pixels_per_degree)


def _strength(y: Tensor, detector: Sequence[float], gaussian: Sequence[float]) -> Tensor:
    """Length of the detector's horizontal and vertical answer, with taps that sum to 1 above 0 and to -1 below."""
    up, down = sum(tap for tap in detector if tap > 0), -sum(tap for tap in detector if tap < 0)
    across = [tap / (up if tap > 0 else down) for tap in detector]
    along = [tap / sum(gaussian) for tap in gaussian]
    padded = F.pad(y, (len(gaussian) // 2,) * 4, mode="replicate")
    return torch.hypot(correlate(padded, along, across), correlate(padded, across, along))
