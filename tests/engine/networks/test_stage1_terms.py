"""The joint loss of Stage 1: what is noised, what each network sees, and where gradients go."""

import math

import pytest
import torch
from torch import Tensor, nn

from tests.helpers.tiny import randomised, tiny_config
from ul_engine.config import DecoderLossConfig, LatentConfig, ModelConfig
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import (
    Stage1Noise,
    Stage1Terms,
    draw_stage1_noise,
    latent_schedule_of,
    picture_schedule_of,
    scale_gradient,
    stage1_terms,
)

CONFIG = tiny_config()
SHAPE = (6, 4, 1, 4, 4)
X = torch.rand(6, 3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
STD = torch.tensor(0.8)


def networks_of(model: UnifiedLatents):
    return model.encoder, model.prior, model.decoder


def fresh(config: ModelConfig = CONFIG) -> UnifiedLatents:
    torch.manual_seed(3)
    return UnifiedLatents(config, networks=frozenset(("encoder", "prior", "decoder")))


def noise(seed: int = 1) -> Stage1Noise:
    return draw_stage1_noise(X, SHAPE, torch.Generator().manual_seed(seed))


def spread(per_sample: Tensor) -> Tensor:
    return per_sample.view(-1, 1, 1, 1, 1)


class Watch:
    """What a real network was given."""

    def __init__(self, network: nn.Module) -> None:
        self.inputs: list[tuple[Tensor, ...]] = []
        network.register_forward_pre_hook(lambda module, inputs: self.inputs.append(inputs))


@pytest.mark.parametrize("logsnr_min", [-10.0, -2.0])
def test_first_losses_are_known_in_closed_form(logsnr_min: float) -> None:
    """Fresh networks predict v = 0, so the estimates are `alpha x_t`, and both terms can be written down by hand.

    At -2 the terminal KL is no trifle.
    """
    config = tiny_config(latent=LatentConfig(channels=4, logsnr_min=logsnr_min))
    model, drawn = fresh(config), noise()
    with torch.no_grad():
        terms = stage1_terms(networks_of(model), X, drawn, config=config, latent_std=STD)
        z = networks_of(model)[0](X).double()
    schedule = latent_schedule_of(config)
    t = drawn.t_z.double()
    logsnr = schedule.logsnr(t)
    alpha, sigma = spread(torch.sigmoid(logsnr).sqrt()), spread(torch.sigmoid(-logsnr).sqrt())
    error = z - alpha * (alpha * z + sigma * drawn.eps_prior)
    diffusion = -schedule.dlogsnr_dt(t) * logsnr.exp() / 2 * error.square().flatten(1).sum(1)
    a = 1 / (1 + math.exp(-logsnr_min))
    terminal = (0.5 * (a * z.square() + (1 - a) - 1 - math.log(1 - a))).flatten(1).sum(1)
    torch.testing.assert_close(terms.terminal_nats.double(), terminal, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(terms.prior_nats.double(), diffusion + terminal, rtol=1e-3, atol=1e-4)

    pixel = picture_schedule_of(CONFIG)
    t = drawn.t_x.double()
    logsnr = pixel.logsnr(t)
    alpha, sigma = spread(torch.sigmoid(logsnr).sqrt()), spread(torch.sigmoid(-logsnr).sqrt())
    error = X - alpha * (alpha * X + sigma * drawn.eps_x)
    weight = 1.5 / (1 + (logsnr - (-3 + 2 * math.log(512 / 16))).exp())
    wanted = -pixel.dlogsnr_dt(t) * logsnr.exp() / 2 * weight * error.square().flatten(1).sum(1)
    torch.testing.assert_close(terms.decoder_nats.double(), wanted, rtol=1e-3, atol=1e-4)


def test_prior_sees_noised_z_clean_and_decoder_sees_z_0_at_5() -> None:
    model, drawn = fresh(), noise()
    prior, decoder = Watch(networks_of(model)[1]), Watch(networks_of(model)[2])
    terms = stage1_terms(networks_of(model), X, drawn, config=CONFIG, latent_std=STD)
    z = terms.z_clean
    ((z_t, logsnr_z),) = prior.inputs
    alpha, sigma = spread(torch.sigmoid(logsnr_z).sqrt()), spread(torch.sigmoid(-logsnr_z).sqrt())
    unit = (0.64 * alpha**2 + sigma**2).rsqrt()
    torch.testing.assert_close(z_t, unit * (alpha * z + sigma * drawn.eps_prior))
    assert torch.equal(logsnr_z, latent_schedule_of(CONFIG).logsnr(drawn.t_z))
    ((x_t, logsnr_x, z_0, latent_logsnr),) = decoder.inputs
    assert latent_logsnr.tolist() == [5.0] * len(X)
    alpha, sigma = spread(torch.sigmoid(logsnr_x).sqrt()), spread(torch.sigmoid(-logsnr_x).sqrt())
    unit = (0.25 * alpha**2 + sigma**2).rsqrt()
    torch.testing.assert_close(x_t, unit * (alpha * X + sigma * drawn.eps_x))
    assert torch.equal(logsnr_x, picture_schedule_of(CONFIG).logsnr(drawn.t_x))
    a, s = 1 / (1 + math.exp(-5)), 1 / (1 + math.exp(5))
    wanted = (math.sqrt(a) * z + math.sqrt(s) * drawn.eps_z) / math.sqrt(0.64 * a + s)
    torch.testing.assert_close(z_0, wanted)


def test_noises_and_times_of_the_terms_are_independent() -> None:
    drawn = draw_stage1_noise(torch.zeros(512, 3, 1, 4, 4), (512, 4, 1, 4, 4), torch.Generator().manual_seed(0))
    values = torch.stack((drawn.eps_prior.flatten(), drawn.eps_z.flatten()))
    assert abs(float(torch.corrcoef(values)[0, 1])) < 0.05
    assert abs(float(torch.corrcoef(torch.stack((drawn.t_z, drawn.t_x)))[0, 1])) < 0.15
    assert drawn.eps_x.shape == (512, 3, 1, 4, 4)
    for t in (drawn.t_z, drawn.t_x):
        assert sorted((t * 512).floor().int().tolist()) == list(range(512))
    again = draw_stage1_noise(torch.zeros(512, 3, 1, 4, 4), (512, 4, 1, 4, 4), torch.Generator().manual_seed(0))
    assert torch.equal(again.eps_x, drawn.eps_x)


def test_terms_belong_to_their_samples() -> None:
    """The first picture's terms are the same whatever stands beside it."""
    model, drawn = randomised(fresh()).eval(), noise()
    with torch.no_grad():
        terms = stage1_terms(networks_of(model), X, drawn, config=CONFIG, latent_std=STD)
        other = X.clone()
        other[1:] = other[1:].flip(0)
        changed = stage1_terms(networks_of(model), other, drawn, config=CONFIG, latent_std=STD)
    for name in ("prior_nats", "terminal_nats", "decoder_nats"):
        assert getattr(terms, name).shape == (6,)
        torch.testing.assert_close(getattr(terms, name)[0], getattr(changed, name)[0])
        assert not torch.allclose(getattr(terms, name)[1], getattr(changed, name)[1])


# ---- gradients ----------------------------------------------------------------------------------------------------


def gradients(which: str, prior_gradient: float) -> dict[str, Tensor]:
    model = randomised(fresh()).eval()
    terms: Stage1Terms = stage1_terms(
        networks_of(model), X, noise(), config=CONFIG, latent_std=STD, prior_gradient=prior_gradient
    )
    if getattr(terms, which).requires_grad:
        getattr(terms, which).sum().backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("factor", [0.0, 0.25])
def test_ramp_scales_the_terminal_part_too(factor: float) -> None:
    whole, scaled = gradients("terminal_nats", 1.0), gradients("terminal_nats", factor)
    name = "encoder.project.weight"
    assert float(whole[name].abs().max()) > 0
    torch.testing.assert_close(scaled.get(name, torch.zeros_like(whole[name])), factor * whole[name])


@pytest.mark.parametrize("factor", [0.0, 0.25, 1.0])
def test_ramp_scales_the_priors_gradient_into_the_encoder_and_nothing_else(factor: float) -> None:
    whole, scaled = gradients("prior_nats", 1.0), gradients("prior_nats", factor)
    encoder = [name for name in whole if name.startswith("encoder.")]
    prior = [name for name in whole if name.startswith("prior.")]
    assert encoder
    assert prior
    for name in prior:
        torch.testing.assert_close(scaled[name], whole[name], rtol=1e-3, atol=1e-4)
    for name in encoder:
        got = scaled.get(name, torch.zeros_like(whole[name]))
        torch.testing.assert_close(got, factor * whole[name], rtol=2e-3, atol=1e-3 * float(whole[name].abs().max()))
    assert any(float(whole[name].abs().max()) > 0 for name in encoder)


@pytest.mark.parametrize("factor", [0.0, 0.25])
def test_ramp_leaves_values_and_the_decoders_gradient(factor: float) -> None:
    model = randomised(fresh()).eval()
    with torch.no_grad():
        plain = stage1_terms(networks_of(model), X, noise(), config=CONFIG, latent_std=STD)
        ramped = stage1_terms(networks_of(model), X, noise(), config=CONFIG, latent_std=STD, prior_gradient=factor)
    torch.testing.assert_close(plain.prior_nats, ramped.prior_nats)
    torch.testing.assert_close(plain.decoder_nats, ramped.decoder_nats)
    whole, scaled = gradients("decoder_nats", 1.0), gradients("decoder_nats", factor)
    assert whole.keys() == scaled.keys()
    assert any(name.startswith("encoder.") for name in whole)
    for name, gradient in whole.items():
        torch.testing.assert_close(scaled[name], gradient)


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0])
def test_scaled_gradient(factor: float) -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = scale_gradient(x, factor)
    torch.testing.assert_close(y, x)
    (y.square() + 0 * x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, factor * 2 * x.detach())


