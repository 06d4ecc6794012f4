"""Losses and bitrate on Gaussian data, where the ideal denoiser and the information are known in closed form."""

import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tests.helpers.ideal import Gaussian
from ul_engine.diffusion.bitrate import bits_per_dim, bits_per_pixel, latent_bitrate
from ul_engine.diffusion.losses import base_nats, decoder_nats, prior_diffusion_nats, terminal_kl_nats
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.schedules import CosineSchedule, InterpolatedSchedule, Schedule, latent_schedule
from ul_engine.diffusion.time_sampling import stratified_times

LATENT = latent_schedule()


@dataclass(frozen=True)
class Straight:
    """log-SNR that falls in a straight line: another way through the same levels."""

    logsnr_max: float = 5.0
    logsnr_min: float = -10.0

    def logsnr(self, t: Tensor) -> Tensor:
        return self.logsnr_max + t * (self.logsnr_min - self.logsnr_max)

    def dlogsnr_dt(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.logsnr_min - self.logsnr_max)

    def time(self, logsnr: Tensor) -> Tensor:
        return (logsnr - self.logsnr_max) / (self.logsnr_min - self.logsnr_max)


WAYS: dict[str, Schedule] = {
    "cosine": LATENT,
    "straight": Straight(),
    "between": InterpolatedSchedule(Straight(), CosineSchedule(5.0, -10.0)),
}


def mean_prior_nats(data: Gaussian, believed: Gaussian, schedule: Schedule, *, samples: int, dims: int) -> float:
    """Mean over data, noise and time of the prior's loss for a denoiser that believes in `believed`."""
    generator = torch.Generator().manual_seed(5)
    z = data.draw((samples, dims), generator)
    t = stratified_times(samples, generator=generator)
    logsnr = schedule.logsnr(t)
    z_t = add_noise(z, torch.randn(z.shape, generator=generator), logsnr)
    nats = prior_diffusion_nats(z, believed.denoise(z_t, logsnr), t, schedule) + terminal_kl_nats(
        z, schedule.logsnr_min
    )
    return float(nats.double().mean())


def closed_form(data: Gaussian) -> float:
    """Nats per value of eq. 3 with the ideal denoiser."""
    return data.nats(-10.0, 5.0) + data.terminal_nats(-10.0)


@pytest.mark.parametrize("data", [Gaussian(0.0, 1.0), Gaussian(0.0, 0.1), Gaussian(0.5, 2.0), Gaussian(-1.0, 0.4)])
def test_prior_loss_is_the_analytic_bound(data: Gaussian) -> None:
    measured = mean_prior_nats(data, data, LATENT, samples=16_384, dims=16) / 16
    assert measured == pytest.approx(closed_form(data), rel=0.01)


@pytest.mark.parametrize("std", [0.1, 0.4, 1.0, 2.0])
def test_the_bound_is_the_information_in_z_0(std: float) -> None:
    """`E KL(q(z_0 | z) || p(z_0))`, with p the marginal N(0, alpha_0^2 s^2 + sigma_0^2), up to the mismatch at -10."""
    native = torch.distributions.Normal(0.0, math.sqrt(Gaussian(0.0, std).noisy_moments(5.0)[1]))
    alpha, sigma = math.sqrt(1 / (1 + math.exp(-5))), math.sqrt(1 / (1 + math.exp(5)))
    grid = torch.linspace(-8, 8, 8001, dtype=torch.float64)
    density = torch.exp(-grid.square() / 2) / math.sqrt(2 * math.pi) * (grid[1] - grid[0])
    posterior = torch.distributions.Normal(alpha * std * grid, torch.full_like(grid, sigma))
    information = float((density * torch.distributions.kl_divergence(posterior, native)).sum())
    assert Gaussian(0.0, std).nats(-math.inf, 5.0) == pytest.approx(information, rel=1e-6)
    bound = closed_form(Gaussian(0.0, std))
    assert bound >= information
    assert bound - information < 1e-4 * max(1.0, std**4)


def test_a_worse_denoiser_pays_more() -> None:
    data = Gaussian(0.0, 0.5)
    ideal = mean_prior_nats(data, data, LATENT, samples=8192, dims=16)
    for belief in (Gaussian(0.0, 1.5), Gaussian(0.0, 0.2), Gaussian(0.5, 0.5)):
        assert mean_prior_nats(data, belief, LATENT, samples=8192, dims=16) > 1.05 * ideal


@pytest.mark.parametrize("schedule", WAYS.values(), ids=WAYS.keys())
def test_the_loss_does_not_depend_on_the_schedule(schedule: Schedule) -> None:
    """An estimate off by exactly the ideal error: the mean over time is the closed form, whatever the way."""
    data = Gaussian(0.0, 0.7)
    t = (torch.arange(8192, dtype=torch.float64) + 0.5) / 8192
    logsnr = schedule.logsnr(t)
    z = torch.zeros(len(t), 3, dtype=torch.float64)
    error = (data.std**2 / (1 + data.std**2 * logsnr.exp())).sqrt()
    nats = prior_diffusion_nats(z, z + error[:, None], t, schedule).mean() / 3
    assert float(nats) == pytest.approx(data.nats(-10.0, 5.0), rel=1e-4)


