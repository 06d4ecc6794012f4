"""Single-stage training's largest log-SNR (appendix B): its distribution, and the weighted bound that it makes."""

import math

import pytest
import torch
from torch import Tensor

from tests.helpers.ideal import Gaussian
from ul_engine.diffusion.losses import prior_diffusion_nats
from ul_engine.diffusion.schedules import CosineSchedule
from ul_engine.diffusion.weightings import truncated_logistic_quantile, truncated_logistic_survival

CASES = [(0.0, -10.0, 5.0), (2.5, -10.0, 5.0), (-4.0, -6.0, 3.0), (13.0, -10.0, 5.0), (-2.0, -10.0, 10.0)]
every_case = pytest.mark.parametrize(("bias", "low", "high"), CASES)
MIDPOINTS = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000


@every_case
def test_survival_falls_from_1_to_0(bias: float, low: float, high: float) -> None:
    levels = torch.linspace(low, high, 500, dtype=torch.float64)
    survival = truncated_logistic_survival(levels, bias, low, high)
    assert float(survival[0]) == pytest.approx(1.0)
    assert float(survival[-1]) == pytest.approx(0.0, abs=1e-9)
    assert (survival.diff() < 0).all()
    beyond = truncated_logistic_survival(torch.tensor([low - 3.0, high + 3.0]), bias, low, high)
    assert beyond.tolist() == [1.0, 0.0]


@every_case
def test_survival_is_the_integral_of_the_truncated_density(bias: float, low: float, high: float) -> None:
    levels = torch.linspace(low, high, 20_001, dtype=torch.float64)
    density = torch.sigmoid(levels - bias) * torch.sigmoid(bias - levels)
    whole = torch.trapezoid(density, levels)
    for start in (2000, 9000, 15_000, 19_000):
        tail = torch.trapezoid(density[start:], levels[start:]) / whole
        found = truncated_logistic_survival(levels[start], bias, low, high)
        assert float(found) == pytest.approx(float(tail), rel=1e-5)


@every_case
def test_quantile_is_the_inverse(bias: float, low: float, high: float) -> None:
    u = torch.linspace(0.0, 1.0, 1001, dtype=torch.float64)
    levels = truncated_logistic_quantile(u, bias, low, high)
    assert (levels.diff() > 0).all()
    assert float(levels[0]) == pytest.approx(low)
    assert float(levels[-1]) == pytest.approx(high)
    torch.testing.assert_close(truncated_logistic_survival(levels, bias, low, high), 1 - u)
    single = truncated_logistic_quantile(u.float(), bias, low, high)
    assert single.dtype == torch.float32
    assert float(single.min()) >= low
    assert float(single.max()) <= high


@every_case
def test_draws_survive_as_often_as_they_should(bias: float, low: float, high: float) -> None:
    u = torch.rand(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    levels = truncated_logistic_quantile(u, bias, low, high)
    for level in torch.linspace(low, high, 9)[1:-1].tolist():
        share = float((levels >= level).double().mean())
        wanted = float(truncated_logistic_survival(torch.tensor(level, dtype=torch.float64), bias, low, high))
        assert share == pytest.approx(wanted, abs=5e-3)


@pytest.mark.parametrize("bias", [-3.0, 0.0, 2.5])
def test_without_ends_it_is_the_sigmoid_weight(bias: float) -> None:
    levels = torch.linspace(-12.0, 12.0, 101, dtype=torch.float64)
    survival = truncated_logistic_survival(levels, bias, -60.0, 30.0)
    torch.testing.assert_close(survival, torch.sigmoid(bias - levels), rtol=1e-6, atol=1e-9)


# ---- the bound it makes -------------------------------------------------------------------------------------------


def unweighted_nats(data: Gaussian, high: Tensor, low: float) -> Tensor:
    """Closed form per value of the diffusion part of eq. 3 up to a largest log-SNR `high`, with the ideal denoiser."""
    variance = float(data.std) ** 2
    return 0.5 * (torch.log1p(variance * high.exp()) - math.log1p(variance * math.exp(low)))


@every_case
@pytest.mark.parametrize("std", [0.3, 1.0, 2.0])
def test_the_weighted_bound_is_the_mean_of_unweighted_ones(bias: float, low: float, high: float, std: float) -> None:
    """The ideal denoiser's error at each level, under the survival as weight, against bounds that end at random
    levels."""
    data, schedule = Gaussian(0.0, std), CosineSchedule(high, low)
    logsnr = schedule.logsnr(MIDPOINTS)
    error = (std**2 / (1 + std**2 * logsnr.exp())).sqrt()[:, None]
    z = torch.zeros(len(MIDPOINTS), 1, dtype=torch.float64)
    nats = prior_diffusion_nats(z, z + error, MIDPOINTS, schedule)
    weighted = (nats * truncated_logistic_survival(logsnr, bias, low, high)).mean()
    ends = truncated_logistic_quantile(MIDPOINTS, bias, low, high)
    assert float(weighted) == pytest.approx(float(unweighted_nats(data, ends, low).mean()), rel=1e-3)


def test_so_with_drawn_data_noise_times_and_ends() -> None:
    bias, low, high, data = 0.5, -10.0, 5.0, Gaussian(0.3, 0.7)
    generator = torch.Generator().manual_seed(3)
    z = data.draw((100_000, 4), generator)
    t, u = torch.rand(2, 100_000, generator=generator)
    schedule = CosineSchedule(high, low)

    def nats(schedule_t: CosineSchedule, logsnr: Tensor) -> Tensor:
        alpha, sigma = torch.sigmoid(logsnr).sqrt()[:, None], torch.sigmoid(-logsnr).sqrt()[:, None]
        z_t = alpha * z + sigma * torch.randn(z.shape, generator=generator)
        return prior_diffusion_nats(z, data.denoise(z_t, logsnr), t, schedule_t)

    logsnr = schedule.logsnr(t)
    whole = nats(schedule, logsnr)
    weighted = float((whole * truncated_logistic_survival(logsnr, bias, low, high)).mean())
    ends = truncated_logistic_quantile(u, bias, low, high)
    cut = float((whole * (logsnr <= ends)).mean())  # a bound that begins at each sample's own level
    assert weighted == pytest.approx(cut, rel=0.03)
    exact = 4 * float(unweighted_nats(data, ends, low).mean())
    assert weighted == pytest.approx(exact, rel=0.03)
