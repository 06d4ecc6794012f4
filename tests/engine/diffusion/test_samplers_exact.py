"""Samplers with an exact denoiser must end in the noisy marginal at exactly log-SNR 5, not in the clean data."""

import math

import pytest
import torch

from tests.helpers.ideal import Gaussian, Mixture, affine_moments
from ul_engine.diffusion import samplers
from ul_engine.diffusion.grids import logsnr_grid, time_grid
from ul_engine.diffusion.noise import SeededNoise
from ul_engine.diffusion.samplers import Sampler
from ul_engine.diffusion.schedules import latent_schedule

LATENT = latent_schedule()
SAMPLERS = {
    "ddpm": (samplers.ddpm, time_grid),
    "ddim": (samplers.ddim, time_grid),
    "dpmpp-2m": (samplers.dpmpp_2m, logsnr_grid),
    "dpmpp-2m-sde": (samplers.dpmpp_2m_sde, logsnr_grid),
}
every_sampler = pytest.mark.parametrize("name", SAMPLERS)
DATA = {"usual": Gaussian(0.6, 0.5), "unit": Gaussian(-1.0, 1.0), "narrow": Gaussian(0.3, 0.05)}
every_data = pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())


def moments(name: str, data: Gaussian, num_steps: int) -> tuple[float, float, float]:
    sampler, make_grid = SAMPLERS[name]
    grid = make_grid(LATENT, num_steps)
    return affine_moments(
        lambda x, draw: sampler(data.denoise, x, grid, draw_noise=draw, observe=lambda step: None), num_steps
    )


@every_sampler
@every_data
def test_ends_in_the_noisy_marginal(name: str, data: Gaussian) -> None:
    mean, variance, gain = moments(name, data, 512)
    wanted_mean, wanted_variance = data.noisy_moments(5.0)
    assert variance == pytest.approx(wanted_variance, rel=0.02)
    # All begin at mean 0 instead of alpha_1 m; what is left of that in the end is the gain of the start.
    alpha_1 = math.sqrt(1 / (1 + math.exp(10.0)))
    assert mean + gain * alpha_1 * float(data.mean) == pytest.approx(wanted_mean, rel=1e-4, abs=1e-5)


@every_sampler
def test_does_not_hand_over_the_clean_estimate(name: str) -> None:
    """Data with a standard deviation of 0.05, less than the native noise of 0.082: z_hat would vary far too little."""
    data = DATA["narrow"]
    _, variance, _ = moments(name, data, 512)
    native_noise = 1 / (1 + math.exp(5))
    assert variance > native_noise
    assert variance > 3 * float(data.std) ** 2
    sampler, make_grid = SAMPLERS[name]
    noise = SeededNoise(range(64), "z", shape=(50,))
    seen: list[torch.Tensor] = []
    z_0 = sampler(
        data.denoise,
        noise.draw(),
        make_grid(LATENT, 64),
        draw_noise=noise.draw,
        observe=lambda step: seen.append(step.x_hat),
    )
    level = math.log(0.99331 * 0.05**2 / (float(z_0.var()) - 0.99331 * 0.05**2))
    native = math.log(0.99331 * 0.05**2 / native_noise)
    assert level == pytest.approx(native, abs=0.2)
    assert float(seen[-1].std()) < 0.05  # the estimate is something else


@every_data
def test_ancestral_sampling_becomes_exact_with_steps(data: Gaussian) -> None:
    wanted = data.noisy_moments(5.0)[1]
    errors = [abs(moments("ddpm", data, num_steps)[1] / wanted - 1) for num_steps in (64, 256, 1024)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)  # first order
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)
    assert errors[2] < 0.006


@every_data
def test_orders_of_convergence(data: Gaussian) -> None:
    wanted = data.noisy_moments(5.0)[1]

    def error(name: str, num_steps: int) -> float:
        return abs(moments(name, data, num_steps)[1] / wanted - 1)

    assert error("ddim", 64) / error("ddim", 256) == pytest.approx(4, rel=0.15)
    assert error("dpmpp-2m", 64) / error("dpmpp-2m", 256) > 10
    assert error("dpmpp-2m-sde", 64) / error("dpmpp-2m-sde", 256) > 10
    for num_steps in (8, 16, 32):
        assert error("dpmpp-2m", num_steps) < 0.5 * error("ddim", num_steps)
    assert error("dpmpp-2m", 64) < 0.002