@pytest.mark.parametrize("schedule", WAYS.values(), ids=WAYS.keys())
def test_so_with_noise(schedule: Schedule) -> None:
    data = Gaussian(0.0, 0.7)
    assert mean_prior_nats(data, data, schedule, samples=16_384, dims=16) / 16 == pytest.approx(
        closed_form(data), rel=0.02
    )


def test_weighted_losses_are_the_weighted_integral() -> None:
    """Decoder and base: the same integrand under `c sigmoid(b - l)`, integrated here by the trapezium rule."""
    data, bias, factor = Gaussian(0.0, 0.5), -0.5, 1.7
    levels = torch.linspace(-10.0, 5.0, 20_001, dtype=torch.float64)
    integrand = levels.exp() / 2 * data.std**2 / (1 + data.std**2 * levels.exp()) / (1 + (levels - bias).exp())
    wanted = float(torch.trapezoid(integrand, levels))
    t = (torch.arange(8192, dtype=torch.float64) + 0.5) / 8192
    error = (data.std**2 / (1 + data.std**2 * LATENT.logsnr(t).exp())).sqrt()[:, None]
    z = torch.zeros(len(t), 1, dtype=torch.float64)
    assert float(base_nats(z, z + error, t, LATENT, sigmoid_bias=bias).mean()) == pytest.approx(wanted, rel=1e-4)
    nats = decoder_nats(z, z + error, t, LATENT, sigmoid_bias=bias, loss_factor=factor)
    assert float(nats.mean()) == pytest.approx(factor * wanted, rel=1e-4)


# ---- bitrate ------------------------------------------------------------------------------------------------------


def bitrate_of(std: Tensor, shape: tuple[int, ...], *, num_times: int, num_bands: int = 15):
    data = Gaussian(0.0, std)
    z = data.draw(shape, torch.Generator().manual_seed(2))
    noise = SeededNoise(range(shape[0]), "bitrate", shape=shape[1:])
    return latent_bitrate(data.denoise, z, LATENT, num_times=num_times, draw_noise=noise.draw, num_bands=num_bands)


def test_bitrate_is_the_information() -> None:
    data = Gaussian(0.0, 0.6)
    result = bitrate_of(torch.tensor(0.6), (4, 32, 1, 16, 16), num_times=64)
    assert (result.nats / 8192).tolist() == pytest.approx([closed_form(data)] * 4, rel=0.02)
    assert result.nats.dtype == torch.float32
    assert result.terminal_nats.mean() / 8192 == pytest.approx(data.terminal_nats(-10.0), rel=0.05)


def test_cells_sum_to_the_whole_and_bands_to_the_diffusion_part() -> None:
    result = bitrate_of(torch.tensor(0.6), (3, 8, 2, 6, 5), num_times=40)
    assert result.cell_nats.shape == (3, 2, 6, 5)
    torch.testing.assert_close(result.cell_nats.flatten(1).sum(1), result.nats)
    assert result.band_nats.shape == (3, 15)
    torch.testing.assert_close(result.band_nats.sum(1) + result.terminal_nats, result.nats)
    assert result.band_edges.tolist() == pytest.approx(list(range(-10, 6)))


def test_bits_go_to_the_cells_that_hold_them() -> None:
    std = torch.tensor([0.05, 0.3, 1.0, 3.0]).view(1, 1, 1, 1, 4)
    result = bitrate_of(std, (2, 64, 1, 24, 4), num_times=64)
    per_value = result.cell_nats.mean(dim=(0, 1, 2)) / 64
    wanted = [closed_form(Gaussian(0.0, each)) for each in (0.05, 0.3, 1.0, 3.0)]
    assert per_value.tolist() == pytest.approx(wanted, rel=0.04)


def test_bands_hold_what_their_levels_cost() -> None:
    data = Gaussian(0.0, 0.6)
    result = bitrate_of(torch.tensor(0.6), (2, 32, 1, 16, 16), num_times=600, num_bands=5)
    edges = result.band_edges.tolist()
    wanted = [data.nats(low, high) * 8192 for low, high in pairwise(edges)]
    assert result.band_nats.mean(0).tolist() == pytest.approx(wanted, rel=0.05, abs=2.0)


def test_bitrate_is_the_same_again_and_in_any_batch() -> None:
    std = torch.tensor(0.6)
    first = bitrate_of(std, (3, 4, 1, 4, 4), num_times=8)
    assert torch.equal(bitrate_of(std, (3, 4, 1, 4, 4), num_times=8).nats, first.nats)
    z = Gaussian(0.0, std).draw((3, 4, 1, 4, 4), torch.Generator().manual_seed(2))
    alone = latent_bitrate(
        Gaussian(0.0, std).denoise,
        z[1:2],
        LATENT,
        num_times=8,
        draw_noise=SeededNoise([1], "bitrate", shape=z.shape[1:]).draw,
    )
    torch.testing.assert_close(alone.nats, first.nats[1:2])


def test_units() -> None:
    """At 16x with 32 channels 1 bit per pixel is 8 bits per latent value."""
    nats = torch.tensor([math.log(2.0) * 512 * 512])
    assert float(bits_per_pixel(nats, num_pixels=512 * 512)) == pytest.approx(1.0)
    assert float(bits_per_dim(nats, num_dims=32 * 32 * 32)) == pytest.approx(8.0)
