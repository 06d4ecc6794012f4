"""Equation 5: what a learned variance takes off the bound is exactly what the noisier z_0 holds less."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal, kl_divergence

from tests.helpers.ideal import Gaussian
from ul_engine.diffusion.bitrate import latent_bitrate, normal_bitrate, with_learned_variance
from ul_engine.diffusion.losses import learned_variance_map, learned_variance_nats, normal_kl_nats
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.schedules import latent_schedule

LEVELS = pytest.mark.parametrize("logsnr", [5.0, 10.0, 0.0])


def noise(logsnr: float) -> tuple[float, float]:
    """alpha and sigma of z_0."""
    return math.sqrt(1 / (1 + math.exp(-logsnr))), math.sqrt(1 / (1 + math.exp(logsnr)))


@LEVELS
@pytest.mark.parametrize("std", [0.01, 0.1, 0.7, 2.0])
def test_against_the_normal_prior_in_closed_form(logsnr: float, std: float) -> None:
    """`E_z KL[q(z_0 | z) || N(0, 1)] + eq. 5 = KL[N(alpha mu, alpha^2 s^2 + sigma^2) || N(0, 1)]`."""
    alpha, sigma = noise(logsnr)
    mean = torch.linspace(-2.0, 2.0, 7, dtype=torch.float64)
    of_the_draws = normal_kl_nats(mean[:, None], logsnr) + 0.5 * alpha**2 * std**2
    taken_off = learned_variance_nats(torch.full((7, 1), 2 * math.log(std), dtype=torch.float64), logsnr)
    wanted = kl_divergence(Normal(alpha * mean, math.sqrt(alpha**2 * std**2 + sigma**2)), Normal(0.0, 1.0))
    torch.testing.assert_close(of_the_draws + taken_off, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("std", [0.02, 0.2, 1.0])
def test_against_any_prior_by_quadrature(std: float) -> None:
    """The difference does not depend on the prior: here it is a mixture."""
    alpha, sigma = noise(5.0)
    prior = MixtureSameFamily(
        Categorical(torch.tensor([0.3, 0.7], dtype=torch.float64)),
        Normal(torch.tensor([-1.0, 0.8], dtype=torch.float64), torch.tensor([0.4, 0.9], dtype=torch.float64)),
    )
    grid = torch.linspace(-8.0, 8.0, 4001, dtype=torch.float64)

    def divergence(mean: float, spread: float) -> Tensor:
        q = Normal(torch.tensor(mean, dtype=torch.float64), spread)
        return torch.trapezoid(q.log_prob(grid).exp() * (q.log_prob(grid) - prior.log_prob(grid)), grid)

    nodes = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    draws = Normal(0.4, std).icdf(nodes)
    of_the_draws = torch.stack([divergence(alpha * float(z), sigma) for z in draws]).mean()
    taken_off = learned_variance_nats(torch.full((1, 1), 2 * math.log(std), dtype=torch.float64), 5.0)
    whole = divergence(alpha * 0.4, math.sqrt(alpha**2 * std**2 + sigma**2))
    assert float(of_the_draws + taken_off) == pytest.approx(float(whole), rel=5e-3, abs=5e-3)


@LEVELS
def test_per_value_and_in_sum(logsnr: float) -> None:
    log_variance = torch.linspace(-8.0, 2.0, 24).view(2, 3, 1, 2, 2)
    per_value = learned_variance_map(log_variance, logsnr)
    torch.testing.assert_close(per_value, -0.5 * torch.log(log_variance.exp() * math.exp(logsnr) + 1))
    torch.testing.assert_close(learned_variance_nats(log_variance, logsnr), per_value.flatten(1).sum(1))
    assert learned_variance_map(log_variance.bfloat16(), logsnr).dtype == torch.float32


def test_no_variance_takes_nothing_off_and_a_large_one_stays_finite() -> None:
    assert float(learned_variance_nats(torch.full((1, 8), -80.0), 5.0)) == pytest.approx(0.0, abs=1e-30)
    assert float(learned_variance_nats(torch.full((1, 1), 120.0), 5.0)) == pytest.approx(-62.5)


# ---- in the bitrate -----------------------------------------------------------------------------------------------


def test_bitrate_less_eq_5_is_the_information_of_the_noisier_latent() -> None:
    """Means N(0, m^2), draws around them with s: the marginal is N(0, m^2 + s^2), whose ideal denoiser is known, and
    the information of x and z_0 is `1/2 ln(1 + m^2 e^l / (1 + s^2 e^l))`."""
    mean_std, std = 0.8, 0.15
    data = Gaussian(0.0, math.hypot(mean_std, std))
    z = data.draw((4, 16, 1, 24, 24), torch.Generator().manual_seed(0))
    draws = SeededNoise(range(4), "bitrate", shape=z.shape[1:])
    bound = latent_bitrate(data.denoise, z, latent_schedule(), num_times=48, draw_noise=draws.draw)
    log_variance = torch.full_like(z, 2 * math.log(std))
    less = with_learned_variance(bound, log_variance, 5.0)
    native = math.exp(5.0)
    wanted = 0.5 * math.log1p(mean_std**2 * native / (1 + std**2 * native))
    assert float(less.nats.mean()) / z[0].numel() == pytest.approx(wanted, rel=0.02)
    torch.testing.assert_close(less.cell_nats.flatten(1).sum(1), less.nats, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(bound.nats - less.nats, -learned_variance_nats(log_variance, 5.0), rtol=1e-4, atol=1e-2)
    assert torch.equal(less.band_nats, bound.band_nats)  # the bands are the diffusion's


@pytest.mark.parametrize("logsnr", [5.0, 10.0])
def test_normal_bitrate_is_the_divergence_itself(logsnr: float) -> None:
    z = torch.randn(3, 4, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    alpha, sigma = noise(logsnr)
    wanted = kl_divergence(Normal(alpha * z.double(), sigma), Normal(0.0, 1.0))
    found = normal_bitrate(z, logsnr, -10.0)
    torch.testing.assert_close(found.cell_nats.double(), wanted.sum(1), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.nats.double(), wanted.flatten(1).sum(1), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(normal_kl_nats(z, logsnr).double(), wanted.flatten(1).sum(1), rtol=1e-5, atol=1e-5)
    assert found.band_nats.sum() == 0
    assert found.terminal_nats.tolist() == [0.0] * 3
    assert found.band_edges.tolist() == [-10.0, logsnr]
