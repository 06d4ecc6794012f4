"""Stage 2's loss: trained on z_clean noised to its level, towards z_clean, under the sigmoid weight of its scale."""

import math

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import class_conditioning, randomised, tiny_config
from ul_engine.models.conditioning import Condition
from ul_engine.models.vit import BaseModel
from ul_engine.objectives import latent_schedule_of, stage2_nats

CONFIG = tiny_config()
GENERATOR = torch.Generator().manual_seed(0)
Z = 1.7 * torch.randn(6, 4, 1, 4, 4, generator=GENERATOR)
EPS = torch.randn(Z.shape, generator=GENERATOR)
T = torch.tensor([0.0, 0.1, 0.3, 0.6, 0.9, 1.0])


def spread(per_sample: Tensor) -> Tensor:
    return per_sample.view(-1, 1, 1, 1, 1)


@pytest.mark.parametrize(("std", "bias"), [(1.0, 0.0), (1.7, 0.0), (1.7, -1.5)])
def test_first_loss_is_known_in_closed_form(std: float, bias: float) -> None:
    """A fresh base predicts v = 0. Were the target z_0, or z_t made of it, the numbers would be others."""
    config = tiny_config(base_sigmoid_bias=bias)
    with torch.no_grad():
        nats = stage2_nats(BaseModel(config), Z, T, EPS, config=config, latent_std=torch.tensor(std), condition=None)
    schedule = latent_schedule_of(config)
    logsnr = schedule.logsnr(T.double())
    alpha, sigma = spread(torch.sigmoid(logsnr).sqrt()), spread(torch.sigmoid(-logsnr).sqrt())
    error = Z - alpha * (alpha * Z + sigma * EPS)
    weight = 1 / (1 + (logsnr - (bias - 2 * math.log(std))).exp())
    wanted = -schedule.dlogsnr_dt(T.double()) * logsnr.exp() / 2 * weight * error.square().flatten(1).sum(1)
    torch.testing.assert_close(nats.double(), wanted, rtol=1e-3, atol=1e-5)


def test_the_network_sees_z_clean_at_its_level() -> None:
    """At t = 0 the noise is that of log-SNR 5 and no more: z_0 taken for clean data would bring it twice (4.3)."""
    base = BaseModel(CONFIG)
    seen: list[tuple[Tensor, ...]] = []
    base.register_forward_pre_hook(lambda module, inputs: seen.append(inputs))
    stage2_nats(base, Z, T, EPS, config=CONFIG, latent_std=torch.tensor(1.7), condition=None)
    ((z_t, logsnr, condition),) = seen
    assert condition is None
    assert logsnr.dtype == torch.float32
    assert float(logsnr[0]) == pytest.approx(5.0, abs=1e-5)
    alpha, sigma = spread(torch.sigmoid(logsnr).sqrt()), spread(torch.sigmoid(-logsnr).sqrt())
    z_t = z_t * (1.7**2 * alpha**2 + sigma**2).sqrt()
    torch.testing.assert_close(z_t, alpha * Z + sigma * EPS, atol=1e-5, rtol=1e-4)
    left = (z_t - alpha * Z)[0]
    assert float(left.std()) == pytest.approx(0.0818, rel=0.2)


def test_condition_reaches_the_network() -> None:
    config = tiny_config(conditioning=class_conditioning(2))
    base = randomised(BaseModel(config), gain=1.0).eval()
    assert isinstance(base, BaseModel)

    def nats(label: int) -> Tensor:
        condition = Condition(torch.full((6, 1), label))
        with torch.no_grad():
            return stage2_nats(base, Z, T, EPS, config=config, latent_std=torch.tensor(1.0), condition=condition)

    assert float((nats(0) - nats(1)).abs().max()) > 1e-3
