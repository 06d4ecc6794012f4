"""Shapes of all four networks for many sizes, clips included, and that every parameter is used."""

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import class_conditioning, randomised, text_conditioning, tiny_config
from ul_engine.config import ModelConfig
from ul_engine.models.conditioning import Condition
from ul_engine.models.decoder import Decoder
from ul_engine.models.encoder import Encoder
from ul_engine.models.frames import fold_frames, from_tokens, to_tokens, token_grid, unfold_frames
from ul_engine.models.unified import UnifiedLatents
from ul_engine.models.vit import BaseModel, Prior

CONFIG = tiny_config()
LEVELS = torch.tensor([-3.0, 2.0])


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 40), (20, 12), (4, 4), (36, 28)])
@pytest.mark.parametrize("frames", [1, 3])
def test_encoder_and_decoder(height: int, width: int, frames: int) -> None:
    x = drawn(2, 3, frames, height, width)
    z = Encoder(CONFIG)(x)
    assert z.shape == (2, 4, frames, height // 4, width // 4)
    assert z.shape[1:] == CONFIG.latent_shape(height, width, frames)
    v_hat = Decoder(CONFIG)(x, LEVELS, z)
    assert v_hat.shape == x.shape
    assert z.dtype == v_hat.dtype == torch.float32


@pytest.mark.parametrize(("height", "width"), [(4, 4), (2, 6), (5, 4), (4, 7), (3, 3), (1, 1)])
@pytest.mark.parametrize("frames", [1, 2])
def test_prior_and_base_on_any_grid(height: int, width: int, frames: int) -> None:
    z_t = drawn(2, 4, frames, height, width)
    for network in (Prior(CONFIG), BaseModel(CONFIG)):
        v_hat = randomised(network)(z_t, LEVELS)
        assert v_hat.shape == z_t.shape
        assert v_hat.dtype == torch.float32
        assert v_hat.isfinite().all()


def test_deeper_models() -> None:
    config = tiny_config(
        encoder={"channels": (8, 16, 16, 24), "blocks_per_stage": 2, "blocks_last_stage": 3},
        decoder={"channels": (8, 16, 16), "blocks_per_stage": 2, "width": 32, "num_blocks": 2, "head_channels": 16},
    )
    assert config.downsampling == 16
    encoder, decoder = Encoder(config), Decoder(config)
    assert [len(stage) for stage in encoder.stages] == [2, 2, 2, 3]
    x = drawn(2, 3, 1, 32, 48)
    z = encoder(x)
    assert z.shape == (2, 4, 1, 2, 3)
    assert decoder(x, LEVELS, z).shape == x.shape


def test_patches_come_first() -> None:
    """Without them the decoder's first stage would run at full resolution: 3.3 TFLOP per pass at 512 px."""
    assert ModelConfig(name="x").patch_px == 2
    seen: list[tuple[int, ...]] = []
    encoder, decoder = Encoder(CONFIG), Decoder(CONFIG)
    for network in (encoder, decoder):
        blocks = [module for module in network.modules() if type(module).__name__ == "ResBlock"]
        blocks[0].register_forward_pre_hook(lambda module, inputs: seen.append(tuple(inputs[0].shape[-2:])))
    decoder(drawn(1, 3, 1, 16, 24), LEVELS[:1], encoder(drawn(1, 3, 1, 16, 24)))
    assert seen == [(8, 12), (8, 12)]


def test_frames_and_tokens_go_there_and_back() -> None:
    x = drawn(2, 3, 4, 5, 6)
    folded = fold_frames(x)
    assert torch.equal(folded[1], x[0, :, 1])
    assert torch.equal(folded[4 + 2], x[1, :, 2])
    assert torch.equal(unfold_frames(folded, 4), x)
    tokens = to_tokens(x)
    assert torch.equal(tokens[1, (2 * 5 + 3) * 6 + 4], x[1, :, 2, 3, 4])
    assert torch.equal(from_tokens(tokens, token_grid(x)), x)


def test_frames_of_a_clip_are_encoded_each_alone() -> None:
    encoder = randomised(Encoder(CONFIG)).eval()
    x = drawn(1, 3, 3, 16, 16)
    torch.testing.assert_close(encoder(x)[:, :, 1:2], encoder(x[:, :, 1:2]))


def test_encoder_is_deterministic() -> None:
    encoder = randomised(Encoder(CONFIG))
    x = drawn(2, 3, 1, 16, 16)
    for mode in (True, False):
        encoder.train(mode)
        torch.manual_seed(1)
        first = encoder(x)
        torch.manual_seed(2)
        assert torch.equal(encoder(x), first)


@pytest.mark.parametrize("kind", ["none", "class", "text"])
def test_every_parameter_takes_part(kind: str) -> None:
    """No dead weights: each parameter of each network has a gradient that is not zero."""
    conditioning = {"class": class_conditioning(), "text": text_conditioning()}.get(kind, CONFIG.conditioning)
    model = UnifiedLatents(tiny_config(conditioning=conditioning))
    randomised(model)
    x = drawn(2, 3, 1, 16, 16)
    condition = None
    if kind == "class":
        condition = Condition(torch.tensor([[0], [3]]))
    elif kind == "text":
        condition = model.condition_from_prompts(["a red cube", "on"])
    z = model.encoder(x)
    total = model.prior(z, LEVELS).square().sum() + model.base(z, LEVELS, condition).square().sum()
    total = total + model.decoder(x, LEVELS, z).square().sum()
    total.backward()
    silent = [
        name for name, p in model.named_parameters() if p.grad is None or (float(p.grad.abs().max()) == 0 and p.numel())
    ]
    assert silent == []
