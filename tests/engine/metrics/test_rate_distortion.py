"""Interpolation, Bjontegaard's measures and summaries, on curves whose answers are known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from ul_engine.metrics.pchip import Pchip
from ul_engine.metrics.rate_distortion import (
    Comparison,
    Distortion,
    RatePoint,
    at_bits,
    bd_quality,
    bd_rate_percent,
    mean_curve,
    mean_point,
    summarise,
)


def distortion(psnr_db: float, **changes: float | None) -> Distortion:
    values = {"ssim": 0.9, "ms_ssim": 0.95, "ms_ssim_scales": 5, "flip": 0.1} | changes
    return Distortion(psnr_db=psnr_db, **values)  # type: ignore[arg-type]


def straight(bits: list[float], *, factor: float = 1.0, offset_db: float = 0.0) -> list[RatePoint]:
    """6 dB for each doubling of bits; FLIP is halved by it. `factor` times the bits for the same quality."""
    return [
        RatePoint(factor * b, distortion(30 + 6 * math.log2(b) + offset_db, flip=0.1 - 0.02 * math.log2(b)))
        for b in bits
    ]


# ---- PCHIP --------------------------------------------------------------------------------------------------------


def test_straight_lines_are_kept() -> None:
    curve = Pchip([0.0, 1.0, 3.0, 3.5], [1.0, 3.0, 7.0, 8.0])
    assert [curve(x) for x in (0.0, 0.4, 2.0, 3.5)] == pytest.approx([1.0, 1.8, 5.0, 8.0])
    assert curve.integral(0.5, 3.25) == pytest.approx((3.25**2 - 0.5**2) + (3.25 - 0.5))


def test_goes_through_its_points_without_overshoot() -> None:
    x, y = [0.0, 1.0, 1.5, 4.0, 5.0], [0.0, 0.1, 5.0, 5.1, 5.1]
    curve = Pchip(x, y)
    assert [curve(each) for each in x] == pytest.approx(y)
    values = [curve(each) for each in np.linspace(0, 5, 301)]
    assert (np.diff(values) >= -1e-12).all()
    assert curve(4.5) == pytest.approx(5.1)


def test_golden_values() -> None:
    """scipy 1.17.1: `p = PchipInterpolator([0, 1, 2, 4, 7], [3, 1, 4, 1, 5])`; `p(...)`, `p.integrate(0.5, 6)`."""
    curve = Pchip([0.0, 1.0, 2.0, 4.0, 7.0], [3.0, 1.0, 4.0, 1.0, 5.0])
    assert [curve(x) for x in (0.3, 1.7, 3.0, 6.5)] == pytest.approx([1.9065, 3.352, 2.5, 3.650462962962963])
    assert curve.integral(0.5, 6.0) == pytest.approx(11.092534722222222)


def test_integral_by_counting() -> None:
    curve = Pchip([0.0, 0.5, 2.0, 3.0], [1.0, -1.0, 4.0, 2.0])
    middles = np.linspace(0.2, 2.9, 20_001)[:-1] + 2.7 / 40_000
    assert curve.integral(0.2, 2.9) == pytest.approx(2.7 * np.mean([curve(x) for x in middles]), abs=1e-6)
    assert curve.integral(0.0, 2.0) + curve.integral(2.0, 3.0) == pytest.approx(curve.integral(0.0, 3.0))


# ---- Bjontegaard --------------------------------------------------------------------------------------------------


BITS = [0.1, 0.2, 0.5, 1.0, 2.0]


def test_a_codec_of_half_the_bits() -> None:
    """R_test = R / 2 at every quality: -50 %. And 6 dB per doubling: +6 dB at every rate."""
    reference, test = straight(BITS), straight([0.15, 0.3, 0.7, 1.4], factor=0.5)
    assert bd_rate_percent(reference, test) == pytest.approx(-50.0)
    assert bd_rate_percent(test, reference) == pytest.approx(100.0)
    assert bd_quality(reference, test) == pytest.approx(6.0)
    assert bd_quality(test, reference) == pytest.approx(-6.0)


def test_less_is_better_for_flip() -> None:
    reference, test = straight(BITS), straight(BITS, factor=0.5)
    assert bd_rate_percent(reference, test, "flip") == pytest.approx(-50.0)
    assert bd_quality(reference, test, "flip") == pytest.approx(-0.02)


def test_the_common_range_counts() -> None:
    """Curves that are one outside their common range differ by nothing."""
    assert bd_rate_percent(straight(BITS), straight([0.05, 0.4, 0.6, 0.8, 5.0])) == pytest.approx(0.0, abs=1e-9)
    assert bd_quality(straight(BITS), straight([0.5, 0.6, 0.8, 9.0], offset_db=1.5)) == pytest.approx(1.5)


def test_a_curved_gap_in_closed_form() -> None:
    """log10 R_test - log10 R_reference rises from 0 to 0.2 over the range: its mean is 0.1."""
    quality = [20.0, 25.0, 30.0, 35.0, 40.0]
    reference = [RatePoint(10 ** (q / 20), distortion(q)) for q in quality]
    test = [RatePoint(10 ** (q / 20 + 0.2 * (q - 20) / 20), distortion(q)) for q in quality]
    assert bd_rate_percent(reference, test) == pytest.approx(100 * (10**0.1 - 1))


def test_too_little_to_compare() -> None:
    assert bd_rate_percent(straight(BITS), straight(BITS[:3])) is None
    assert bd_rate_percent(straight(BITS), straight([9.0, 10.0, 11.0, 12.0])) is None  # no common quality
    assert bd_quality(straight(BITS), straight(BITS), "lpips") is None  # never measured
    stuck = [replace(point, distortion=distortion(30.0)) for point in straight(BITS)]
    assert bd_rate_percent(straight(BITS), stuck) is None


def test_points_that_bring_nothing_are_left_out() -> None:
    """Out of order, a repeated file, a lossless one, and one with more bits and less quality."""
    lossless = RatePoint(9.0, distortion(math.inf))
    worse = RatePoint(0.3, distortion(10.0))
    messy = [*straight(BITS)[::-1], lossless, worse, straight(BITS)[2]]
    assert bd_rate_percent(straight(BITS), messy) == pytest.approx(0.0, abs=1e-9)


# ---- means --------------------------------------------------------------------------------------------------------


def test_a_curve_at_any_bits() -> None:
    curve = straight(BITS)
    assert at_bits(curve, 0.3) == pytest.approx(30 + 6 * math.log2(0.3))
    assert at_bits(curve, 0.3, "flip") == pytest.approx(0.1 - 0.02 * math.log2(0.3))
    assert at_bits(curve, 2.0) == pytest.approx(36.0)
    assert at_bits(curve, 0.099) is None  # below the floor
    assert at_bits(curve, 2.1) is None
    assert at_bits(curve, 0.3, "lpips") is None


def test_mean_over_pictures() -> None:
    a = RatePoint(0.2, distortion(30.0, lpips=0.2), "quality 5")
    b = RatePoint(0.4, distortion(32.0, lpips=0.4), "quality 5", is_floor=True)
    mean = mean_point([a, b])
    assert mean.bits_per_pixel == pytest.approx(0.3)
    assert (mean.distortion.psnr_db, mean.distortion.ms_ssim_scales) == (31.0, 5)
    assert mean.distortion.lpips == pytest.approx(0.3)
    assert (mean.setting, mean.is_floor) == ("quality 5", True)
    mixed = mean_point([a, RatePoint(0.4, distortion(32.0, ms_ssim_scales=3), "quality 6")])
    assert (mixed.distortion.ms_ssim_scales, mixed.distortion.lpips, mixed.setting) == (None, None, "")


def test_mean_curve_rung_by_rung() -> None:
    curve = mean_curve([straight(BITS), straight(BITS, factor=3.0)])
    assert [point.bits_per_pixel for point in curve] == pytest.approx([2 * b for b in BITS])
    with pytest.raises(ValueError, match="shorter"):
        mean_curve([straight(BITS), straight(BITS[:3])])


# ---- ours beside the codecs ---------------------------------------------------------------------------------------


def test_floors_are_kept_apart() -> None:
    ours = RatePoint(0.1, distortion(25.0, flip=0.2))
    first = RatePoint(0.09, distortion(24.0, flip=0.3))
    second = RatePoint(0.10, distortion(26.0, flip=0.2))
    floor = RatePoint(0.30, distortion(29.0, flip=0.1), is_floor=True)
    rows = [
        Comparison("a", ours, {"webp": first, "jpeg": floor}),
        Comparison("b", ours, {"webp": second}),
        Comparison("c", ours, {"webp": floor}),
    ]
    summary = summarise(rows)
    assert list(summary) == ["webp", "jpeg"]
    equal, at_floor = summary["webp"].at_equal_bits, summary["webp"].at_floor
    assert equal is not None
    assert at_floor is not None
    assert (equal.num_pictures, at_floor.num_pictures) == (2, 1)
    assert equal.codec_bits_per_pixel == pytest.approx(0.095)
    assert equal.our_bits_per_pixel == pytest.approx(0.1)
    assert equal.difference["psnr_db"] == pytest.approx(0.0)
    assert equal.difference["flip"] == pytest.approx(-0.05)
    assert at_floor.difference["psnr_db"] == pytest.approx(-4.0)
    assert "lpips" not in equal.difference
    assert summary["jpeg"].at_equal_bits is None
    assert summarise([]) == {}