@pytest.mark.parametrize("is_stochastic", [False, True])
@pytest.mark.parametrize("middle", [-8.0, -1.0, 3.0])
def test_multistep_extrapolates_to_the_middle_of_an_uneven_step(is_stochastic: bool, middle: float) -> None:
    """An estimate that is a straight line of log-SNR, `2 + 0.3 l`, is known at the middle of the second step."""
    grid = torch.tensor([-10.0, middle, 5.0], dtype=torch.float64)
    sampler = samplers.dpmpp_2m_sde if is_stochastic else samplers.dpmpp_2m
    got = sampler(
        lambda x, logsnr: 2 + 0.3 * logsnr[:, None],
        torch.ones(1, 1),
        grid,
        draw_noise=lambda: torch.zeros(1, 1),
        observe=lambda step: None,
    )
    x = 1.0
    for low, high, estimate in ((-10.0, middle, 2 + 0.3 * -10.0), (middle, 5.0, 2 + 0.3 * (middle + 5.0) / 2)):
        sigmas = [math.sqrt(1 / (1 + math.exp(level))) for level in (low, high)]
        alpha, step = math.sqrt(1 - sigmas[1] ** 2), (high - low) / 2
        if is_stochastic:
            kept, gain = sigmas[1] / sigmas[0] * math.exp(-step), 1 - math.exp(-2 * step)
        else:
            kept, gain = sigmas[1] / sigmas[0], 1 - math.exp(-step)
        x = kept * x + alpha * gain * estimate
    assert float(got) == pytest.approx(x, rel=1e-5)


@every_sampler
def test_two_lumps(name: str) -> None:
    """A one-dimensional mixture at -1 and 1: mean, variance, and the share and width of each lump at log-SNR 5."""
    data = Mixture(1.0, 0.1)
    sampler, make_grid = SAMPLERS[name]
    noise = SeededNoise([4], "z", shape=(40_000,))
    num_steps = 128 if name.startswith("dpm") else 512
    z_0 = sampler(
        data.denoise, noise.draw(), make_grid(LATENT, num_steps), draw_noise=noise.draw, observe=lambda step: None
    ).double()
    alpha, variance = math.sqrt(1 / (1 + math.exp(-5))), 1 / (1 + math.exp(5))
    assert float(z_0.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(z_0.var()) == pytest.approx(alpha**2 * (1 + 0.01) + variance, rel=0.01)
    right = z_0[z_0 > 0]
    assert len(right) / 40_000 == pytest.approx(0.5, abs=0.01)
    assert float(right.mean()) == pytest.approx(alpha, rel=0.005)
    assert float(right.std()) == pytest.approx(math.sqrt(alpha**2 * 0.01 + variance), rel=0.05)


def test_multistep_needs_a_fraction_of_the_steps() -> None:
    """Two lumps in 16 evaluations: 2M is near the exact width where DDIM is not."""
    data = Mixture(1.0, 0.1)
    exact = math.sqrt(0.01 / (1 + math.exp(-5)) + 1 / (1 + math.exp(5)))

    def width_error(sampler: Sampler, grid: torch.Tensor) -> float:
        noise = SeededNoise([4], "z", shape=(40_000,))
        z_0 = sampler(data.denoise, noise.draw(), grid, draw_noise=noise.draw, observe=lambda step: None)
        return abs(float(z_0[z_0 > 0].std()) / exact - 1)

    multistep = width_error(samplers.dpmpp_2m, logsnr_grid(LATENT, 16))
    assert multistep < 0.1
    assert multistep < width_error(samplers.ddim, time_grid(LATENT, 16))


@every_sampler
def test_starting_from_given_data(name: str) -> None:
    """From a noised z at log-SNR -1 down to 5: data of variance s^2 keep the right variance."""
    data = DATA["usual"]
    sampler, make_grid = SAMPLERS[name]
    noise = SeededNoise(range(4), "z", shape=(10_000,))
    generator = torch.Generator().manual_seed(0)
    z = data.draw((4, 10_000), generator)
    alpha, sigma = math.sqrt(1 / (1 + math.exp(1))), math.sqrt(1 / (1 + math.exp(-1)))
    z_t = alpha * z + sigma * torch.randn(z.shape, generator=generator)
    grid = make_grid(LATENT, 200, logsnr_start=-1.0)
    z_0 = sampler(data.denoise, z_t, grid, draw_noise=noise.draw, observe=lambda step: None).double()
    mean, variance = data.noisy_moments(5.0)
    assert float(z_0.mean()) == pytest.approx(mean, abs=0.01)
    assert float(z_0.var()) == pytest.approx(variance, rel=0.03)
