"""The joint loss of Stage 1, its ablations, and single-stage training (appendix B), which puts the base model in the
prior's place."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.diffusion.losses import (
    decoder_nats,
    learned_variance_nats,
    normal_kl_nats,
    prior_diffusion_nats,
    squared_error,
    terminal_kl_nats,
)
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.diffusion.weightings import base_bias, truncated_logistic_quantile, truncated_logistic_survival
from ul_engine.models.conditioning import Condition
from ul_engine.models.decoder import Decoder
from ul_engine.models.encoder import Encoder
from ul_engine.models.vit import BaseModel, Prior
from ul_engine.objectives.estimates import (
    estimate_with_base,
    estimate_with_decoder,
    estimate_with_prior,
    latent_schedule_of,
    picture_schedule_of,
    regress_with_decoder,
)

Networks = tuple[Encoder, Prior | BaseModel | None, Decoder]
"""The middle one models the latent: the prior, nothing (a normal prior) or the base model (single-stage training)."""


@dataclass(frozen=True)
class Stage1Noise:
    """Everything random in one Stage 1 loss: times [B] and noises like z_clean (twice, independent) and like x.

    `eps_variance` (like z_clean) is for a learned variance only; `u_level` [B] in (0, 1) only for a decoder that sees
    latents of any level.
    """

    t_z: Tensor
    eps_prior: Tensor
    eps_z: Tensor
    t_x: Tensor
    eps_x: Tensor
    eps_variance: Tensor | None = None
    u_level: Tensor | None = None


def draw_stage1_noise(
    x: Tensor, latent_shape: tuple[int, ...], generator: torch.Generator, *, config: ModelConfig | None = None
) -> Stage1Noise:
    """Noise for a batch `x` from a CPU generator, moved to the device of `x`; `latent_shape` includes the batch.

    `config` None draws what the method needs; an ablation's own noise is drawn last, so that the rest is the same.
    """

    def normal(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator).to(x.device)

    def times() -> Tensor:
        return stratified_times(x.shape[0], generator=generator).to(x.device)

    needs_variance = config is not None and config.encoder.variance == "learned"
    needs_level = config is not None and config.training == "single-weighted"
    return Stage1Noise(
        t_z=times(),
        eps_prior=normal(latent_shape),
        eps_z=normal(latent_shape),
        t_x=times(),
        eps_x=normal(tuple(x.shape)),
        eps_variance=normal(latent_shape) if needs_variance else None,
        u_level=times() if needs_level else None,
    )


@dataclass(frozen=True)
class Stage1Terms:
    """Per-sample terms in nats [B] and what belongs to them.

    `prior_nats` is the bound on what z_0 holds; `regulariser_nats` is what an ablation's loss has beside the two terms
    of the method (0 otherwise).
    """

    prior_nats: Tensor
    terminal_nats: Tensor
    decoder_nats: Tensor
    regulariser_nats: Tensor
    z_clean: Tensor
    logsnr_z: Tensor
    logsnr_x: Tensor

    @property
    def loss_nats(self) -> Tensor:
        """What is trained on, [B]."""
        return self.prior_nats + self.decoder_nats + self.regulariser_nats


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """The identity, whose gradient is multiplied by `factor`."""
    if factor == 1.0:
        return x
    return x.detach() if factor == 0.0 else x * factor + x.detach() * (1.0 - factor)


def stage1_terms(
    networks: Networks,
    x: Tensor,
    noise: Stage1Noise,
    *,
    config: ModelConfig,
    latent_std: Tensor,
    prior_gradient: float = 1.0,
    loss_factor: float | None = None,
    condition: Condition | None = None,
) -> Stage1Terms:
    """Joint loss of encoder, prior and decoder on `x` [B, 3, T, H, W] in [-1, 1] (Unified Latents, algorithm 1).

    `prior_gradient` scales the prior term's gradient into the encoder only (1 is the method; a ramp from 0 keeps small
    models from collapsing early); `loss_factor` None takes the config's; `condition` is the base model's, in
    single-stage training. Differs from the paper's listing by: the sign of the decoder's derivative, a misprint.
    """
    encoder, prior, decoder = networks
    mean, log_variance = encoder.distribution(x)
    z_clean = _sampled(mean, log_variance, noise)
    is_detached = config.prior.kind == "detached"
    into_encoder = 0.0 if is_detached else prior_gradient
    z_seen = scale_gradient(z_clean, into_encoder)
    logsnr_z = latent_schedule_of(config).logsnr(noise.t_z)
    nats, terminal = _latent_nats(prior, z_seen, noise, config=config, latent_std=latent_std, condition=condition)
    if log_variance is not None:
        nats = nats + learned_variance_nats(scale_gradient(log_variance, into_encoder), config.latent.logsnr_max)
    return Stage1Terms(
        prior_nats=nats,
        terminal_nats=terminal,
        decoder_nats=_reconstruction_nats(
            decoder,
            x,
            z_clean,
            noise,
            config=config,
            latent_std=latent_std,
            loss_factor=config.decoder_loss.loss_factor if loss_factor is None else loss_factor,
        ),
        regulariser_nats=config.prior.normal_kl_weight * normal_kl_nats(z_clean, config.latent.logsnr_max)
        if is_detached
        else torch.zeros_like(nats),
        z_clean=z_clean,
        logsnr_z=logsnr_z,
        logsnr_x=picture_schedule_of(config).logsnr(noise.t_x),
    )


def _sampled(mean: Tensor, log_variance: Tensor | None, noise: Stage1Noise) -> Tensor:
    """z_clean: the encoder's output itself, or a draw around it where the encoder has a variance."""
    if log_variance is None:
        return mean
    assert noise.eps_variance is not None
    return mean + torch.exp(0.5 * log_variance) * noise.eps_variance


