"""Schedules: variance preserving, ends met, inverse and derivative right, in float32 whatever comes in."""

import math

import pytest
import torch

from ul_engine.diffusion.schedules import (
    CosineSchedule,
    Schedule,
    alpha_sigma,
    latent_schedule,
    picture_schedule,
    shift_for_size,
)

SCHEDULES = {
    "latent": (latent_schedule(), 5.0, -10.0),
    "cosine": (CosineSchedule(10.0, -10.0), 10.0, -10.0),
    "shifted": (CosineSchedule(10.0, -10.0, shift=-2.0), 8.0, -12.0),
    "picture 512": (picture_schedule(512), 10.0, -10.0 + 2 * math.log(32 / 512)),
    "picture 64": (picture_schedule(64), 10.0, -10.0 + 2 * math.log(32 / 64)),
    "picture 16": (picture_schedule(16), 10.0, -10.0 + 2 * math.log(32 / 16)),
}
every_schedule = pytest.mark.parametrize(
    ("schedule", "logsnr_max", "logsnr_min"), SCHEDULES.values(), ids=SCHEDULES.keys()
)
TIMES = torch.linspace(0.0, 1.0, 2001, dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_variance_is_preserved(dtype: torch.dtype) -> None:
    logsnr = torch.linspace(-30.0, 30.0, 601).to(dtype)
    alpha, sigma = alpha_sigma(logsnr)
    assert alpha.dtype == sigma.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(alpha), atol=1e-6, rtol=0)
    torch.testing.assert_close(2 * (alpha.log() - sigma.log()), logsnr.to(alpha.dtype), atol=2e-5, rtol=1e-5)


def test_the_native_level_of_the_latent() -> None:
    alpha, sigma = alpha_sigma(torch.tensor(5.0))
    assert float(alpha) == pytest.approx(0.9966, abs=5e-5)
    assert float(sigma) == pytest.approx(0.0818, abs=5e-5)


@every_schedule
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-3)])
def test_ends_are_met(
    schedule: Schedule, logsnr_max: float, logsnr_min: float, dtype: torch.dtype, tolerance: float
) -> None:
    assert schedule.logsnr_max == pytest.approx(logsnr_max, abs=1e-12)
    assert schedule.logsnr_min == pytest.approx(logsnr_min, abs=1e-12)
    start, end = schedule.logsnr(torch.tensor([0.0, 1.0], dtype=dtype)).tolist()
    assert start == pytest.approx(logsnr_max, abs=tolerance)
    assert end == pytest.approx(logsnr_min, abs=tolerance)


# Once: in float32 `tan` near pi/2 loses the end (-25.04 for -25, -29.30 for -29), within the range that
# `LatentConfig.logsnr_min` and `DecoderLossConfig.logsnr_min` allow.
@pytest.mark.parametrize("logsnr_min", [-12.0, -15.0, -20.0, -25.0, -29.0])
def test_ends_are_met_in_float32_over_the_whole_legal_range(logsnr_min: float) -> None:
    end = CosineSchedule(10.0, logsnr_min).logsnr(torch.tensor(1.0))
    assert float(end) == pytest.approx(logsnr_min, abs=2e-3)


@every_schedule
def test_log_snr_falls_with_time(schedule: Schedule, logsnr_max: float, logsnr_min: float) -> None:
    for dtype in (torch.float64, torch.float32):
        levels = schedule.logsnr(TIMES.to(dtype))
        assert (levels.diff() < 0).all()
        assert (schedule.dlogsnr_dt(TIMES.to(dtype)) < 0).all()


@every_schedule
def test_derivative_is_that_of_autograd(schedule: Schedule, logsnr_max: float, logsnr_min: float) -> None:
    t = TIMES.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(schedule.logsnr(t).sum(), t)
    torch.testing.assert_close(schedule.dlogsnr_dt(TIMES), slope, rtol=1e-9, atol=1e-9)


@every_schedule
def test_derivative_integrates_to_the_range(schedule: Schedule, logsnr_max: float, logsnr_min: float) -> None:
    t = (torch.arange(4096, dtype=torch.float64) + 0.5) / 4096
    assert float(-schedule.dlogsnr_dt(t).mean()) == pytest.approx(logsnr_max - logsnr_min, rel=1e-4)


@every_schedule
def test_inverse(schedule: Schedule, logsnr_max: float, logsnr_min: float) -> None:
    torch.testing.assert_close(schedule.time(schedule.logsnr(TIMES)), TIMES, atol=1e-9, rtol=0)
    levels = torch.linspace(logsnr_min, logsnr_max, 501, dtype=torch.float64)
    torch.testing.assert_close(schedule.logsnr(schedule.time(levels)), levels, atol=1e-8, rtol=0)
    single = schedule.time(schedule.logsnr(TIMES.float()))
    assert single.dtype == torch.float32
    torch.testing.assert_close(single, TIMES.float(), atol=2e-5, rtol=0)


@every_schedule
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_in_is_full_precision_within(
    schedule: Schedule, logsnr_max: float, logsnr_min: float, dtype: torch.dtype
) -> None:
    t = torch.tensor([0.0, 0.0625, 0.40625, 0.75, 0.9921875, 1.0])  # exact in both half precisions
    for function in (schedule.logsnr, schedule.dlogsnr_dt):
        assert function(t.to(dtype)).dtype == torch.float32
        assert torch.equal(function(t.to(dtype)), function(t))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(schedule.logsnr(t), schedule.logsnr(t.clone()))
        assert schedule.logsnr(t).dtype == torch.float32


def test_backwards_range_is_refused() -> None:
    with pytest.raises(ValueError, match="below"):
        CosineSchedule(-10.0, 5.0)


def test_shift_is_added() -> None:
    plain, shifted = CosineSchedule(10.0, -10.0), CosineSchedule(10.0, -10.0, shift=-1.5)
    torch.testing.assert_close(shifted.logsnr(TIMES), plain.logsnr(TIMES) - 1.5)
    torch.testing.assert_close(shifted.dlogsnr_dt(TIMES), plain.dlogsnr_dt(TIMES))
    assert shift_for_size(512, 32) == pytest.approx(-5.545, abs=1e-3)
    assert shift_for_size(64, 64) == 0.0
