"""Rate against distortion: Unified Latents beside ordinary codecs at equal bits, for one picture or many.

Plain data and arithmetic; nothing here encodes or measures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ul_engine.metrics.pchip import Pchip

BITS_ARE_A_BOUND = (
    "The bits of Unified Latents are an upper bound on the information in its latent, from the prior; no file of that "
    "size is written. The bits of a codec are those of its file, headers included."
)
"""To stand below every table or chart that shows both."""

Metric = Literal["psnr_db", "ssim", "ms_ssim", "flip", "lpips"]
METRICS: tuple[Metric, ...] = get_args(Metric)
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"flip", "lpips"})
MIN_POINTS = 4  # of a curve in Bjontegaard's method


@dataclass(frozen=True)
class Distortion:
    """Measures of one reconstruction, or their means over several.

    `ms_ssim_scales` is the number of scales of MS-SSIM, None in a mean over different ones. `lpips` is None where it
    was not measured.
    """

    psnr_db: float
    ssim: float
    ms_ssim: float
    ms_ssim_scales: int | None
    flip: float
    lpips: float | None = None

    def value(self, metric: Metric) -> float | None:
        """One measure by its name; None where it was not taken."""
        found: float | None = getattr(self, metric)
        return found


@dataclass(frozen=True)
class RatePoint:
    """A reconstruction at its bits per pixel of the original. `setting` says how it was made, for tables.

    `is_floor`: fewer bits were asked for than the codec can do; this is the least it does, and has to be marked.
    """

    bits_per_pixel: float
    distortion: Distortion
    setting: str = ""
    is_floor: bool = False


Curve = Sequence[RatePoint]
"""Points of one codec on one picture (or their means), from few bits to many."""


@dataclass(frozen=True)
class Comparison:
    """One picture: ours, and every codec at (as nearly as it can) the same bits per pixel."""

    name: str
    ours: RatePoint
    codecs: Mapping[str, RatePoint]


@dataclass(frozen=True)
class Gain:
    """Means over `num_pictures`. `difference` is ours minus the codec's, for each metric that was taken everywhere."""

    num_pictures: int
    our_bits_per_pixel: float
    codec_bits_per_pixel: float
    difference: Mapping[Metric, float]


@dataclass(frozen=True)
class CodecSummary:
    """Pictures where the codec could do our bits, and those where it stood at its floor with more bits than we have.

    None where there is no such picture. The two are never thrown together.
    """

    at_equal_bits: Gain | None
    at_floor: Gain | None


def summarise(comparisons: Sequence[Comparison]) -> dict[str, CodecSummary]:
    """Summary per codec, in the order of first appearance; a picture that a codec did not encode does not count."""
    names = dict.fromkeys(name for comparison in comparisons for name in comparison.codecs)
    return {name: _summary([(c.ours, c.codecs[name]) for c in comparisons if name in c.codecs]) for name in names}


def _summary(pairs: Sequence[tuple[RatePoint, RatePoint]]) -> CodecSummary:
    return CodecSummary(
        at_equal_bits=_gain([pair for pair in pairs if not pair[1].is_floor]),
        at_floor=_gain([pair for pair in pairs if pair[1].is_floor]),
    )


def _gain(pairs: Sequence[tuple[RatePoint, RatePoint]]) -> Gain | None:
    if not pairs:
        return None
    ours, theirs = mean_point([pair[0] for pair in pairs]), mean_point([pair[1] for pair in pairs])
    values = {metric: (ours.distortion.value(metric), theirs.distortion.value(metric)) for metric in METRICS}
    difference = {metric: a - b for metric, (a, b) in values.items() if a is not None and b is not None}
    return Gain(len(pairs), ours.bits_per_pixel, theirs.bits_per_pixel, difference)


# ---- means and interpolation --------------------------------------------------------------------------------------


def mean_point(points: Sequence[RatePoint]) -> RatePoint:
    """Mean bits and mean measures over pictures; `setting` where all have the same; a floor if any is one."""
    settings = {point.setting for point in points}
    return RatePoint(
        float(np.mean([point.bits_per_pixel for point in points])),
        _mean_distortion([point.distortion for point in points]),
        settings.pop() if len(settings) == 1 else "",
        any(point.is_floor for point in points),
    )


