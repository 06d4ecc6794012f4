"""Where networks and diffusion meet: clean estimates from the networks, and the losses of Stage 1 and Stage 2."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.diffusion.losses import base_nats, decoder_nats, prior_diffusion_nats, terminal_kl_nats
from ul_engine.diffusion.parameterization import add_noise, broadcast_to, unit_variance_scale, x_from_v
from ul_engine.diffusion.schedules import CosineSchedule, InterpolatedSchedule, latent_schedule, picture_schedule
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.diffusion.weightings import base_bias
from ul_engine.models.conditioning import Condition
from ul_engine.models.decoder import Decoder
from ul_engine.models.encoder import Encoder
from ul_engine.models.vit import BaseModel, Prior


def latent_schedule_of(config: ModelConfig) -> CosineSchedule:
    """Schedule of prior and base model; its least noise is the encoder's own."""
    return latent_schedule(config.latent.logsnr_max, config.latent.logsnr_min)


def picture_schedule_of(config: ModelConfig) -> InterpolatedSchedule:
    """Schedule of the decoder, made for the size the model was trained at."""
    loss = config.decoder_loss
    return picture_schedule(
        config.image_px, noise_px=loss.noise_px, logsnr_max=loss.logsnr_max, logsnr_min=loss.logsnr_min
    )


def _scaled(x_t: Tensor, logsnr: Tensor, data_std: Tensor | float) -> Tensor:
    """`x_t` at unit variance; `logsnr` [B] or scalar."""
    return x_t * broadcast_to(unit_variance_scale(logsnr, data_std), x_t)


def estimate_with_prior(prior: Prior, z_t: Tensor, logsnr: Tensor, latent_std: Tensor) -> Tensor:
    """`z_hat` [B, C, T, H, W] float32 from `z_t` at `logsnr` [B]."""
    return x_from_v(z_t, prior(_scaled(z_t, logsnr, latent_std), logsnr), logsnr)


def estimate_with_base(
    base: BaseModel, z_t: Tensor, logsnr: Tensor, latent_std: Tensor, condition: Condition | None
) -> Tensor:
    """`z_hat` [B, C, T, H, W] float32 from `z_t` at `logsnr` [B] under `condition`."""
    return x_from_v(z_t, base(_scaled(z_t, logsnr, latent_std), logsnr, condition), logsnr)


def estimate_with_decoder(
    decoder: Decoder, x_t: Tensor, logsnr: Tensor, z_0: Tensor, *, config: ModelConfig, latent_std: Tensor
) -> Tensor:
    """`x_hat` [B, 3, T, H, W] float32 from `x_t` at `logsnr` [B] and `z_0` at the latent's native log-SNR."""
    native = torch.tensor(config.latent.logsnr_max, device=z_0.device)
    v_hat = decoder(_scaled(x_t, logsnr, config.pixel_std), logsnr, _scaled(z_0, native, latent_std))
    return x_from_v(x_t, v_hat, logsnr)


@dataclass(frozen=True)
class Stage1Noise:
    """Everything random in one Stage 1 loss: times [B] and noises like z_clean (twice, independent) and like x."""

    t_z: Tensor
    eps_prior: Tensor
    eps_z: Tensor
    t_x: Tensor
    eps_x: Tensor


def draw_stage1_noise(x: Tensor, latent_shape: tuple[int, ...], generator: torch.Generator) -> Stage1Noise:
    """Noise for a batch `x` from a CPU generator, moved to the device of `x`; `latent_shape` includes the batch."""

    def normal(shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator).to(x.device)

    return Stage1Noise(
        t_z=stratified_times(x.shape[0], generator=generator).to(x.device),
        eps_prior=normal(latent_shape),
        eps_z=normal(latent_shape),
        t_x=stratified_times(x.shape[0], generator=generator).to(x.device),
        eps_x=normal(tuple(x.shape)),
    )


@dataclass(frozen=True)
class Stage1Terms:
    """Per-sample terms in nats [B] and what belongs to them. The bound's loss is `prior_nats + decoder_nats`."""

    prior_nats: Tensor
    terminal_nats: Tensor
    decoder_nats: Tensor
    z_clean: Tensor
    logsnr_z: Tensor
    logsnr_x: Tensor


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """The identity, whose gradient is multiplied by `factor`."""
    if factor == 1.0:
        return x
    return x.detach() if factor == 0.0 else x * factor + x.detach() * (1.0 - factor)


def stage1_terms(
    networks: tuple[Encoder, Prior, Decoder],
    x: Tensor,
    noise: Stage1Noise,
    *,
    config: ModelConfig,
    latent_std: Tensor,
    prior_gradient: float = 1.0,
    loss_factor: float | None = None,
) -> Stage1Terms:
    """Joint loss of encoder, prior and decoder on `x` [B, 3, T, H, W] in [-1, 1] (Unified Latents, algorithm 1).

    `prior_gradient` scales the prior term's gradient into the encoder only (1 is the method; a ramp from 0 keeps small
    models from collapsing early); `loss_factor` None takes the config's. Differs from the paper's listing by: the
    sign of the decoder's derivative, which it misprints.
    """
    encoder, prior, decoder = networks
    schedule_z, schedule_x = latent_schedule_of(config), picture_schedule_of(config)
    z_clean = encoder(x)
    z_seen = scale_gradient(z_clean, prior_gradient)
    logsnr_z = schedule_z.logsnr(noise.t_z)
    z_t = add_noise(z_seen, noise.eps_prior, logsnr_z)
    z_hat = estimate_with_prior(prior, z_t, logsnr_z, latent_std)
    terminal = terminal_kl_nats(z_seen, schedule_z.logsnr_min)
    native = torch.tensor(schedule_z.logsnr_max, device=x.device)
    z_0 = add_noise(z_clean, noise.eps_z, native)
    logsnr_x = schedule_x.logsnr(noise.t_x)
    x_t = add_noise(x, noise.eps_x, logsnr_x)
    x_hat = estimate_with_decoder(decoder, x_t, logsnr_x, z_0, config=config, latent_std=latent_std)
    return Stage1Terms(
        prior_nats=prior_diffusion_nats(z_seen, z_hat, noise.t_z, schedule_z) + terminal,
        terminal_nats=terminal,
        decoder_nats=decoder_nats(
            x,
            x_hat,
            noise.t_x,
            schedule_x,
            sigmoid_bias=config.decoder_sigmoid_bias,
            loss_factor=config.decoder_loss.loss_factor if loss_factor is None else loss_factor,
        ),
        z_clean=z_clean,
        logsnr_z=logsnr_z,
        logsnr_x=logsnr_x,
    )


def stage2_nats(
    base: BaseModel,
    z_clean: Tensor,
    t: Tensor,
    eps: Tensor,
    *,
    config: ModelConfig,
    latent_std: Tensor,
    condition: Condition | None,
) -> Tensor:
    """Base model's loss [B] on `z_clean` (never on z_0) at times `t` [B] (Unified Latents, section 3.3)."""
    schedule = latent_schedule_of(config)
    logsnr = schedule.logsnr(t)
    z_t = add_noise(z_clean, eps, logsnr)
    z_hat = estimate_with_base(base, z_t, logsnr, latent_std, condition)
    bias = base_bias(config.base_sigmoid_bias, float(latent_std))
    return base_nats(z_clean, z_hat, t, schedule, sigmoid_bias=bias)
