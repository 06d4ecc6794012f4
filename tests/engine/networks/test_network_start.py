"""How networks begin: blocks as the identity, predictions of zero, which makes the first losses known."""

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import text_conditioning, tiny_config
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.schedules import alpha_sigma
from ul_engine.models.unified import UnifiedLatents
from ul_engine.nn.blocks import ResBlock, SharedModulation, TransformerBlock
from ul_engine.nn.rotary import grid_rotary
from ul_engine.objectives import estimate_with_base, estimate_with_decoder, estimate_with_prior

LEVELS = torch.tensor([-3.0, 2.0])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("embedding_width", [None, 16])
def test_convolution_blocks_begin_as_the_identity(embedding_width: int | None) -> None:
    block = ResBlock(8, embedding_width=embedding_width)
    x = drawn(2, 8, 5, 7)
    embedding = drawn(2, 16) if embedding_width else None
    assert torch.equal(block(x, embedding), x)


@pytest.mark.parametrize("is_modulated", [True, False])
def test_transformer_blocks_begin_as_the_identity(is_modulated: bool) -> None:
    block = TransformerBlock(32, 16, is_modulated=is_modulated, dropout=0.3)
    x = drawn(2, 6, 32)
    modulation = SharedModulation(24, 32)(drawn(2, 24)) if is_modulated else None
    assert torch.equal(block(x, modulation, grid_rotary((1, 2, 3), 16)), x)


def test_networks_begin_by_predicting_zero_and_estimates_are_alpha_x_t() -> None:
    """v_hat = 0 is the ideal denoiser of unit Gaussian data; nothing has to be unlearned."""
    model = UnifiedLatents(tiny_config(conditioning=text_conditioning()))
    z_t, x_t = drawn(2, 4, 1, 4, 4), drawn(2, 3, 1, 16, 16)
    condition = model.condition_from_prompts(["a red cube", ""])
    alpha = alpha_sigma(LEVELS)[0].view(2, 1, 1, 1, 1)
    std = torch.tensor(0.7)
    torch.testing.assert_close(estimate_with_prior(model.prior, z_t, LEVELS, std), alpha * z_t)
    torch.testing.assert_close(estimate_with_base(model.base, z_t, LEVELS, std, condition), alpha * z_t)
    x_hat = estimate_with_decoder(model.decoder, x_t, LEVELS, z_t, config=model.config, latent_std=std)
    torch.testing.assert_close(x_hat, alpha * x_t)


def test_latents_begin_near_unit_scale() -> None:
    model = UnifiedLatents(tiny_config())
    x = add_noise(drawn(64, 3, 1, 16, 16), drawn(64, 3, 1, 16, 16, seed=1), torch.tensor(0.0))
    assert 0.2 < float(model.encoder(x).detach().std()) < 3.0


def test_a_model_may_lack_any_network() -> None:
    model = UnifiedLatents(tiny_config(), networks=frozenset(("decoder",)))
    assert model.decoder is not None
    assert model.encoder is None
    assert model.prior is None
    assert model.base is None
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"decoder"}
