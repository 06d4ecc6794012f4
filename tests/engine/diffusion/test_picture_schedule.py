"""The shift for the picture size: its sign and its factor, checked on pictures, and the schedule made of it."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.helpers.tiny import tiny_config
from ul_engine.config import DecoderLossConfig, ModelConfig
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.schedules import CosineSchedule, picture_schedule, shift_for_size
from ul_engine.errors import ConfigError
from ul_engine.objectives import latent_schedule_of, picture_schedule_of


@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_pooling_a_noised_picture_gives_the_small_pictures_schedule(t: float) -> None:
    """A 512 px picture noised by the schedule shifted for 64 px, pooled 8x8, has a 64 px picture's log-SNR at t."""
    generator = torch.Generator().manual_seed(7)
    small = torch.randn(1, 1, 64, 64, generator=generator, dtype=torch.float64)
    large = F.interpolate(small, size=(512, 512), mode="nearest")
    schedule = CosineSchedule(10.0, -10.0, shift=shift_for_size(512, 64))
    eps = torch.randn(large.shape, generator=generator, dtype=torch.float64)
    x_t = add_noise(large, eps, schedule.logsnr(torch.tensor([t], dtype=torch.float64)))
    pooled = F.avg_pool2d(x_t, 8)
    gain = float((pooled * small).sum() / small.square().sum())
    noise = float((pooled - gain * small).square().mean())
    measured = math.log(gain**2 / noise)
    wanted = float(CosineSchedule(10.0, -10.0).logsnr(torch.tensor(t)))
    assert measured == pytest.approx(wanted, abs=0.12)  # 4096 cells: the noise variance is known to 2 %


@pytest.mark.parametrize(("image_px", "end"), [(512, -15.545), (256, -14.159), (64, -11.386), (32, -10.0)])
def test_ends(image_px: int, end: float) -> None:
    schedule = picture_schedule(image_px)
    assert float(schedule.logsnr(torch.tensor(0.0))) == pytest.approx(10.0, abs=1e-4)
    assert float(schedule.logsnr(torch.tensor(1.0))) == pytest.approx(end, abs=2e-3)
    assert schedule.logsnr_min == pytest.approx(-10.0 + 2 * math.log(32 / image_px))


def test_formula() -> None:
    """`(1 - t) lambda_image(t) + t lambda_32(t)`, each the cosine with `2 ln(d / image_px)`."""
    t = torch.linspace(0.0, 1.0, 101, dtype=torch.float64)
    cosine = CosineSchedule(10.0, -10.0).logsnr(t)
    for_32 = cosine + 2 * math.log(32 / 512)
    torch.testing.assert_close(picture_schedule(512).logsnr(t), (1 - t) * cosine + t * for_32)


def test_more_pixels_more_noise() -> None:
    t = torch.linspace(0.05, 1.0, 20)
    levels = torch.stack([picture_schedule(size).logsnr(t) for size in (32, 64, 128, 256, 512)])
    assert (levels.diff(dim=0) < 0).all()


def test_the_config_decides_and_not_the_picture() -> None:
    config = ModelConfig(name="x")
    assert picture_schedule_of(config).logsnr_min == pytest.approx(-15.545, abs=1e-3)
    assert latent_schedule_of(config).logsnr_max == 5.0
    assert latent_schedule_of(config).logsnr_min == -10.0
    other = tiny_config(decoder_loss=DecoderLossConfig(logsnr_max=8.0, logsnr_min=-9.0, noise_px=16))
    assert picture_schedule_of(other).logsnr_max == 8.0
    assert picture_schedule_of(other).logsnr_min == -9.0


@pytest.mark.parametrize("noise_px", [8, 16, 32, 64])
def test_legal_schedules_fall(noise_px: int) -> None:
    t = torch.linspace(0.0, 1.0, 1001)
    for image_px in (8, 16, 64, 512):
        assert (picture_schedule(image_px, noise_px=noise_px).logsnr(t).diff() < 0).all()


# Once: nothing stops a `noise_px` so far above `image_px` that log-SNR rises with time in the middle.
def test_a_schedule_that_rises_is_refused() -> None:
    with pytest.raises((ValueError, ConfigError)):
        picture_schedule_of(tiny_config(image_px=8, decoder_loss=DecoderLossConfig(noise_px=512)))
