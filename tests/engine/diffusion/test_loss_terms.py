"""Losses as per-sample sums in nats: units, signs, direction of the weight, and the exact KL terms."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from ul_engine.diffusion.losses import (
    base_nats,
    decoder_nats,
    nats_per_squared_error,
    normal_kl_nats,
    prior_diffusion_nats,
    squared_error,
    terminal_kl_map,
    terminal_kl_nats,
)
from ul_engine.diffusion.schedules import latent_schedule, picture_schedule

LATENT = latent_schedule()
T = torch.tensor([0.1, 0.45, 0.9])


def prior(z: Tensor, z_hat: Tensor) -> Tensor:
    return prior_diffusion_nats(z, z_hat, T, LATENT) + terminal_kl_nats(z, LATENT.logsnr_min)


def decoder(x: Tensor, x_hat: Tensor) -> Tensor:
    return decoder_nats(x, x_hat, T, picture_schedule(64), sigmoid_bias=1.2, loss_factor=1.5)


def base(z: Tensor, z_hat: Tensor) -> Tensor:
    return base_nats(z, z_hat, T, LATENT, sigmoid_bias=0.0)


Loss = Callable[[Tensor, Tensor], Tensor]
every_loss = pytest.mark.parametrize("loss", [prior, decoder, base])


def drawn(*shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, *shape, generator=generator)
    return x, x + 0.3 * torch.randn(3, *shape, generator=generator)


@every_loss
def test_one_value_per_sample(loss: Loss) -> None:
    x, x_hat = drawn(4, 1, 6, 5)
    nats = loss(x, x_hat)
    assert nats.shape == (3,)
    assert nats.dtype == torch.float32
    alone = [float(loss(x[i : i + 1].expand_as(x), x_hat[i : i + 1].expand_as(x))[i]) for i in range(3)]
    assert nats.tolist() == pytest.approx(alone)


@every_loss
def test_summed_not_averaged(loss: Loss) -> None:
    """Twice the dimensions cost twice the nats; an average would leave them as they are."""
    x, x_hat = drawn(4, 1, 6, 5)
    for axis in (1, 2, 3, 4):
        twice = loss(torch.cat((x, x), axis), torch.cat((x_hat, x_hat), axis))
        torch.testing.assert_close(twice, 2 * loss(x, x_hat))


@every_loss
def test_shape_is_only_a_convention(loss: Loss) -> None:
    """The same numbers as picture, clip or flat vector: the same nats, so the balance of the terms is physical."""
    x, x_hat = drawn(4, 1, 6, 5)
    for shape in ((3, 120), (3, 2, 3, 4, 5), (3, 1, 120, 1)):
        torch.testing.assert_close(loss(x.reshape(shape), x_hat.reshape(shape)), loss(x, x_hat))


@every_loss
def test_not_negative_and_falls_towards_the_data(loss: Loss) -> None:
    x, x_hat = drawn(4, 1, 2, 2)
    assert (loss(x, x_hat) > 0).all()
    x_hat = x_hat.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(loss(x, x_hat).sum(), x_hat)
    towards = (gradient * (x - x_hat)).flatten(1).sum(1)
    assert (towards < 0).all()
    assert (loss(x, x + 0.5 * (x_hat - x)) < loss(x, x_hat)).all()


def test_prior_is_minus_the_slope_times_half_the_eps_error() -> None:
    """Eq. 3, with weight exactly 1 and the sign that makes it a cost."""
    x, x_hat = drawn(5)
    logsnr, slope = LATENT.logsnr(T), LATENT.dlogsnr_dt(T)
    wanted = -slope * logsnr.exp() / 2 * (x - x_hat).square().sum(1)
    torch.testing.assert_close(prior_diffusion_nats(x, x_hat, T, LATENT), wanted)
    assert (nats_per_squared_error(LATENT, T) > 0).all()


def test_decoder_is_eq_4_with_the_right_sign_and_sigmoid() -> None:
    x, x_hat = drawn(5)
    schedule = picture_schedule(64)
    logsnr = schedule.logsnr(T)
    weight = 1.5 / (1 + (logsnr - 1.2).exp())
    wanted = -schedule.dlogsnr_dt(T) * logsnr.exp() / 2 * weight * (x - x_hat).square().sum(1)
    torch.testing.assert_close(decoder(x, x_hat), wanted)


def test_base_is_the_prior_under_a_sigmoid() -> None:
    x, x_hat = drawn(5)
    weight = torch.sigmoid(0.0 - LATENT.logsnr(T))
    torch.testing.assert_close(base(x, x_hat), weight * prior_diffusion_nats(x, x_hat, T, LATENT))


def test_the_decoders_weight_is_not_reversed() -> None:
    """Per unit of eps-error clean levels cost nearly nothing, noisy ones `loss_factor`; reversed: the other way."""
    schedule = picture_schedule(64)
    t = torch.tensor([0.02, 0.98])
    eps_error = 1.0
    x_error = eps_error * torch.exp(-schedule.logsnr(t) / 2)
    cost = decoder_nats(torch.zeros(2, 1), x_error[:, None], t, schedule, sigmoid_bias=1.2, loss_factor=1.5) / (
        -schedule.dlogsnr_dt(t) / 2
    )
    clean, noisy = cost.tolist()
    assert clean < 0.01
    assert noisy == pytest.approx(1.5, rel=0.01)


def test_precision_is_kept_from_half_precision_estimates() -> None:
    x, x_hat = drawn(5)
    assert squared_error(x.bfloat16(), x_hat.bfloat16()).dtype == torch.float32
    many = torch.full((1, 100_000), 0.1)
    assert float(squared_error(many.bfloat16(), torch.zeros_like(many).bfloat16())) == pytest.approx(
        100_000 * float(many.bfloat16()[0, 0]) ** 2, rel=1e-4
    )


@pytest.mark.parametrize("logsnr_min", [-10.0, -6.0, -15.0])
def test_terminal_kl_is_exact(logsnr_min: float) -> None:
    z = torch.linspace(-3.0, 3.0, 41, dtype=torch.float64)
    alpha, sigma = math.sqrt(1 / (1 + math.exp(-logsnr_min))), math.sqrt(1 / (1 + math.exp(logsnr_min)))
    wanted = kl_divergence(Normal(alpha * z, torch.full_like(z, sigma)), Normal(torch.zeros_like(z), 1.0))
    torch.testing.assert_close(terminal_kl_map(z, logsnr_min), wanted, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(terminal_kl_map(z.float(), logsnr_min).double(), wanted, rtol=1e-4, atol=1e-12)
    assert (terminal_kl_map(z.float(), logsnr_min) >= 0).all()


def test_leftover_at_the_end_of_the_latents_schedule() -> None:
    z = torch.randn(1, 200_000, generator=torch.Generator().manual_seed(0))
    assert float(terminal_kl_nats(z, -10.0)) / 200_000 == pytest.approx(2.3e-5, rel=0.02)


@pytest.mark.parametrize("logsnr", [5.0, 0.0, -4.0])
def test_cost_under_a_normal_prior(logsnr: float) -> None:
    z = torch.linspace(-3.0, 3.0, 41, dtype=torch.float64)[None]
    alpha, sigma = math.sqrt(1 / (1 + math.exp(-logsnr))), math.sqrt(1 / (1 + math.exp(logsnr)))
    wanted = kl_divergence(Normal(alpha * z, torch.full_like(z, sigma)), Normal(torch.zeros_like(z), 1.0)).sum()
    assert float(normal_kl_nats(z, logsnr)) == pytest.approx(float(wanted), rel=1e-6)
