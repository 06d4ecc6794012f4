"""The real networks of a configuration on torch's meta device, where they take no memory, and inputs for them."""

import torch
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.model_folder import NETWORKS, NetworkName
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents

META = torch.device("meta")


def meta_model(config: ModelConfig) -> UnifiedLatents:
    """All networks that the configuration has: shapes and code, no values. Takes a fraction of a second at any size."""
    with META:
        return UnifiedLatents(config)


def num_parameters(model: UnifiedLatents) -> dict[NetworkName, int]:
    """Parameters of each network that the model has."""
    networks = {name: getattr(model, name) for name in NETWORKS}
    return {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in networks.items()
        if network is not None
    }


def latent_shape(config: ModelConfig) -> tuple[int, int, int, int]:
    """(channels, frames, height, width) of the latent of a training sample."""
    return config.latent_shape(config.image_px, config.image_px, config.num_frames)


def meta_pictures(config: ModelConfig, batch: int) -> Tensor:
    """`x` [B, 3, T, H, W] at the training size."""
    side = config.image_px
    return torch.empty(batch, config.image_channels, config.num_frames, side, side, device=META)


def meta_latents(config: ModelConfig, batch: int) -> Tensor:
    """`z` [B, C, T, h, w] of the training size."""
    return torch.empty(batch, *latent_shape(config), device=META)


def meta_condition(config: ModelConfig, batch: int) -> Condition | None:
    """What the base model is told in training: the longest text, a class, all frames it may continue from."""
    text = config.conditioning.text if config.conditioning.kind == "text" else None
    length = {"none": 0, "class": 1, "text": text.max_tokens if text is not None else 0}[config.conditioning.kind]
    indices = torch.empty(batch, length, dtype=torch.int64, device=META)
    if config.context_frames:
        channels, _, height, width = latent_shape(config)
        num_context = -(-config.context_frames // config.temporal_downsampling)
        frames = torch.empty(batch, channels, num_context, height, width, device=META)
        return Condition(indices, frames, torch.empty(batch, dtype=torch.bool, device=META))
    return Condition(indices) if length else None
