"""Optimizer, learning-rate schedule and the guard before every step."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from trainer.config import OptimizerConfig
from ul_engine.errors import NumericsError

FINAL_RATE = 0.1


def build_optimizer(parameters: Iterable[nn.Parameter], config: OptimizerConfig) -> torch.optim.AdamW:
    """AdamW; the fused kernel works on CPU and CUDA and is several times as fast as the loop."""
    return torch.optim.AdamW(
        parameters, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay, fused=True
    )


def rate_at(step: int, num_steps: int, config: OptimizerConfig) -> float:
    """Learning rate of `step` (0-based): linear warm-up, flat, cosine decay to a tenth over the last `decay_share`."""
    rate = config.learning_rate * min(1.0, (step + 1) / max(config.warmup_steps, 1))
    decay_start = num_steps * (1.0 - config.decay_share)
    if step > decay_start:
        progress = min(1.0, (step - decay_start) / max(num_steps - decay_start, 1.0))
        rate *= FINAL_RATE + (1.0 - FINAL_RATE) * 0.5 * (1.0 + math.cos(math.pi * progress))
    return rate


def guarded_step(
    optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], loss: Tensor, *, rate: float, clip_norm: float
) -> Tensor:
    """Clip and step; returns the gradient norm before clipping. Raises NumericsError *before* the step if either the
    loss or the norm is not finite, leaving weights and moments untouched."""
    norm = nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    if not math.isfinite(float(loss)) or not math.isfinite(float(norm)):
        optimizer.zero_grad(set_to_none=True)
        raise NumericsError(
            f"the loss is {float(loss):.4g} and the gradient norm {float(norm):.4g}; the step was not taken. "
            "Lower the learning rate, or continue from the last checkpoint with precision fp32"
        )
    if float(norm) > clip_norm:
        nn.utils.clip_grads_with_norm_(parameters, clip_norm, norm)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return norm
