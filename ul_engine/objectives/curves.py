"""The schedules and loss weights of a model as plain numbers, for drawing the paper's figure 3."""

import torch
from pydantic import Field
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.diffusion.weightings import (
    base_bias,
    crossing_logsnr,
    elbo_weight,
    sigmoid_weight,
    truncated_logistic_survival,
)
from ul_engine.objectives.estimates import latent_schedule_of, picture_schedule_of
from ul_engine.requests import FrozenModel

Curve = tuple[float, ...]
Range = tuple[float, float]


class WeightingCurves(FrozenModel):
    """Curves over time and over log-SNR.

    Weights stand before `-dlogsnr/dt * exp(logsnr) / 2 * ||x - x_hat||^2`, which makes them weights of the eps-error;
    only `decoder_x_weight` is a bare weight of the x-error. A weight is None where an ablation trains nothing under it.
    """

    t: Curve = Field(description="Diffusion times from 0 (least noise) to 1.")
    picture_logsnr: Curve = Field(description="The decoder's schedule at `t`.")
    latent_logsnr: Curve = Field(description="The schedule of prior and base model at `t`.")
    logsnr: Curve = Field(description="Levels of the weights, rising, over both trained ranges.")
    decoder_weight: Curve | None = Field(description="loss_factor * sigmoid(bias - logsnr).")
    decoder_x_weight: Curve | None = Field(description="decoder_weight * exp(logsnr).")
    prior_weight: Curve | None = Field(description="1, the unweighted bound, of whatever models the latent in Stage 1.")
    base_weight: Curve | None = Field(description="sigmoid(base_bias - logsnr).")
    picture_range: Range = Field(description="Lowest and highest log-SNR that the decoder is trained at.")
    latent_range: Range = Field(description="The same for prior and base model; the decoder sees z_0 at the highest.")
    loss_factor: float
    decoder_bias: float
    base_bias: float
    crossing_logsnr: float | None = Field(description="Where decoder_weight is 1; None: nowhere.")
    explanation: str = Field(description="The crossing in words, or why there is none.")


def weighting_curves(config: ModelConfig, *, num_points: int = 257, latent_std: float = 1.0) -> WeightingCurves:
    """Schedules at `num_points` equal times and weights at as many equal levels, computed in float64.

    `latent_std` s moves the base model's bias to `b_0 - 2 ln s`. In single-stage training with a weighted bound,
    `prior_weight` is that bound's (appendix B). Sources: Unified Latents (arXiv 2602.17270), sections 3.2 and 3.3,
    figure 3.
    """
    latent, picture = latent_schedule_of(config), picture_schedule_of(config)
    t = torch.linspace(0.0, 1.0, num_points, dtype=torch.float64)
    low = min(latent.logsnr_min, picture.logsnr_min)
    high = max(latent.logsnr_max, picture.logsnr_max)
    logsnr = torch.linspace(low, high, num_points, dtype=torch.float64)
    bias, factor = config.decoder_sigmoid_bias, config.decoder_loss.loss_factor
    base = base_bias(config.base_sigmoid_bias, latent_std)
    weight = sigmoid_weight(logsnr, bias=bias, loss_factor=factor)
    is_diffusion, is_two_stage = config.decoder_loss.kind == "diffusion", config.training == "two-stage"
    return WeightingCurves(
        t=_plain(t),
        picture_logsnr=_plain(picture.logsnr(t)),
        latent_logsnr=_plain(latent.logsnr(t)),
        logsnr=_plain(logsnr),
        decoder_weight=_plain(weight) if is_diffusion else None,
        decoder_x_weight=_plain(weight * torch.exp(logsnr)) if is_diffusion else None,
        prior_weight=_latent_weight(config, logsnr, base),
        base_weight=_plain(sigmoid_weight(logsnr, bias=base)) if is_two_stage else None,
        picture_range=(picture.logsnr_min, picture.logsnr_max),
        latent_range=(latent.logsnr_min, latent.logsnr_max),
        loss_factor=factor,
        decoder_bias=bias,
        base_bias=base,
        crossing_logsnr=crossing_logsnr(bias=bias, loss_factor=factor) if is_diffusion else None,
        explanation=_explanation(config, picture.logsnr_min, picture.logsnr_max),
    )


def _plain(values: Tensor) -> Curve:
    return tuple(values.tolist())


def _latent_weight(config: ModelConfig, logsnr: Tensor, bias: float) -> Curve | None:
    """Weight of the bound on the latent; None under a normal prior, which has no noise levels."""
    if config.training == "single-weighted":
        low, high = config.latent.logsnr_min, config.latent.logsnr_max
        return _plain(truncated_logistic_survival(logsnr, bias, low, high))
    if config.prior.kind == "normal" and config.training == "two-stage":
        return None
    return _plain(elbo_weight(logsnr))


def _explanation(config: ModelConfig, lowest: float, highest: float) -> str:
    """The crossing in words; `lowest` and `highest` bound the decoder's trained range."""
    factor = config.decoder_loss.loss_factor
    if config.decoder_loss.kind == "mse":
        return "This decoder is trained on the squared error: no weight over noise levels applies."
    crossing = crossing_logsnr(bias=config.decoder_sigmoid_bias, loss_factor=factor)
    if crossing is None:
        return (
            f"The weight stays below the loss factor {factor:g}, which is not above 1, so it never reaches 1: at every "
            "level information is cheaper in the decoder."
        )
    if not lowest < crossing < highest:
        side = "below the noisiest" if crossing <= lowest else "above the cleanest"
        return f"The weight is 1 at log-SNR {crossing:.2f}, {side} level that the decoder is trained at."
    return (
        f"The weight is 1 at log-SNR {crossing:.2f}: noisier than that, information is cheaper in the latent; cleaner, "
        "in the decoder."
    )
