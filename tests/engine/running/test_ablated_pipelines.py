"""Pipelines of ablated models: what the decoder, the restorers and the bitrate make of them."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.helpers.ideal import Gaussian
from tests.helpers.tiny import class_conditioning, simple_pictures, tiny_config, tiny_model
from tests.helpers.tiny_clips import drawn
from ul_engine.config import EncoderConfig, LatentConfig, ModelConfig, PriorConfig
from ul_engine.data.pixels import pictures_from_array
from ul_engine.diffusion.losses import learned_variance_nats, normal_kl_nats
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.errors import Cancelled, CheckpointError
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import regress_with_decoder
from ul_engine.pipelines import Phase, Pipeline
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings

CPU = torch.device("cpu")
LEARNED = EncoderConfig(channels=(16, 24), blocks_per_stage=1, blocks_last_stage=1, variance="learned")
NORMAL = PriorConfig(kind="normal", width=32, num_blocks=2, head_channels=16)
SAMPLER = SamplerSettings(name=SamplerName.DPMPP_2M_SDE, num_steps=4)


def pipeline_of(**changes: Any) -> Pipeline:
    return Pipeline(tiny_model(tiny_config(**changes)), CPU)


def untrained(config: ModelConfig) -> Pipeline:
    """Networks that predict v = 0: the ideal denoisers of unit Gaussian data."""
    torch.manual_seed(0)
    return Pipeline(UnifiedLatents(config).eval().requires_grad_(False), CPU)


def pictures() -> Tensor:
    return pictures_from_array(simple_pictures(3))


# ---- the squared error --------------------------------------------------------------------------------------------


def test_a_decoder_of_the_squared_error_answers_at_once() -> None:
    pipeline = pipeline_of(decoder_loss={"kind": "mse"})
    z_0 = drawn(3, 4, 1, 4, 5)
    calls: list[Tensor] = []
    heard: list[tuple[Phase, SamplerStep]] = []
    hook = pipeline.model.decoder.register_forward_pre_hook(lambda _, given: calls.append(given[0]))
    found = pipeline.decode(z_0, [1, 2, 3], SAMPLER, lambda phase, step: heard.append((phase, step)), crop_to=(15, 18))
    hook.remove()
    assert len(calls) == 1
    assert not calls[0].any()
    assert [(phase, step.index, step.num_steps) for phase, step in heard] == [("decoder", 1, 1)]
    like = torch.empty(3, 3, 1, 16, 20)
    wanted = regress_with_decoder(
        pipeline.model.decoder, z_0, like, config=pipeline.config, latent_std=pipeline.model.latent_std
    )
    torch.testing.assert_close(found, wanted[..., :15, :18].clamp(-1, 1))
    assert torch.equal(
        pipeline.decode(z_0, [7, 8, 9], SAMPLER.model_copy(update={"num_steps": 9})), wanted.clamp(-1, 1)
    )


def test_its_glimpse_is_the_same_evaluation() -> None:
    """It was trained on empty pictures alone and must not be shown noise."""
    pipeline = pipeline_of(decoder_loss={"kind": "mse"})
    z_hat = drawn(2, 4, 1, 4, 4)
    native = pipeline.native_latent(z_hat, [1, 2])
    assert torch.equal(pipeline.glimpse(z_hat, [1, 2]), pipeline.decode(native, [1, 2], SAMPLER))


def test_it_can_be_stopped() -> None:
    def refuse(phase: Phase, step: SamplerStep) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        pipeline_of(decoder_loss={"kind": "mse"}).decode(drawn(1, 4, 1, 4, 4), [1], SAMPLER, refuse)


# ---- bits ---------------------------------------------------------------------------------------------------------


def test_prior_and_base_model_that_are_one_denoiser_count_the_same_bits() -> None:
    """And the ideal one counts the closed form."""
    pipeline = untrained(tiny_config())
    z = drawn(2, 4, 1, 24, 24)
    first, second = (pipeline.bitrate(z, [1, 2], num_times=16, restorer=name) for name in ("prior", "base"))
    torch.testing.assert_close(first.nats, second.nats)
    torch.testing.assert_close(first.cell_nats, second.cell_nats)
    torch.testing.assert_close(first.band_nats, second.band_nats)
    data = Gaussian(0.0, 1.0)
    wanted = data.nats(-10.0, 5.0) + data.terminal_nats(-10.0)
    assert float(second.nats.mean()) / z[0].numel() == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("restorer", ["prior", "base"])
def test_cells_and_bands_add_up(restorer: Any) -> None:
    pipeline = pipeline_of(conditioning=class_conditioning(2))
    z = pipeline.encode(pictures())
    bits = pipeline.bitrate(z, [1, 2, 3], num_times=6, restorer=restorer)
    torch.testing.assert_close(bits.cell_nats.flatten(1).sum(1), bits.nats)
    torch.testing.assert_close(bits.band_nats.sum(1) + bits.terminal_nats, bits.nats)
    again = pipeline.bitrate(z, [1, 2, 3], num_times=6, restorer=restorer)
    assert torch.equal(again.nats, bits.nats)


def test_the_base_models_bits_are_counted_under_a_condition_or_the_null_one() -> None:
    pipeline = pipeline_of(conditioning=class_conditioning(2))
    z = pipeline.encode(pictures())

    def nats(condition: Condition | None) -> Tensor:
        return pipeline.bitrate(z, [1, 2, 3], num_times=4, restorer="base", condition=condition).nats

    null, of_class = pipeline.model.condition_from_class(2, 3), pipeline.model.condition_from_class(0, 3)
    torch.testing.assert_close(nats(None), nats(null))
    assert not torch.allclose(nats(None), nats(of_class))
    assert not torch.allclose(nats(None), pipeline.bitrate(z, [1, 2, 3], num_times=4).nats)


def test_every_evaluation_is_announced() -> None:
    calls: list[None] = []
    pipeline = pipeline_of()
    for restorer in ("prior", "base"):
        pipeline.bitrate(drawn(1, 4, 1, 4, 4), [1], num_times=5, restorer=restorer, observe=lambda: calls.append(None))
    assert len(calls) == 10


@pytest.mark.parametrize("prior", [None, NORMAL])
def test_a_learned_variance_comes_off_the_bits(prior: PriorConfig | None) -> None:
    pipeline = pipeline_of(encoder=LEARNED, **({} if prior is None else {"prior": prior}))
    z, log_variance = pipeline.encode_sampled(pictures(), [1, 2, 3])
    assert log_variance is not None
    whole = pipeline.bitrate(z, [1, 2, 3], num_times=4)
    less = pipeline.bitrate(z, [1, 2, 3], num_times=4, log_variance=log_variance)
    taken_off = learned_variance_nats(log_variance, 5.0)
    assert (taken_off < -1).all()
    torch.testing.assert_close(less.nats, whole.nats + taken_off, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(less.cell_nats.flatten(1).sum(1), less.nats, rtol=1e-4, atol=1e-2)
    none = pipeline.bitrate(z, [1, 2, 3], num_times=4, log_variance=torch.full_like(log_variance, -80.0))
    torch.testing.assert_close(none.nats, whole.nats)


# ---- a learned variance -------------------------------------------------------------------------------------------


def test_latents_are_drawn_by_their_seeds() -> None:
    pipeline = pipeline_of(encoder=LEARNED)
    x = pictures()
    mean, log_variance = pipeline.encode_distribution(x)
    assert log_variance is not None
    assert torch.equal(pipeline.encode(x), mean)
    z, same = pipeline.encode_sampled(x, [1, 2, 3])
    assert torch.equal(same, log_variance)
    eps = (z - mean) / (0.5 * log_variance).exp()
    assert float(eps.std()) == pytest.approx(1.0, abs=0.2)
    assert torch.equal(pipeline.encode_sampled(x, [1, 2, 3])[0], z)
    alone, _ = pipeline.encode_sampled(x[1:2], [2])
    torch.testing.assert_close(alone, z[1:2], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(pipeline.encode_sampled(x, [4, 5, 6])[0], z)


def test_a_deterministic_encoder_draws_nothing() -> None:
    pipeline = pipeline_of()
    z, log_variance = pipeline.encode_sampled(pictures(), [1, 2, 3])
    assert log_variance is None
    assert torch.equal(z, pipeline.encode(pictures()))


# ---- no prior, or another -----------------------------------------------------------------------------------------


def test_a_normal_prior_counts_its_divergence_and_brings_nothing_back() -> None:
    pipeline = pipeline_of(prior=NORMAL)
    assert pipeline.native_restorer == "prior"
    z = pipeline.encode(pictures())
    bits = pipeline.bitrate(z, [1, 2, 3], num_times=4)
    torch.testing.assert_close(bits.nats, normal_kl_nats(z, 5.0))
    torch.testing.assert_close(bits.cell_nats.flatten(1).sum(1), bits.nats)
    assert not torch.allclose(pipeline.bitrate(z, [1, 2, 3], num_times=4, restorer="base").nats, bits.nats)
    with pytest.raises(CheckpointError, match="base model instead"):
        pipeline.bring_back(z, 0.0, [1, 2, 3], SAMPLER)
    assert pipeline.bring_back(z, 0.0, [1, 2, 3], SAMPLER, restorer="base").shape == z.shape


@pytest.mark.parametrize("training", ["single-elbo", "single-weighted"])
def test_in_single_stage_training_the_base_model_is_the_restorer(training: str) -> None:
    pipeline = pipeline_of(training=training)
    assert pipeline.native_restorer == "base"
    z = pipeline.encode(pictures())
    with pytest.raises(CheckpointError, match="no prior"):
        pipeline.bitrate(z, [1, 2, 3], num_times=2)
    assert pipeline.bitrate(z, [1, 2, 3], num_times=2, restorer="base").nats.shape == (3,)
    z_0 = pipeline.bring_back(z, 0.0, [1, 2, 3], SAMPLER, restorer=pipeline.native_restorer)
    levels: list[Tensor] = []
    hook = pipeline.model.decoder.register_forward_pre_hook(lambda _, given: levels.append(given[3]))
    assert pipeline.decode(z_0, [1, 2, 3], SAMPLER).shape == pictures().shape
    hook.remove()
    assert all(level.tolist() == [5.0] * 3 for level in levels)


def test_another_native_level_is_where_all_loops_end() -> None:
    config = tiny_config(latent=LatentConfig(channels=4, logsnr_max=10.0))
    pipeline = untrained(config)
    z = torch.full((32, 4, 1, 8, 8), 0.5)
    native, plain = pipeline.native_latent(z, range(32)), untrained(tiny_config()).native_latent(z, range(32))
    assert float(native.std()) == pytest.approx(math.sqrt(1 / (1 + math.exp(10))), rel=0.02)
    assert float(plain.std()) == pytest.approx(math.sqrt(1 / (1 + math.exp(5))), rel=0.02)
    seen: list[float] = []
    guidance = GuidanceSettings(weight=1.0)
    many = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=30)
    z_0 = pipeline.sample_latents(range(32), (1, 8, 8), None, many, guidance, lambda _, step: seen.append(step.logsnr))
    assert seen[0] == -10.0
    assert 9.0 < seen[-1] < 10.0
    assert float(z_0.var()) == pytest.approx(1.0, abs=0.1)
    seen.clear()
    pipeline.bring_back(z[:1], 8.0, [1], many, lambda _, step: seen.append(step.logsnr))
    assert seen[0] == 8.0  # a level that a model at 5 would return as it is


def test_bits_are_counted_up_to_the_native_level() -> None:
    """More times than at 5: the schedule runs from 10 to 5 within a twentieth of its time."""
    pipeline = untrained(tiny_config(latent=LatentConfig(channels=4, logsnr_max=10.0)))
    unit = drawn(1, 4, 1, 16, 16)
    data = Gaussian(0.0, 1.0)
    bits = pipeline.bitrate(unit, [1], num_times=150)
    wanted = data.nats(-10.0, 10.0) + data.terminal_nats(-10.0)
    assert float(bits.nats.mean()) / unit[0].numel() == pytest.approx(wanted, rel=0.04)
    assert float(bits.band_edges[-1]) == 10.0
