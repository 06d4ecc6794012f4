"""The paper's ablations in the losses: priors without a gradient or without a network, a learned variance, the squared
error, single-stage training, another native level."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from tests.helpers.tiny import class_conditioning, randomised, tiny_config
from tests.helpers.tiny_clips import drawn
from ul_engine.config import EncoderConfig, LatentConfig, ModelConfig, PriorConfig
from ul_engine.diffusion.losses import learned_variance_nats, prior_diffusion_nats, terminal_kl_nats
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.weightings import truncated_logistic_quantile, truncated_logistic_survival
from ul_engine.models.conditioning import Condition
from ul_engine.models.encoder import INITIAL_LOG_VARIANCE
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import (
    Stage1Noise,
    Stage1Terms,
    draw_stage1_noise,
    estimate_with_base,
    estimate_with_decoder,
    estimate_with_prior,
    latent_schedule_of,
    picture_schedule_of,
    regress_with_decoder,
    stage1_terms,
)

SHAPE = (6, 4, 1, 4, 4)
X = torch.rand(6, 3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
STD = torch.tensor(0.8)
NATIVE = 1 / (1 + math.exp(-5.0))
PLAIN = tiny_config()
LEARNED = {"encoder": EncoderConfig(channels=(16, 24), blocks_per_stage=1, blocks_last_stage=1, variance="learned")}


def prior_of(kind: str, **changes: Any) -> dict[str, PriorConfig]:
    return {"prior": PriorConfig(kind=kind, width=32, num_blocks=2, head_channels=16, **changes)}


def model_of(config: ModelConfig, *, is_fresh: bool = False) -> UnifiedLatents:
    torch.manual_seed(3)
    model = UnifiedLatents(config)
    return (model if is_fresh else randomised(model)).eval()


def terms_of(model: UnifiedLatents, noise: Stage1Noise | None = None, **options: Any) -> Stage1Terms:
    config = model.config
    of_latent = model.prior if config.training == "two-stage" else model.base
    noise = noise or noise_of(config)
    networks = model.encoder, of_latent, model.decoder
    return stage1_terms(networks, X, noise, config=config, latent_std=STD, **options)


def noise_of(config: ModelConfig, seed: int = 1) -> Stage1Noise:
    return draw_stage1_noise(X, SHAPE, torch.Generator().manual_seed(seed), config=config)


def gradients(model: UnifiedLatents, of: Tensor, part: str) -> dict[str, float]:
    """Largest gradient of each parameter of one network; nothing where there is none."""
    model.zero_grad()
    of.sum().backward(retain_graph=True)
    named = getattr(model, part).named_parameters()
    return {name: float(p.grad.abs().max()) for name, p in named if p.grad is not None and p.grad.abs().max() > 0}


def test_noise_of_an_ablation_is_drawn_last() -> None:
    plain = noise_of(PLAIN)
    assert plain.eps_variance is None
    assert plain.u_level is None
    for config in (tiny_config(**LEARNED), tiny_config(training="single-weighted")):
        other = noise_of(config)
        for name in ("t_z", "eps_prior", "eps_z", "t_x", "eps_x"):
            assert torch.equal(getattr(other, name), getattr(plain, name))
    assert noise_of(tiny_config(**LEARNED)).eps_variance is not None
    u = noise_of(tiny_config(training="single-weighted")).u_level
    assert u is not None
    assert sorted((u * 6).floor().tolist()) == [0, 1, 2, 3, 4, 5]


def test_the_method_pays_for_nothing_beside_its_two_terms() -> None:
    terms = terms_of(model_of(PLAIN))
    assert terms.regulariser_nats.tolist() == [0.0] * 6
    torch.testing.assert_close(terms.loss_nats, terms.prior_nats + terms.decoder_nats)


# ---- a prior that sends no gradient -------------------------------------------------------------------------------


def test_a_detached_prior_sends_nothing_into_the_encoder() -> None:
    model = model_of(tiny_config(**prior_of("detached")))
    terms = terms_of(model)
    assert gradients(model, terms.prior_nats, "encoder") == {}
    assert gradients(model, terms.prior_nats, "prior")
    assert gradients(model, terms.decoder_nats, "encoder")
    assert gradients(model, terms.regulariser_nats, "encoder")
    assert gradients(model, terms.regulariser_nats, "prior") == {}


@pytest.mark.parametrize("weight", [0.0, 1e-4, 0.5])
def test_a_weak_divergence_to_the_normal_holds_it_instead(weight: float) -> None:
    plain = terms_of(model_of(PLAIN))
    terms = terms_of(model_of(tiny_config(**prior_of("detached", normal_kl_weight=weight))))
    z = terms.z_clean.double()
    divergence = kl_divergence(Normal(math.sqrt(NATIVE) * z, math.sqrt(1 - NATIVE)), Normal(0.0, 1.0))
    torch.testing.assert_close(
        terms.regulariser_nats.double(), weight * divergence.flatten(1).sum(1), rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(terms.prior_nats, plain.prior_nats)  # the prior itself learns as ever
    torch.testing.assert_close(terms.loss_nats, terms.prior_nats + terms.decoder_nats + terms.regulariser_nats)


def test_nor_into_a_learned_variance() -> None:
    """Or the encoder would be paid for its variance (eq. 5) without being charged for it."""
    model = model_of(tiny_config(**prior_of("detached"), **LEARNED))
    terms = terms_of(model)
    assert gradients(model, terms.prior_nats, "encoder") == {}
    assert "project_variance.weight" in gradients(model, terms.decoder_nats, "encoder")


# ---- a normal prior -----------------------------------------------------------------------------------------------


def test_a_normal_prior_has_no_network_and_costs_the_divergence() -> None:
    model = model_of(tiny_config(**prior_of("normal")))
    assert model.prior is None
    plain = model_of(PLAIN)
    for part in ("encoder", "decoder"):
        getattr(model, part).load_state_dict(getattr(plain, part).state_dict())
    terms = terms_of(model)
    z = terms.z_clean.double()
    divergence = kl_divergence(Normal(math.sqrt(NATIVE) * z, math.sqrt(1 - NATIVE)), Normal(0.0, 1.0))
    torch.testing.assert_close(terms.prior_nats.double(), divergence.flatten(1).sum(1), rtol=1e-5, atol=1e-5)
    assert terms.terminal_nats.tolist() == [0.0] * 6
    torch.testing.assert_close(terms.decoder_nats, terms_of(plain).decoder_nats)


@pytest.mark.parametrize("factor", [0.0, 0.25])
def test_the_ramp_holds_for_a_normal_prior_too(factor: float) -> None:
    model = model_of(tiny_config(**prior_of("normal")))
    whole = gradients(model, terms_of(model).prior_nats, "encoder")
    ramped_terms = terms_of(model, prior_gradient=factor)
    if factor == 0.0:
        assert not ramped_terms.prior_nats.requires_grad
        return
    ramped = gradients(model, ramped_terms.prior_nats, "encoder")
    assert ramped == {name: pytest.approx(factor * value, rel=1e-3) for name, value in whole.items()}


# ---- a learned variance -------------------------------------------------------------------------------------------


def with_log_variance(value: float, **changes: Any) -> UnifiedLatents:
    """All else equal to the model without a variance."""
    model = model_of(tiny_config(**LEARNED, **changes))
    plain = model_of(tiny_config(**changes))
    missing, unexpected = model.load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    assert set(missing) == {"encoder.project_variance.weight", "encoder.project_variance.bias"}
    with torch.no_grad():
        model.encoder.project_variance.weight.zero_()
        model.encoder.project_variance.bias.fill_(value)
    return model


@pytest.mark.parametrize("kind", ["diffusion", "normal"])
def test_without_any_variance_it_is_the_method(kind: str) -> None:
    changes = prior_of(kind)
    plain, none = terms_of(model_of(tiny_config(**changes))), terms_of(with_log_variance(-60.0, **changes))
    torch.testing.assert_close(none.prior_nats, plain.prior_nats)
    torch.testing.assert_close(none.decoder_nats, plain.decoder_nats)
    torch.testing.assert_close(none.z_clean, plain.z_clean)


def test_latents_are_drawn_and_eq_5_is_taken_off() -> None:
    model = with_log_variance(-2.0)
    noise = noise_of(model.config)
    terms = terms_of(model, noise)
    mean, log_variance = model.encoder.distribution(X)
    torch.testing.assert_close(log_variance, torch.full(SHAPE, -2.0))
    torch.testing.assert_close(terms.z_clean, mean + math.exp(-1.0) * noise.eps_variance)
    z = terms.z_clean
    z_t = add_noise(z, noise.eps_prior, terms.logsnr_z)
    schedule = latent_schedule_of(model.config)
    z_hat = estimate_with_prior(model.prior, z_t, terms.logsnr_z, STD)
    wanted = prior_diffusion_nats(z, z_hat, noise.t_z, schedule) + terminal_kl_nats(z, -10.0)
    taken_off = learned_variance_nats(log_variance, 5.0)
    assert (taken_off < -10).all()
    torch.testing.assert_close(terms.prior_nats, wanted + taken_off, rtol=1e-4, atol=1e-3)


def test_the_variance_begins_small_and_learns_from_both_terms() -> None:
    model = model_of(tiny_config(**LEARNED), is_fresh=True)
    _, log_variance = model.encoder.distribution(X)
    assert log_variance is not None
    assert set(log_variance.detach().flatten().tolist()) == {INITIAL_LOG_VARIANCE}
    model = model_of(tiny_config(**LEARNED))
    terms = terms_of(model)
    for part in (terms.prior_nats, terms.decoder_nats):
        assert "project_variance.weight" in gradients(model, part, "encoder")
    ramped = terms_of(model, prior_gradient=0.0)
    assert gradients(model, ramped.prior_nats, "encoder") == {}


# ---- the squared error --------------------------------------------------------------------------------------------


def squared(**changes: Any) -> ModelConfig:
    return tiny_config(decoder_loss={"kind": "mse", **changes})


@pytest.mark.parametrize("nats", [50.0, 3.0])
def test_the_squared_error_of_one_evaluation_on_an_empty_picture(nats: float) -> None:
    model = model_of(squared(mse_nats=nats))
    noise = noise_of(model.config)
    seen: list[tuple[Tensor, ...]] = []
    model.decoder.register_forward_pre_hook(lambda _, given: seen.append(given))
    terms = terms_of(model, noise)
    ((x_t, logsnr, z_0, level),) = seen
    assert not x_t.any()
    lowest = picture_schedule_of(model.config).logsnr_min
    assert logsnr.tolist() == pytest.approx([lowest] * 6)
    assert level.tolist() == [5.0] * 6
    sigma = math.sqrt(1 / (1 + math.exp(lowest)))
    x_hat = -sigma * model.decoder(x_t, logsnr, z_0, level)
    torch.testing.assert_close(terms.decoder_nats, nats * (X - x_hat).square().flatten(1).sum(1), rtol=1e-4, atol=1e-3)
    native = add_noise(terms.z_clean, noise.eps_z, torch.tensor(5.0))
    torch.testing.assert_close(
        regress_with_decoder(model.decoder, native, X, config=model.config, latent_std=STD), x_hat
    )


def test_it_knows_no_noise_of_the_picture_and_no_loss_factor() -> None:
    model = model_of(squared())
    noise = noise_of(model.config)
    plain = terms_of(model, noise).decoder_nats
    other = replace(noise, t_x=noise.t_x.flip(0), eps_x=noise.eps_x.flip(0))
    assert torch.equal(terms_of(model, other).decoder_nats, plain)
    assert torch.equal(terms_of(model, noise, loss_factor=7.0).decoder_nats, plain)
    moved = replace(noise, eps_z=noise.eps_z.flip(0))
    assert not torch.allclose(terms_of(model, moved).decoder_nats, plain)
    assert gradients(model, terms_of(model, noise).decoder_nats, "encoder")


# ---- single-stage training ----------------------------------------------------------------------------------------


def test_the_bound_of_single_stage_training_is_stage_1s_with_the_base_model_as_prior() -> None:
    config = tiny_config(training="single-elbo", conditioning=class_conditioning(2))
    assert not config.has_prior_network
    model = model_of(config)
    assert model.prior is None
    condition = Condition(torch.tensor([[0], [1], [2], [0], [1], [2]]))
    noise = noise_of(config)
    terms = terms_of(model, noise, condition=condition)
    z = model.encoder(X)
    z_t = add_noise(z, noise.eps_prior, terms.logsnr_z)
    z_hat = estimate_with_base(model.base, z_t, terms.logsnr_z, STD, condition)
    diffusion = prior_diffusion_nats(z, z_hat, noise.t_z, latent_schedule_of(config))
    torch.testing.assert_close(terms.prior_nats, diffusion + terminal_kl_nats(z, -10.0))
    torch.testing.assert_close(terms.terminal_nats, terminal_kl_nats(z, -10.0))
    other = terms_of(model, noise, condition=Condition(condition.indices.flip(0))).prior_nats
    assert not torch.allclose(other, terms.prior_nats)
    for part in ("encoder", "base"):
        assert gradients(model, terms.prior_nats, part)


def test_single_stage_begins_as_stage_1_does() -> None:
    """Fresh, prior and base model are the same denoiser; and the decoder's term is not touched at all."""
    plain, single = (model_of(config, is_fresh=True) for config in (PLAIN, tiny_config(training="single-elbo")))
    for part in ("encoder", "decoder"):
        getattr(single, part).load_state_dict(getattr(plain, part).state_dict())
    first, second = terms_of(plain), terms_of(single)
    for name in ("prior_nats", "terminal_nats", "decoder_nats", "loss_nats", "z_clean"):
        torch.testing.assert_close(getattr(first, name), getattr(second, name))


