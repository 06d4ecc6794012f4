"""x, eps and v are three names for one estimate, and network inputs have unit variance."""

import pytest
import torch
from torch import Tensor

from ul_engine.diffusion import parameterization as p
from ul_engine.diffusion.schedules import alpha_sigma

LEVELS = torch.linspace(-10.0, 10.0, 41, dtype=torch.float64)


def drawn(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(len(LEVELS), 2, 3, generator=generator, dtype=torch.float64).to(dtype)
    eps = torch.randn(len(LEVELS), 2, 3, generator=generator, dtype=torch.float64).to(dtype)
    return x, eps, p.add_noise(x, eps, LEVELS.to(dtype))


def test_adding_noise_is_the_formula() -> None:
    x, eps, x_t = drawn()
    alpha, sigma = alpha_sigma(LEVELS)
    torch.testing.assert_close(x_t, alpha[:, None, None] * x + sigma[:, None, None] * eps)


def test_every_form_leads_to_every_other() -> None:
    x, eps, x_t = drawn()
    alpha, sigma = alpha_sigma(LEVELS)
    v = alpha[:, None, None] * eps - sigma[:, None, None] * x
    torch.testing.assert_close(p.x_from_v(x_t, v, LEVELS), x)
    torch.testing.assert_close(p.eps_from_v(x_t, v, LEVELS), eps)
    torch.testing.assert_close(p.v_from_x(x_t, x, LEVELS), v)
    torch.testing.assert_close(p.eps_from_x(x_t, x, LEVELS), eps)
    torch.testing.assert_close(p.x_from_eps(x_t, eps, LEVELS), x)


def test_any_prediction_goes_round_the_circle() -> None:
    """For estimates that are not exact, too: x -> v -> x, x -> eps -> x."""
    _, _, x_t = drawn()
    guess = torch.randn(x_t.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    torch.testing.assert_close(p.x_from_v(x_t, p.v_from_x(x_t, guess, LEVELS), LEVELS), guess)
    torch.testing.assert_close(p.x_from_eps(x_t, p.eps_from_x(x_t, guess, LEVELS), LEVELS), guess)
    v = p.v_from_x(x_t, guess, LEVELS)
    torch.testing.assert_close(p.eps_from_v(x_t, v, LEVELS), p.eps_from_x(x_t, guess, LEVELS))


def test_weighted_x_error_is_the_eps_error() -> None:
    """`exp(logsnr) ||x - x_hat||^2 = ||eps - eps_hat||^2`."""
    x, eps, x_t = drawn()
    guess = x + 0.1 * torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    x_error = (x - guess).square().flatten(1).sum(1)
    eps_error = (eps - p.eps_from_x(x_t, guess, LEVELS)).square().flatten(1).sum(1)
    torch.testing.assert_close(LEVELS.exp() * x_error, eps_error)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_results_are_float32(dtype: torch.dtype) -> None:
    x, eps, x_t = drawn(torch.float32)
    level = LEVELS.float()
    halves = (x_t.to(dtype), x.to(dtype))
    results = [function(*halves, level) for function in (p.x_from_v, p.eps_from_v, p.v_from_x, p.eps_from_x)]
    results.append(p.add_noise(x.to(dtype), eps.to(dtype), level.to(dtype)))
    assert {result.dtype for result in results} == {torch.float32}


def test_one_level_for_all_is_the_same_as_one_each() -> None:
    x, eps, _ = drawn()
    each = p.add_noise(x, eps, torch.full((len(x),), 2.5, dtype=torch.float64))
    torch.testing.assert_close(p.add_noise(x, eps, torch.tensor(2.5, dtype=torch.float64)), each)


@pytest.mark.parametrize("std", [0.02, 0.5, 1.0, 7.0])
@pytest.mark.parametrize("logsnr", [-10.0, -2.0, 0.0, 5.0, 10.0])
def test_scaled_inputs_have_unit_variance(std: float, logsnr: float) -> None:
    generator = torch.Generator().manual_seed(1)
    level = torch.tensor(logsnr)
    x = std * torch.randn(200_000, generator=generator)
    x_t = p.add_noise(x, torch.randn(x.shape, generator=generator), level)
    assert float((x_t * p.unit_variance_scale(level, std)).std()) == pytest.approx(1.0, abs=0.01)


def test_scale_takes_numbers_and_tensors() -> None:
    levels = torch.linspace(-10.0, 5.0, 7)
    wanted = (torch.sigmoid(levels) * 0.25 + torch.sigmoid(-levels)) ** -0.5
    torch.testing.assert_close(p.unit_variance_scale(levels, 0.5), wanted)
    torch.testing.assert_close(p.unit_variance_scale(levels, torch.tensor(0.5)), wanted)
    assert p.unit_variance_scale(levels.bfloat16(), 0.5).dtype == torch.float32
