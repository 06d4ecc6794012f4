"""How a model of clips begins: from a model of pictures, it treats every frame as that model does."""

import copy

import pytest
import torch
from torch import Tensor, nn

from tests.helpers.tiny import randomised
from tests.helpers.tiny_clips import clip_config, deep_config, drawn
from ul_engine.models.unified import UnifiedLatents
from ul_engine.nn.temporal import DoubleFrames, HalveFrames, TemporalConv

LEVELS = torch.tensor([-1.0, 2.0])
every_factor = pytest.mark.parametrize("factor", [1, 2, 4])


@pytest.fixture(scope="module")
def pictures() -> UnifiedLatents:
    """A model of pictures with random weights."""
    return randomised(UnifiedLatents(deep_config())).eval().requires_grad_(False)


def of_clips(pictures: UnifiedLatents, factor: int) -> UnifiedLatents:
    """A fresh model of clips that was given the weights of a model of pictures."""
    model = UnifiedLatents(clip_config(factor, context_frames=3))
    missing, unexpected = model.load_state_dict(pictures.state_dict(), strict=False)
    assert unexpected == []
    assert all("temporal" in name or "time_" in name or name == "base.frame_mark" for name in missing)
    return model.eval().requires_grad_(False)


def frame_by_frame(network: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([network(x[:, :, index : index + 1]) for index in range(x.shape[2])], dim=2)


def still(x: Tensor, times: int) -> Tensor:
    """A clip of one picture `[B, C, 1, H, W]`."""
    return x.expand(-1, -1, times, -1, -1)


def test_along_time_layers_begin_as_the_identity() -> None:
    torch.manual_seed(0)
    x = drawn(6, 8, 4, 5)
    assert torch.equal(TemporalConv(8)(x, 3), x)
    torch.testing.assert_close(HalveFrames(8)(x), (x[0::2] + x[1::2]) / 2)
    torch.testing.assert_close(DoubleFrames(8)(x), x.repeat_interleave(2, dim=0))
    torch.testing.assert_close(HalveFrames(8)(DoubleFrames(8)(x)), x)


def test_the_encoder_encodes_every_frame_alone(pictures: UnifiedLatents) -> None:
    x = drawn(2, 3, 5, 16, 24)
    encoder = of_clips(pictures, 1).encoder
    torch.testing.assert_close(encoder(x), frame_by_frame(pictures.encoder, x))


@pytest.mark.parametrize("factor", [2, 4])
def test_a_still_clip_has_the_latent_of_its_picture(pictures: UnifiedLatents, factor: int) -> None:
    x = drawn(2, 3, 1, 16, 24)
    z = of_clips(pictures, factor).encoder(still(x, 2 * factor))
    torch.testing.assert_close(z, still(pictures.encoder(x), 2), rtol=1e-4, atol=1e-5)


@every_factor
def test_a_still_latent_decodes_to_a_still_clip(pictures: UnifiedLatents, factor: int) -> None:
    """One latent frame; the transformer sees what the picture's sees, as the first frame is not turned in time."""
    x_t, z_0 = drawn(2, 3, 1, 16, 24), drawn(2, 4, 1, 2, 3, seed=1)
    v_hat = of_clips(pictures, factor).decoder(still(x_t, factor), LEVELS, z_0)
    torch.testing.assert_close(v_hat, still(pictures.decoder(x_t, LEVELS, z_0), factor), rtol=1e-3, atol=1e-4)


def test_the_decoders_convolutions_treat_every_frame_alone(pictures: UnifiedLatents) -> None:
    """Its transformer looks across frames from the start; with that silent, frames are decoded one by one."""
    x_t, z_0 = drawn(2, 3, 4, 16, 16), drawn(2, 4, 4, 2, 2, seed=1)
    models = copy.deepcopy(pictures), of_clips(pictures, 1)
    for model in models:
        for name, parameter in model.decoder.named_parameters():
            if name.startswith("modulation") or name.endswith("table"):
                parameter.zero_()
    decoder, clips = models[0].decoder, models[1].decoder
    singly = [decoder(x_t[:, :, i : i + 1], LEVELS, z_0[:, :, i : i + 1]) for i in range(4)]
    torch.testing.assert_close(clips(x_t, LEVELS, z_0), torch.cat(singly, dim=2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", ["prior", "base"])
def test_one_latent_frame_is_a_picture(pictures: UnifiedLatents, network: str) -> None:
    z_t = drawn(2, 4, 1, 3, 5)
    clips = of_clips(pictures, 2)
    assert torch.equal(getattr(clips, network)(z_t, LEVELS), getattr(pictures, network)(z_t, LEVELS))
