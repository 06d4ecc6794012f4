"""Curves of schedules and weights as plain numbers, against the functions that the losses use and known values."""

import json
import math

import pytest
import torch

from tests.helpers.tiny import tiny_config
from ul_engine.config import DecoderLossConfig, LatentConfig, ModelConfig
from ul_engine.diffusion.losses import decoder_nats, nats_per_squared_error
from ul_engine.diffusion.schedules import latent_schedule, picture_schedule
from ul_engine.objectives import WeightingCurves, weighting_curves
from ul_engine.presets import MODEL_PRESETS

PAPER = MODEL_PRESETS["imagenet-512"].config


def tensor(curve: tuple[float, ...] | None) -> torch.Tensor:
    assert curve is not None
    return torch.tensor(curve, dtype=torch.float64)


def test_the_papers_figure_3() -> None:
    curves = weighting_curves(PAPER)
    assert curves.decoder_bias == -3.0
    assert curves.loss_factor == 1.5
    assert curves.crossing_logsnr == pytest.approx(-3.0 + math.log(0.5))
    assert curves.picture_range == pytest.approx((-10 + 2 * math.log(32 / 512), 10.0))
    assert curves.latent_range == (-10.0, 5.0)
    logsnr, weight = tensor(curves.logsnr), tensor(curves.decoder_weight)
    torch.testing.assert_close(weight, 1.5 / (1.0 + torch.exp(logsnr + 3.0)))
    assert (weight.diff() < 0).all()
    assert float(weight[0]) == pytest.approx(1.5, rel=1e-4)
    above = logsnr < curves.crossing_logsnr
    assert (weight[above] > 1.0).all()
    assert (weight[~above] <= 1.0).all()
    assert "-3.69" in curves.explanation
    assert "cheaper in the latent" in curves.explanation


def test_the_bare_weight_is_the_other_sigmoid() -> None:
    """`exp(logsnr) sigmoid(b - logsnr) = e^b sigmoid(logsnr - b)`."""
    curves = weighting_curves(PAPER)
    wanted = 1.5 * math.exp(-3.0) * torch.sigmoid(tensor(curves.logsnr) + 3.0)
    torch.testing.assert_close(tensor(curves.decoder_x_weight), wanted)


def test_schedules_are_those_of_the_losses() -> None:
    curves = weighting_curves(PAPER, num_points=33)
    t = torch.linspace(0.0, 1.0, 33, dtype=torch.float64)
    assert torch.equal(tensor(curves.t), t)
    assert torch.equal(tensor(curves.picture_logsnr), picture_schedule(512).logsnr(t))
    assert torch.equal(tensor(curves.latent_logsnr), latent_schedule().logsnr(t))
    assert (curves.logsnr[0], curves.logsnr[-1]) == pytest.approx((curves.picture_range[0], 10.0))
    assert {len(value) for value in curves.model_dump().values() if isinstance(value, tuple)} == {2, 33}


def test_the_loss_has_the_drawn_weight() -> None:
    """A unit of squared error costs the drawn weight times the schedule's part."""
    curves = weighting_curves(PAPER)
    schedule = picture_schedule(512)
    t = torch.tensor([0.3], dtype=torch.float64)
    x, x_hat = torch.zeros(1, 1), torch.ones(1, 1)
    nats = decoder_nats(x, x_hat, t, schedule, sigmoid_bias=curves.decoder_bias, loss_factor=curves.loss_factor)
    weight = float(nats / nats_per_squared_error(schedule, t))
    logsnr = float(schedule.logsnr(t))
    upper = next(index for index, level in enumerate(curves.logsnr) if level > logsnr)
    assert curves.decoder_weight is not None
    assert curves.decoder_weight[upper] < weight < curves.decoder_weight[upper - 1]


def test_the_latents_scale_moves_the_base_models_weight() -> None:
    curves = weighting_curves(PAPER, latent_std=0.5)
    assert curves.base_bias == pytest.approx(2.0 * math.log(2.0))
    wanted = torch.sigmoid(2.0 * math.log(2.0) - tensor(curves.logsnr))
    torch.testing.assert_close(tensor(curves.base_weight), wanted)
    assert set(curves.prior_weight or ()) == {1.0}
    assert weighting_curves(PAPER).base_bias == 0.0


def lossy(**changes: object) -> ModelConfig:
    return tiny_config(decoder_loss=DecoderLossConfig(**changes))


@pytest.mark.parametrize(
    ("config", "crossing", "words"),
    [
        (lossy(loss_factor=1.0), None, "never reaches 1"),
        (lossy(loss_factor=0.5), None, "every level information is cheaper in the decoder"),
        (lossy(loss_factor=2.0, sigmoid_bias=-30.0), -30.0, "below the noisiest level"),
        (lossy(loss_factor=2.0, sigmoid_bias=30.0), 30.0, "above the cleanest level"),
        (lossy(kind="mse"), None, "squared error"),
    ],
)
def test_where_the_weight_crosses_1_or_why_not(config: ModelConfig, crossing: float | None, words: str) -> None:
    curves = weighting_curves(config)
    assert curves.crossing_logsnr == crossing
    assert words in curves.explanation


def test_nothing_is_drawn_that_is_not_trained() -> None:
    curves = weighting_curves(tiny_config(decoder_loss={"kind": "mse"}, prior={"kind": "normal"}))
    assert curves.decoder_weight is None
    assert curves.decoder_x_weight is None
    assert curves.prior_weight is None
    single = weighting_curves(tiny_config(training="single-elbo", prior={"kind": "normal"}))
    assert set(single.prior_weight or ()) == {1.0}
    assert single.base_weight is None


def test_the_weighted_single_stage_falls_from_1_to_0_over_the_latents_range() -> None:
    config = tiny_config(training="single-weighted", latent=LatentConfig(channels=4))
    curves = weighting_curves(config, num_points=1001)
    weight, logsnr = tensor(curves.prior_weight), tensor(curves.logsnr)
    assert (weight.diff() <= 0).all()
    assert set(weight[logsnr <= -10.0].tolist()) == {1.0}
    assert set(weight[logsnr >= 5.0].tolist()) == {0.0}
    middle = (logsnr > -8) & (logsnr < 3)
    torch.testing.assert_close(weight[middle], torch.sigmoid(-logsnr[middle]), atol=0.01, rtol=0.0)


def test_curves_survive_json() -> None:
    curves = weighting_curves(PAPER, num_points=9)
    assert WeightingCurves.model_validate(json.loads(curves.model_dump_json())) == curves
