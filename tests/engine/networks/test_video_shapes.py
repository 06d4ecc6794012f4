"""Clips of any length through networks of any temporal down-sampling: shapes, padding, cropping, and where time is
halved."""

import pytest
import torch

from tests.helpers.tiny import randomised, tiny_config, tiny_model
from tests.helpers.tiny_clips import clip_config, drawn
from ul_engine.config import DecoderConfig, EncoderConfig, ModelConfig
from ul_engine.errors import ShapeError
from ul_engine.models.decoder import Decoder
from ul_engine.models.encoder import Encoder
from ul_engine.models.unified import UnifiedLatents
from ul_engine.nn.temporal import DoubleFrames, HalveFrames
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplerName, SamplerSettings

ONE_STEP = SamplerSettings(name=SamplerName.DDIM, num_steps=1)
LEVELS = torch.tensor([-1.0, 2.0])
every_factor = pytest.mark.parametrize("factor", [1, 2, 4])


@pytest.fixture(scope="module")
def pipelines() -> dict[int, Pipeline]:
    return {factor: Pipeline(tiny_model(clip_config(factor)), torch.device("cpu")) for factor in (1, 2, 4)}


@every_factor
@pytest.mark.parametrize("num_frames", range(1, 10))
def test_clips_of_any_length_come_back_at_their_length(
    pipelines: dict[int, Pipeline], factor: int, num_frames: int
) -> None:
    pipeline = pipelines[factor]
    x = drawn(2, 3, num_frames, 16, 24).clamp(-1, 1)
    z = pipeline.encode(x)
    assert z.shape[1:] == pipeline.config.latent_shape(16, 24, num_frames)
    assert z.shape[2] == -(-num_frames // factor)
    decoded = pipeline.decode(z, [1, 2], ONE_STEP, num_frames=num_frames)
    assert decoded.shape == x.shape


@pytest.mark.parametrize("factor", [2, 4])
def test_a_short_clip_is_encoded_as_if_its_last_frame_went_on(pipelines: dict[int, Pipeline], factor: int) -> None:
    pipeline = pipelines[factor]
    x = drawn(1, 3, 5, 16, 16)
    longer = torch.cat((x, x[:, :, 4:].expand(-1, -1, 3, -1, -1)), dim=2)
    frames = -(-5 // factor)
    torch.testing.assert_close(pipeline.encode(x), pipeline.encode(longer[:, :, : frames * factor]))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (9, 21), (3, 40)])
def test_sides_and_length_are_padded_together(pipelines: dict[int, Pipeline], height: int, width: int) -> None:
    pipeline = pipelines[4]
    x = drawn(2, 3, 6, height, width).clamp(-1, 1)
    z = pipeline.encode(x)
    assert z.shape[1:] == pipeline.config.latent_shape(height, width, 6)
    assert pipeline.decode(z, [1, 2], ONE_STEP, crop_to=(height, width), num_frames=6).shape == x.shape
    assert pipeline.bitrate(z, [1, 2], num_times=2).cell_nats.shape == (2, *z.shape[2:])
    assert pipeline.bitrate(z, [1, 2], num_times=2, restorer="base").cell_nats.shape == (2, *z.shape[2:])


@pytest.mark.parametrize(("factor", "num_frames"), [(2, 1), (2, 3), (4, 6), (4, 2)])
def test_frames_that_do_not_divide_are_refused(factor: int, num_frames: int) -> None:
    """Folded into the batch, an odd frame would be paired with the first frame of the next clip."""
    with pytest.raises(ShapeError, match="do not divide"):
        Encoder(clip_config(factor))(drawn(2, 3, num_frames, 16, 16))


@pytest.mark.parametrize(("factor", "num_frames", "latent_frames"), [(1, 2, 1), (2, 2, 2), (2, 3, 1), (4, 4, 2)])
def test_latents_of_another_length_are_refused(factor: int, num_frames: int, latent_frames: int) -> None:
    decoder = Decoder(clip_config(factor))
    with pytest.raises(ShapeError, match="do not give"):
        decoder(drawn(2, 3, num_frames, 16, 16), LEVELS, drawn(2, 4, latent_frames, 2, 2))


# ---- where time is halved -----------------------------------------------------------------------------------------


def five_stages(factor: int) -> ModelConfig:
    return clip_config(
        factor,
        image_px=32,
        encoder=EncoderConfig(channels=(8, 8, 8, 16), blocks_per_stage=1, blocks_last_stage=1),
        decoder=DecoderConfig(channels=(8, 8, 8), blocks_per_stage=1, width=32, num_blocks=1, head_channels=16),
    )


@pytest.mark.parametrize(("factor", "wanted"), [(1, []), (2, [(8, 8)]), (4, [(8, 16), (4, 8)])])
def test_the_last_halvings_of_the_picture_halve_time(factor: int, wanted: list[tuple[int, int]]) -> None:
    """(frames, height) of what is halved, of 64-pixel clips whose stages are 32, 16 and 8 high: late, where frames are
    small."""
    config = five_stages(factor)
    seen: list[tuple[int, int]] = []
    encoder, decoder = Encoder(config), Decoder(config)
    for network in (encoder, decoder):
        for module in network.modules():
            if isinstance(module, HalveFrames):
                module.register_forward_pre_hook(lambda _, given: seen.append((len(given[0]) // 2, given[0].shape[2])))
    x = drawn(2, 3, 8, 64, 64)
    z = encoder(x)
    assert z.shape == (2, 4, 8 // factor, 4, 4)
    assert decoder(x, LEVELS, z).shape == x.shape
    assert seen == [*wanted, *wanted]
    assert sum(isinstance(module, DoubleFrames) for module in decoder.modules()) == len(wanted)


def test_too_few_halvings_of_the_picture_are_refused() -> None:
    data = clip_config(2).model_dump() | {"encoder": {"channels": (16, 24)}, "decoder": {"channels": (16,)}}
    data["decoder"] |= {"width": 32, "head_channels": 16}
    assert ModelConfig.model_validate(data).temporal_downsampling == 2
    data["video"]["temporal_downsampling"] = 4
    with pytest.raises(ValueError, match="as many halvings"):
        ModelConfig.model_validate(data)


# ---- every parameter ----------------------------------------------------------------------------------------------


@every_factor
def test_every_parameter_of_a_model_of_clips_takes_part(factor: int) -> None:
    model = UnifiedLatents(clip_config(factor))
    randomised(model)
    x = drawn(2, 3, 8, 16, 16)
    z = model.encoder(x)
    total = model.prior(z, LEVELS).square().sum() + model.base(z, LEVELS).square().sum()
    (total + model.decoder(x, LEVELS, z).square().sum()).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or float(p.grad.abs().max()) == 0]
    assert silent == []


def test_a_model_of_pictures_has_nothing_along_time() -> None:
    names = [name for name, _ in UnifiedLatents(tiny_config()).named_parameters()]
    assert not [name for name in names if "temporal" in name or "time_" in name or "frame_mark" in name]