def _latent_nats(
    prior: Prior | BaseModel | None,
    z: Tensor,
    noise: Stage1Noise,
    *,
    config: ModelConfig,
    latent_std: Tensor,
    condition: Condition | None,
) -> tuple[Tensor, Tensor]:
    """The bound on what z_0 holds, and the terminal KL in it: [B] each."""
    if prior is None:
        nats = normal_kl_nats(z, config.latent.logsnr_max)
        return nats, torch.zeros_like(nats)
    schedule = latent_schedule_of(config)
    logsnr = schedule.logsnr(noise.t_z)
    z_t = add_noise(z, noise.eps_prior, logsnr)
    if isinstance(prior, BaseModel):
        z_hat = estimate_with_base(prior, z_t, logsnr, latent_std, condition)
    else:
        z_hat = estimate_with_prior(prior, z_t, logsnr, latent_std)
    nats = prior_diffusion_nats(z, z_hat, noise.t_z, schedule)
    if config.training == "single-weighted":
        nats = nats * truncated_logistic_survival(logsnr, *_level_bounds(config, latent_std))
    terminal = terminal_kl_nats(z, schedule.logsnr_min)
    return nats + terminal, terminal


def _level_bounds(config: ModelConfig, latent_std: Tensor) -> tuple[float, float, float]:
    """Centre and both ends of the logistic distribution of the latent's level in single-stage training."""
    return base_bias(config.base_sigmoid_bias, float(latent_std)), config.latent.logsnr_min, config.latent.logsnr_max


def _reconstruction_nats(
    decoder: Decoder,
    x: Tensor,
    z_clean: Tensor,
    noise: Stage1Noise,
    *,
    config: ModelConfig,
    latent_std: Tensor,
    loss_factor: float,
) -> Tensor:
    """The decoder's term, [B]."""
    level = torch.full((len(x),), config.latent.logsnr_max, device=x.device)
    if noise.u_level is not None:
        level = truncated_logistic_quantile(noise.u_level, *_level_bounds(config, latent_std))
    z_0 = add_noise(z_clean, noise.eps_z, level)
    if config.decoder_loss.kind == "mse":
        x_hat = regress_with_decoder(decoder, z_0, x, config=config, latent_std=latent_std, latent_logsnr=level)
        return config.decoder_loss.mse_nats * squared_error(x, x_hat)
    schedule = picture_schedule_of(config)
    logsnr = schedule.logsnr(noise.t_x)
    x_t = add_noise(x, noise.eps_x, logsnr)
    x_hat = estimate_with_decoder(decoder, x_t, logsnr, z_0, config=config, latent_std=latent_std, latent_logsnr=level)
    bias = config.decoder_sigmoid_bias
    return decoder_nats(x, x_hat, noise.t_x, schedule, sigmoid_bias=bias, loss_factor=loss_factor)
