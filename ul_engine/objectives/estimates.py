"""Clean estimates from noisy data: what turns the networks into denoisers, and the schedules of a model."""

from dataclasses import replace

import torch
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.diffusion.parameterization import broadcast_to, unit_variance_scale, x_from_v
from ul_engine.diffusion.schedules import CosineSchedule, InterpolatedSchedule, latent_schedule, picture_schedule
from ul_engine.models.conditioning import Condition
from ul_engine.models.decoder import Decoder
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
    base: BaseModel, z_t: Tensor, logsnr: Tensor, latent_std: Tensor | float, condition: Condition | None
) -> Tensor:
    """`z_hat` [B, C, T, H, W] float32 from `z_t` at `logsnr` [B] under `condition`, whose frames are z_0 as well."""
    if condition is not None and condition.frames is not None:
        native = torch.tensor(base.native_logsnr, device=z_t.device)
        condition = replace(condition, frames=_scaled(condition.frames, native, latent_std))
    return x_from_v(z_t, base(_scaled(z_t, logsnr, latent_std), logsnr, condition), logsnr)


def estimate_with_decoder(
    decoder: Decoder,
    x_t: Tensor,
    logsnr: Tensor,
    z_0: Tensor,
    *,
    config: ModelConfig,
    latent_std: Tensor,
    latent_logsnr: Tensor | None = None,
) -> Tensor:
    """`x_hat` [B, 3, T, H, W] float32 from `x_t` at `logsnr` [B] and `z_0` at `latent_logsnr` [B]; None: at the
    latent's native log-SNR."""
    if latent_logsnr is None:
        latent_logsnr = torch.full_like(logsnr, config.latent.logsnr_max)
    scaled_z = _scaled(z_0, latent_logsnr, latent_std)
    return x_from_v(x_t, decoder(_scaled(x_t, logsnr, config.pixel_std), logsnr, scaled_z, latent_logsnr), logsnr)


def regress_with_decoder(
    decoder: Decoder,
    z_0: Tensor,
    like: Tensor,
    *,
    config: ModelConfig,
    latent_std: Tensor,
    latent_logsnr: Tensor | None = None,
) -> Tensor:
    """The picture by one evaluation on an empty `x_t` at the noisiest level: how a decoder trained on the squared error
    is used. `like` [B, 3, T, H, W] gives the shape; `latent_logsnr` as above."""
    level = torch.full((len(z_0),), picture_schedule_of(config).logsnr_min, device=z_0.device)
    empty = torch.zeros_like(like)
    return estimate_with_decoder(
        decoder, empty, level, z_0, config=config, latent_std=latent_std, latent_logsnr=latent_logsnr
    )
