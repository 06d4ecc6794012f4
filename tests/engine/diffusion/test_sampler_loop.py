"""Grids, and what a sampler calls how often: one evaluation and observation per step, stopped at once when asked."""

import pytest
import torch
from torch import Tensor

from tests.helpers.ideal import Gaussian
from ul_engine.diffusion import samplers
from ul_engine.diffusion.grids import logsnr_grid, time_grid
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.diffusion.schedules import Schedule, latent_schedule, picture_schedule
from ul_engine.errors import Cancelled
from ul_engine.pipelines import FIRST_ORDER, SAMPLERS, sampling_grid
from ul_engine.requests import SamplerName, SamplerSettings

every_solver = pytest.mark.parametrize("name", list(SamplerName))
DATA = Gaussian(0.2, 0.5)


class Counted:
    """A real denoiser that remembers what it was asked."""

    def __init__(self) -> None:
        self.levels: list[Tensor] = []
        self.noises = 0

    def denoise(self, x: Tensor, logsnr: Tensor) -> Tensor:
        self.levels.append(logsnr)
        return DATA.denoise(x, logsnr)

    def draw(self) -> Tensor:
        self.noises += 1
        return torch.zeros(3, 2)


@pytest.mark.parametrize("make", [time_grid, logsnr_grid])
@pytest.mark.parametrize("schedule", [latent_schedule(), picture_schedule(64)])
@pytest.mark.parametrize("num_steps", [1, 2, 28, 256])
def test_grids(make, schedule: Schedule, num_steps: int) -> None:
    grid = make(schedule, num_steps)
    assert grid.dtype == torch.float64
    assert len(grid) == num_steps + 1
    assert float(grid[0]) == schedule.logsnr_min
    assert float(grid[-1]) == schedule.logsnr_max
    assert (grid.diff() > 0).all()


@pytest.mark.parametrize("make", [time_grid, logsnr_grid])
def test_grids_from_the_middle(make) -> None:
    grid = make(latent_schedule(), 10, logsnr_start=-2.5)
    assert len(grid) == 11
    assert float(grid[0]) == -2.5
    assert float(grid[-1]) == 5.0
    assert (grid.diff() > 0).all()


def test_spacing() -> None:
    schedule = latent_schedule()
    levels = logsnr_grid(schedule, 30)
    torch.testing.assert_close(levels.diff(), torch.full((30,), 0.5, dtype=torch.float64))
    times = schedule.time(time_grid(schedule, 30))
    torch.testing.assert_close(times.diff(), torch.full((30,), -1 / 30, dtype=torch.float64))


@every_solver
def test_every_solver_gets_the_grid_it_wants(name: SamplerName) -> None:
    schedule = latent_schedule()
    make = time_grid if name in (SamplerName.DDPM, SamplerName.DDIM) else logsnr_grid
    settings = SamplerSettings(name=name, num_steps=12)
    assert torch.equal(sampling_grid(schedule, settings), make(schedule, 12))
    assert (name in FIRST_ORDER) == (make is time_grid)
    assert set(SAMPLERS) == set(SamplerName)


@every_solver
@pytest.mark.parametrize("num_steps", [1, 2, 9])
def test_one_evaluation_and_one_observation_per_step(name: SamplerName, num_steps: int) -> None:
    counted, steps = Counted(), list[SamplerStep]()
    grid = logsnr_grid(latent_schedule(), num_steps)
    result = SAMPLERS[name](counted.denoise, torch.ones(3, 2), grid, draw_noise=counted.draw, observe=steps.append)
    assert result.shape == (3, 2)
    assert result.dtype == torch.float32
    assert [float(level[0]) for level in counted.levels] == pytest.approx(grid[:-1].tolist(), abs=1e-6)
    assert {(level.shape, level.dtype) for level in counted.levels} == {((3,), torch.float32)}
    assert [step.index for step in steps] == list(range(1, num_steps + 1))
    assert {step.num_steps for step in steps} == {num_steps}
    assert [step.logsnr for step in steps] == grid[:-1].tolist()
    assert counted.noises == (num_steps if name in (SamplerName.DDPM, SamplerName.DPMPP_2M_SDE) else 0)


@every_solver
def test_observer_sees_the_clean_estimate(name: SamplerName) -> None:
    estimates: list[Tensor] = []
    seen: list[Tensor] = []

    def denoise(x: Tensor, logsnr: Tensor) -> Tensor:
        estimates.append(DATA.denoise(x, logsnr))
        return estimates[-1]

    SAMPLERS[name](
        denoise,
        torch.ones(3, 2),
        logsnr_grid(latent_schedule(), 4),
        draw_noise=lambda: torch.zeros(3, 2),
        observe=lambda step: seen.append(step.x_hat),
    )
    assert all(torch.equal(a, b) for a, b in zip(estimates, seen, strict=True))


@every_solver
@pytest.mark.parametrize("stop_at", [1, 5, 20])
def test_cancelled_from_the_observer_stops_at_that_step(name: SamplerName, stop_at: int) -> None:
    counted = Counted()

    def observe(step: SamplerStep) -> None:
        if step.index == stop_at:
            raise Cancelled

    with pytest.raises(Cancelled):
        SAMPLERS[name](
            counted.denoise,
            torch.ones(3, 2),
            logsnr_grid(latent_schedule(), 20),
            draw_noise=counted.draw,
            observe=observe,
        )
    assert len(counted.levels) == stop_at


@every_solver
def test_solver_state_stays_float32_with_half_precision_estimates(name: SamplerName) -> None:
    def coarse(x: Tensor, logsnr: Tensor) -> Tensor:
        return DATA.denoise(x, logsnr).bfloat16()

    result = SAMPLERS[name](
        coarse,
        torch.ones(3, 2),
        logsnr_grid(latent_schedule(), 6),
        draw_noise=lambda: torch.zeros(3, 2),
        observe=lambda step: None,
    )
    assert result.dtype == torch.float32


def test_a_default_observer_is_there() -> None:
    grid = logsnr_grid(latent_schedule(), 3)
    for solver in (samplers.ddpm, samplers.ddim, samplers.dpmpp_2m, samplers.dpmpp_2m_sde):
        assert solver(DATA.denoise, torch.ones(3, 2), grid, draw_noise=lambda: torch.zeros(3, 2)).isfinite().all()