def weighted_model(**changes: Any) -> UnifiedLatents:
    return model_of(tiny_config(training="single-weighted", base_sigmoid_bias=1.0, **changes))


def test_the_weighted_bound_is_the_bound_under_the_survival() -> None:
    model = weighted_model()
    noise = noise_of(model.config)
    weighted = terms_of(model, noise)
    plain_config = tiny_config(training="single-elbo", base_sigmoid_bias=1.0)
    plain = UnifiedLatents(plain_config).eval()
    missing, unexpected = plain.load_state_dict(model.state_dict(), strict=False)
    assert missing == []
    assert all("latent_level" in name for name in unexpected)
    unweighted = terms_of(plain, noise)
    bias = 1.0 - 2 * math.log(0.8)
    survival = truncated_logistic_survival(weighted.logsnr_z, bias, -10.0, 5.0)
    assert 0.0 < float(survival.min()) < 0.2
    wanted = survival * (unweighted.prior_nats - unweighted.terminal_nats) + unweighted.terminal_nats
    torch.testing.assert_close(weighted.prior_nats, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["diffusion", "mse"])
def test_its_decoder_sees_latents_of_the_drawn_level_and_is_told_it(kind: str) -> None:
    model = weighted_model(decoder_loss={"kind": kind})
    noise = noise_of(model.config)
    seen: list[tuple[Tensor, ...]] = []
    hook = model.decoder.register_forward_pre_hook(lambda _, given: seen.append(given))
    terms = terms_of(model, noise)
    hook.remove()
    ((_, _, z_0, level),) = seen
    assert noise.u_level is not None
    wanted = truncated_logistic_quantile(noise.u_level, 1.0 - 2 * math.log(0.8), -10.0, 5.0)
    torch.testing.assert_close(level, wanted)
    assert float(level.max() - level.min()) > 1.0
    alpha, sigma = torch.sigmoid(level).sqrt().view(-1, 1, 1, 1, 1), torch.sigmoid(-level).sqrt().view(-1, 1, 1, 1, 1)
    unit = (alpha**2 * 0.64 + sigma**2).rsqrt()
    torch.testing.assert_close(z_0, unit * (alpha * terms.z_clean + sigma * noise.eps_z))


