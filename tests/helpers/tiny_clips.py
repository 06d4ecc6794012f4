"""Tiny models of clips, and clips of moving squares."""

from typing import Any

import torch
from torch import Tensor

from tests.helpers.tiny import tiny_config
from ul_engine.config import DecoderConfig, EncoderConfig, ModelConfig, VideoConfig


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers, the same for the same seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def deep_config(**changes: Any) -> ModelConfig:
    """16-pixel pictures with 8x down-sampling: two halvings after the patches."""
    fields: dict[str, Any] = {
        "encoder": EncoderConfig(channels=(8, 12, 16), blocks_per_stage=1, blocks_last_stage=1),
        "decoder": DecoderConfig(
            channels=(8, 12), blocks_per_stage=1, width=32, num_blocks=2, head_channels=16, dropout=0.0
        ),
    }
    return tiny_config(**(fields | changes))


def clip_config(
    temporal_downsampling: int, *, num_frames: int = 8, context_frames: int = 0, **changes: Any
) -> ModelConfig:
    """The same for clips."""
    video = VideoConfig(
        num_frames=num_frames, temporal_downsampling=temporal_downsampling, context_frames=context_frames, fps=8.0
    )
    return deep_config(video=video, **changes)


def moving_square(
    num_frames: int,
    *,
    right: int,
    down: int,
    colour: tuple[float, float, float],
    size_px: int = 16,
    side: int = 5,
) -> Tensor:
    """A bright square of `side` pixels that starts at the upper left and moves by whole pixels per frame, leaving at
    one side and coming back at the other: `[1, 3, T, H, W]` in [-1, 1]."""
    clip = torch.full((1, 3, num_frames, size_px, size_px), -0.8)
    for frame in range(num_frames):
        square = clip.new_full((3, size_px, size_px), -0.8)
        square[:, 1 : 1 + side, 1 : 1 + side] = torch.tensor(colour).view(3, 1, 1)
        clip[0, :, frame] = square.roll((frame * down, frame * right), dims=(1, 2))
    return clip
