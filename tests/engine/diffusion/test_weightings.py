"""The sigmoid weight: its direction, its crossing of 1, and the defaults for each picture size."""

import math

import pytest
import torch

from tests.helpers.tiny import tiny_config
from ul_engine.config import DecoderLossConfig, ModelConfig
from ul_engine.diffusion.weightings import base_bias, crossing_logsnr, elbo_weight, sigmoid_weight

LEVELS = torch.linspace(-20.0, 20.0, 401, dtype=torch.float64)


@pytest.mark.parametrize("bias", [-3.0, 0.0, 2.5])
def test_the_identity_between_both_forms(bias: float) -> None:
    """`exp(l) sigmoid(b - l) = e^b sigmoid(l - b)`: the eps-weight and the bare x-weight."""
    x_weight = LEVELS.exp() * sigmoid_weight(LEVELS, bias=bias)
    torch.testing.assert_close(x_weight, math.exp(bias) * torch.sigmoid(LEVELS - bias))


def test_weight_rises_with_the_noise_from_0_to_the_loss_factor() -> None:
    weight = sigmoid_weight(LEVELS, bias=-3.0, loss_factor=1.5)
    assert (weight.diff() < 0).all()  # LEVELS go from noise to data
    assert float(weight[0]) == pytest.approx(1.5, rel=1e-6)
    assert float(weight[-1]) < 1e-8
    halfway = sigmoid_weight(torch.tensor(-3.0), bias=-3.0, loss_factor=1.5)
    assert float(halfway) == pytest.approx(0.75)


@pytest.mark.parametrize(("bias", "loss_factor"), [(-3.0, 1.3), (-3.0, 1.5), (1.2, 2.0), (2.5, 6.0)])
def test_crossing(bias: float, loss_factor: float) -> None:
    crossing = crossing_logsnr(bias=bias, loss_factor=loss_factor)
    assert crossing is not None
    assert crossing == pytest.approx(bias + math.log(loss_factor - 1))
    at, noisier, cleaner = sigmoid_weight(
        torch.tensor([crossing, crossing - 0.1, crossing + 0.1]), bias=bias, loss_factor=loss_factor
    ).tolist()
    assert at == pytest.approx(1.0, abs=1e-6)
    assert noisier > 1.0 > cleaner


@pytest.mark.parametrize("loss_factor", [0.2, 0.999, 1.0])
def test_no_crossing_up_to_a_loss_factor_of_1(loss_factor: float) -> None:
    assert crossing_logsnr(bias=0.0, loss_factor=loss_factor) is None
    assert (sigmoid_weight(LEVELS, bias=0.0, loss_factor=loss_factor) <= 1.0).all()


@pytest.mark.parametrize(("image_px", "bias"), [(512, -3.0), (256, -1.6), (128, -0.2), (64, 1.2), (32, 2.5)])
def test_default_bias_of_the_decoder(image_px: int, bias: float) -> None:
    assert ModelConfig(name="x", image_px=image_px).decoder_sigmoid_bias == pytest.approx(bias, abs=0.05)
    exact = -3 + 2 * math.log(512 / image_px)
    assert ModelConfig(name="x", image_px=image_px).decoder_sigmoid_bias == pytest.approx(exact)


def test_a_stated_bias_is_taken_also_when_it_is_zero() -> None:
    assert tiny_config(decoder_loss=DecoderLossConfig(sigmoid_bias=0.0)).decoder_sigmoid_bias == 0.0


@pytest.mark.parametrize("std", [0.3, 1.0, 2.0])
def test_bias_of_the_base_model_follows_the_latents_scale(std: float) -> None:
    """A latent s times as large has the effective log-SNR `logsnr + 2 ln s`; its weight is that of scale 1 there."""
    effective = LEVELS + 2 * math.log(std)
    scaled = sigmoid_weight(LEVELS, bias=base_bias(0.7, std))
    torch.testing.assert_close(scaled, sigmoid_weight(effective, bias=0.7))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_weights_are_float32(dtype: torch.dtype) -> None:
    levels = torch.tensor([-2.0, 0.5, 3.0]).to(dtype)
    assert torch.equal(sigmoid_weight(levels, bias=1.0), sigmoid_weight(levels.float(), bias=1.0))
    assert elbo_weight(levels).dtype == torch.float32
    assert elbo_weight(levels).tolist() == [1.0, 1.0, 1.0]