def mean_curve(curves: Sequence[Curve]) -> list[RatePoint]:
    """Mean over pictures, rung by rung: all curves come from the same ladder of qualities (else ValueError)."""
    return [mean_point(rung) for rung in zip(*curves, strict=True)]


def _mean_distortion(distortions: Sequence[Distortion]) -> Distortion:
    scales = {each.ms_ssim_scales for each in distortions}
    lpips = [each.lpips for each in distortions if each.lpips is not None]
    return Distortion(
        psnr_db=float(np.mean([each.psnr_db for each in distortions])),
        ssim=float(np.mean([each.ssim for each in distortions])),
        ms_ssim=float(np.mean([each.ms_ssim for each in distortions])),
        ms_ssim_scales=scales.pop() if len(scales) == 1 else None,
        flip=float(np.mean([each.flip for each in distortions])),
        lpips=float(np.mean(lpips)) if len(lpips) == len(distortions) else None,
    )


def at_bits(curve: Curve, bits_per_pixel: float, metric: Metric = "psnr_db") -> float | None:
    """A curve's `metric` at any bits per pixel, through PCHIP over log2 bits.

    None outside the curve's bits (below its floor, above its top rung), and where the metric was not taken.
    """
    bits, values = _sorted(curve, metric)
    if len(bits) < 2 or not bits[0] <= bits_per_pixel <= bits[-1]:
        return None
    return Pchip(np.log2(bits), values)(float(np.log2(bits_per_pixel)))


def _sorted(curve: Curve, metric: Metric) -> tuple[list[float], list[float]]:
    """Bits and values from few bits to many, without points that were not taken, are not finite, or repeat a rate."""
    found = {point.bits_per_pixel: point.distortion.value(metric) for point in curve if point.bits_per_pixel > 0}
    pairs = [(bits, value) for bits, value in sorted(found.items()) if value is not None and np.isfinite(value)]
    return [bits for bits, _ in pairs], [value for _, value in pairs]


# ---- Bjontegaard --------------------------------------------------------------------------------------------------


def bd_rate_percent(reference: Curve, test: Curve, metric: Metric = "psnr_db") -> float | None:
    """How many percent more bits `test` needs than `reference` for the same quality; negative: it needs fewer.

    `100 (10^(mean of log10 R_test - log10 R_reference over the common range of quality) - 1)`, log R through PCHIP over
    the metric. None below 4 usable points on either curve, or without a common range. Points at which more bits bring
    no better quality are left out.
    Source: Bjontegaard, VCEG-M33 (2001) and VCEG-AI11 (2008). Differs from it by: PCHIP instead of one cubic, as is
    common today; any metric.
    """
    curves = [_improving(curve, metric) for curve in (reference, test)]
    gap = _mean_gap([(quality, np.log10(bits).tolist()) for bits, quality in curves])
    return None if gap is None else 100 * (10.0**gap - 1)


def bd_quality(reference: Curve, test: Curve, metric: Metric = "psnr_db") -> float | None:
    """Mean difference `test - reference` of a metric at equal bits: BD-PSNR in dB for "psnr_db".

    Mean over the common range of log bits, the metric through PCHIP over it; None as in `bd_rate_percent`.
    """
    curves = [_improving(curve, metric) for curve in (reference, test)]
    gap = _mean_gap([(np.log10(bits).tolist(), quality) for bits, quality in curves])
    return None if gap is None else gap * _sign(metric)


def _sign(metric: Metric) -> float:
    return -1.0 if metric in LOWER_IS_BETTER else 1.0


def _improving(curve: Curve, metric: Metric) -> tuple[list[float], list[float]]:
    """Bits and quality (turned so that more is better), each strictly increasing."""
    bits, values = _sorted(curve, metric)
    kept: list[tuple[float, float]] = []
    for rate, value in zip(bits, values, strict=True):
        quality = value * _sign(metric)
        if not kept or quality > kept[-1][1]:
            kept.append((rate, quality))
    return [rate for rate, _ in kept], [quality for _, quality in kept]


def _mean_gap(curves: list[tuple[list[float], list[float]]]) -> float | None:
    """Mean over the common range of x of the second curve's y minus the first's; None where there is none."""
    if any(len(x) < MIN_POINTS for x, _ in curves):
        return None
    start, end = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    if start >= end:
        return None
    reference, test = (Pchip(x, y).integral(start, end) for x, y in curves)
    return (test - reference) / (end - start)
