"""What the networks are given: random pictures or clips and latents of the training size, and a full condition."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.accounting.networks import meta_condition, meta_latents, meta_pictures
from ul_engine.config import ModelConfig
from ul_engine.model_folder import NetworkName
from ul_engine.models.conditioning import UNKNOWN, Condition
from ul_engine.models.unified import UnifiedLatents


@dataclass(frozen=True)
class Inputs:
    """A batch: `x` [B, C, T, H, W] in [-1, 1], `z` [B, C, T, h, w], `logsnr` [B]."""

    x: Tensor
    z: Tensor
    logsnr: Tensor
    condition: Condition | None

    def evaluations(self, model: UnifiedLatents) -> dict[NetworkName, Callable[[], Tensor]]:
        """One evaluation of each network that `model` has."""
        encoder, prior, decoder, base = model.encoder, model.prior, model.decoder, model.base
        found: dict[NetworkName, Callable[[], Tensor]] = {}
        if encoder is not None:
            found["encoder"] = lambda: encoder(self.x)
        if prior is not None:
            found["prior"] = lambda: prior(self.z, self.logsnr)
        if decoder is not None:
            found["decoder"] = lambda: decoder(self.x, self.logsnr, self.z, self.logsnr)
        if base is not None:
            found["base"] = lambda: base(self.z, self.logsnr, self.condition)
        return found


def random_inputs(config: ModelConfig, batch: int, device: torch.device) -> Inputs:
    """The same numbers every time."""
    generator = torch.Generator("cpu").manual_seed(0)
    x = torch.rand(meta_pictures(config, batch).shape, generator=generator).to(device) * 2.0 - 1.0
    z = torch.randn(meta_latents(config, batch).shape, generator=generator).to(device)
    return Inputs(x, z, torch.zeros(batch, device=device), full_condition(config, batch, device))


def full_condition(config: ModelConfig, batch: int, device: torch.device) -> Condition | None:
    """The longest text, a class, all frames that the model may continue; None for a model that is told nothing."""
    like = meta_condition(config, batch)
    if like is None:
        return None
    index = UNKNOWN if config.conditioning.kind == "text" else 0
    indices = torch.full(like.indices.shape, index, dtype=torch.int64, device=device)
    if like.frames is None:
        return Condition(indices)
    frames = torch.randn(like.frames.shape, generator=torch.Generator("cpu").manual_seed(1)).to(device)
    return Condition(indices, frames, torch.ones(batch, dtype=torch.bool, device=device))
