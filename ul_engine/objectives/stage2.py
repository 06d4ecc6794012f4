"""The loss of Stage 2."""

from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.diffusion.losses import base_nats
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.weightings import base_bias
from ul_engine.models.conditioning import Condition
from ul_engine.models.vit import BaseModel
from ul_engine.objectives.estimates import estimate_with_base, latent_schedule_of


def stage2_nats(
    base: BaseModel,
    z_clean: Tensor,
    t: Tensor,
    eps: Tensor,
    *,
    config: ModelConfig,
    latent_std: Tensor | float,
    condition: Condition | None,
) -> Tensor:
    """Base model's loss [B] on `z_clean` (never on z_0) at times `t` [B] (Unified Latents, section 3.3)."""
    schedule = latent_schedule_of(config)
    logsnr = schedule.logsnr(t)
    z_t = add_noise(z_clean, eps, logsnr)
    z_hat = estimate_with_base(base, z_t, logsnr, latent_std, condition)
    bias = base_bias(config.base_sigmoid_bias, float(latent_std))
    return base_nats(z_clean, z_hat, t, schedule, sigmoid_bias=bias)