# ---- settings -----------------------------------------------------------------------------------------------------


def both_terms(config: ModelConfig, **options: float) -> Stage1Terms:
    model = randomised(fresh(config)).eval()
    with torch.no_grad():
        return stage1_terms(networks_of(model), X, noise(), config=config, latent_std=STD, **options)


def test_loss_factor_scales_the_decoder_term_alone() -> None:
    plain, doubled = both_terms(CONFIG), both_terms(CONFIG, loss_factor=3.0)
    torch.testing.assert_close(doubled.decoder_nats, 2 * plain.decoder_nats)
    assert torch.equal(doubled.prior_nats, plain.prior_nats)
    stated = both_terms(tiny_config(decoder_loss=DecoderLossConfig(loss_factor=3.0)))
    torch.testing.assert_close(stated.decoder_nats, doubled.decoder_nats)


def test_settings_reach_their_term() -> None:
    plain = both_terms(CONFIG)
    for change in ({"sigmoid_bias": 0.0}, {"logsnr_max": 8.0}, {"logsnr_min": -8.0}, {"noise_px": 16}):
        changed = both_terms(tiny_config(decoder_loss=DecoderLossConfig(**change)))
        assert torch.equal(changed.prior_nats, plain.prior_nats)
        assert not torch.allclose(changed.decoder_nats, plain.decoder_nats)
    for change in ({"logsnr_max": 4.0}, {"logsnr_min": -8.0}):
        changed = both_terms(tiny_config(latent=LatentConfig(channels=4, **change)))
        assert not torch.allclose(changed.prior_nats, plain.prior_nats)
    for change in ({"pixel_std": 0.7}, {"image_px": 32}):
        changed = both_terms(tiny_config(**change))
        assert torch.equal(changed.prior_nats, plain.prior_nats)
        assert not torch.allclose(changed.decoder_nats, plain.decoder_nats)
