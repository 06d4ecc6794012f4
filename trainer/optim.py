"""Optimizers and learning-rate schedule."""

import math

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from trainer.config import OptimizerConfig
from trainer.muon import Muon
from trainer.ranks import Ranks
from ul_engine.nn.blocks import ResBlock, TransformerBlock

FINAL_RATE = 0.1


def build_optimizers(
    module: nn.Module, config: OptimizerConfig, *, in_bf16: bool = False, ranks: Ranks | None = None
) -> list[torch.optim.Optimizer]:
    """AdamW alone (fused: several times as fast as the loop), or Muon for the blocks' matrices and AdamW for the rest.

    Muon's updates are scaled to AdamW's size, so that one schedule serves both (`trainer.muon`). in_bf16: whether
    the run computes in bf16, which its products may then do as well; ranks: those of the run, which share Muon's work.
    """
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    matrices = block_matrices(module) if config.kind == "muon" else []
    chosen = set(map(id, matrices))
    rest = [parameter for parameter in parameters if id(parameter) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            rest, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay, fused=True
        )
    ]
    if matrices:
        rate = config.learning_rate * config.muon_rate
        optimizers.append(Muon(matrices, lr=rate, weight_decay=config.weight_decay, in_bf16=in_bf16, ranks=ranks))
    return optimizers


def block_matrices(module: nn.Module) -> list[nn.Parameter]:
    """What Muon takes: weights of the trainable linear maps and convolutions inside the blocks; no biases, scales or
    tables."""
    blocks = [block for block in module.modules() if isinstance(block, ResBlock | TransformerBlock)]
    layers = [
        part for block in blocks for part in block.modules() if isinstance(part, nn.Linear | nn.Conv2d | nn.Conv3d)
    ]
    weights = [layer.weight for layer in dict.fromkeys(layers)]
    return [weight for weight in weights if isinstance(weight, nn.Parameter) and weight.requires_grad]


def rate_at(step: int, num_steps: int, config: OptimizerConfig) -> float:
    """Learning rate of `step` (0-based): linear warm-up, flat, cosine decay to a tenth over the last `decay_share`."""
    rate = config.learning_rate * min(1.0, (step + 1) / max(config.warmup_steps, 1))
    decay_start = num_steps * (1.0 - config.decay_share)
    if step > decay_start:
        progress = min(1.0, (step - decay_start) / max(num_steps - decay_start, 1.0))
        rate *= FINAL_RATE + (1.0 - FINAL_RATE) * 0.5 * (1.0 + math.cos(math.pi * progress))
    return rate


def set_rate(optimizers: list[torch.optim.Optimizer], rate: float, config: OptimizerConfig) -> None:
    """Give all optimizers the rate of this step."""
    for optimizer in optimizers:
        share = config.muon_rate if isinstance(optimizer, Muon) else 1.0
        for group in optimizer.param_groups:
            group["lr"] = rate * share


def gradient_norm(parameters: list[nn.Parameter]) -> Tensor:
    """Euclidean norm of all gradients together, a scalar on their device; of all shards where they are sharded."""
    norm = nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


def clip_gradients(parameters: list[nn.Parameter], norm: Tensor, clip_norm: float) -> None:
    """Scale gradients down to `clip_norm` where they are longer, without reading the norm back from the device."""
    share = (clip_norm / (norm + 1e-6)).clamp(max=1.0)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    local = [gradient.to_local() if isinstance(gradient, DTensor) else gradient for gradient in gradients]
    torch._foreach_mul_(local, share)
