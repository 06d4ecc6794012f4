"""Tiny real models: small enough to run in milliseconds, and never a mock."""

from typing import Any

import numpy as np
import torch
from torch import nn

from ul_engine.checkpoint import save_model
from ul_engine.config import (
    BaseConfig,
    ConditioningConfig,
    DecoderConfig,
    EncoderConfig,
    LatentConfig,
    ModelConfig,
    PriorConfig,
    TextConfig,
)
from ul_engine.data.pixels import Uint8Array
from ul_engine.model_folder import Manifest
from ul_engine.models.unified import UnifiedLatents

WORDS = ("red", "green", "blue", "cube", "sphere", "a", "on", "floor")


def tiny_config(**changes: Any) -> ModelConfig:
    """16-pixel pictures, 4x4 latents of 4 channels, no condition; fields by keyword."""
    fields: dict[str, Any] = {
        "name": "Tiny",
        "image_px": 16,
        "latent": LatentConfig(channels=4),
        "encoder": EncoderConfig(channels=(16, 24), blocks_per_stage=1, blocks_last_stage=1),
        "prior": PriorConfig(width=32, num_blocks=2, head_channels=16),
        "base": BaseConfig(widths=(32, 48), num_blocks=(2, 1), head_channels=16, dropout=0.0),
        "decoder": DecoderConfig(
            channels=(16,), blocks_per_stage=1, width=32, num_blocks=1, head_channels=16, dropout=0.0
        ),
    }
    return ModelConfig(**(fields | changes))


def text_conditioning(**changes: Any) -> ConditioningConfig:
    text = TextConfig(vocabulary=WORDS, max_tokens=6, width=32, num_blocks=1, head_channels=16)
    return ConditioningConfig(kind="text", text=text.model_copy(update=changes))


def class_conditioning(num_classes: int = 3) -> ConditioningConfig:
    return ConditioningConfig(kind="class", num_classes=num_classes)


def randomised(module: nn.Module, seed: int = 0, gain: float = 0.6) -> nn.Module:
    """Give every parameter a value, so that nothing starts at zero as training would have it."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
            scale = gain * fan_in**-0.5 if parameter.ndim > 1 else 0.1
            base = 1.0 if parameter.ndim == 1 and bool((parameter == 1).all()) else 0.0
            parameter.copy_(base + scale * noise)
    return module


def tiny_model(config: ModelConfig | None = None, *, seed: int = 0, latent_std: float = 0.8) -> UnifiedLatents:
    """All four networks with random weights, ready to run."""
    model = UnifiedLatents(config or tiny_config())
    randomised(model, seed)
    model.latent_std.fill_(latent_std)
    return model.eval().requires_grad_(False)


def save_tiny(folder: Any, config: ModelConfig | None = None, *, seed: int = 0) -> Manifest:
    """Write a tiny model as a folder."""
    model = tiny_model(config, seed=seed)
    return save_model(folder, model, Manifest(model=model.config), card="# Tiny\n")


def simple_pictures(count: int, size_px: int = 16, seed: int = 0) -> Uint8Array:
    """uint8 `[count, size, size, 3]`: each a bright rectangle on a dark ground, all different."""
    rng = np.random.default_rng(seed)
    pictures = np.empty((count, size_px, size_px, 3), np.uint8)
    for picture in pictures:
        picture[:] = rng.integers(0, 120, 3)
        top, left = rng.integers(0, size_px // 2, 2)
        height, width = rng.integers(size_px // 4, size_px // 2, 2)
        picture[top : top + height, left : left + width] = rng.integers(130, 256, 3)
    return pictures