def test_the_level_changes_what_it_answers() -> None:
    model = weighted_model().requires_grad_(False)
    x_t, z_0, logsnr = drawn(2, 3, 1, 16, 16), drawn(2, 4, 1, 4, 4, seed=1), torch.tensor([0.0, 1.0])
    options = {"config": model.config, "latent_std": STD}
    low, high = (
        estimate_with_decoder(model.decoder, x_t, logsnr, z_0, latent_logsnr=torch.full((2,), level), **options)
        for level in (-2.0, 5.0)
    )
    assert not torch.allclose(low, high, atol=1e-3)
    torch.testing.assert_close(estimate_with_decoder(model.decoder, x_t, logsnr, z_0, **options), high)


@pytest.mark.parametrize("training", ["single-elbo", "single-weighted"])
def test_all_networks_of_single_stage_training_learn(training: str) -> None:
    model = model_of(tiny_config(training=training))
    loss = terms_of(model).loss_nats
    for part in ("encoder", "base", "decoder"):
        network = getattr(model, part)
        assert len(gradients(model, loss, part)) == len(list(network.parameters()))


# ---- another native level -----------------------------------------------------------------------------------------


def test_the_native_level_is_one_number_for_encoder_prior_and_decoder() -> None:
    config = tiny_config(latent=LatentConfig(channels=4, logsnr_max=10.0))
    model = model_of(config)
    noise = replace(noise_of(config), t_z=torch.zeros(6))
    seen: dict[str, tuple[Tensor, ...]] = {}
    for part in ("prior", "decoder"):
        getattr(model, part).register_forward_pre_hook(lambda _, given, part=part: seen.update({part: given}))
    terms = terms_of(model, noise)
    native = 1 / (1 + math.exp(-10.0))
    unit = (native * 0.64 + 1 - native) ** -0.5
    assert seen["prior"][1].tolist() == pytest.approx([10.0] * 6, abs=1e-4)
    assert seen["decoder"][3].tolist() == [10.0] * 6
    for given, eps in ((seen["prior"][0], noise.eps_prior), (seen["decoder"][2], noise.eps_z)):
        wanted = unit * (math.sqrt(native) * terms.z_clean + math.sqrt(1 - native) * eps)
        torch.testing.assert_close(given, wanted, rtol=1e-4, atol=1e-4)
    assert model.base.native_logsnr == 10.0
