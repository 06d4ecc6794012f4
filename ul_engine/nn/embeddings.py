"""Embedding of the noise level."""

import math
from contextlib import nullcontext

import torch
from torch import Tensor, nn


class LogSNREmbedding(nn.Module):
    """log-SNR [B] -> [B, width]: sines and cosines of wavelengths from 2 to 120, then a two-layer network.

    Runs in float32 whatever the surrounding autocast says: in bf16 neighbouring levels would fall together.
    """

    frequencies: Tensor

    def __init__(self, width: int, *, num_frequencies: int = 32) -> None:
        super().__init__()
        wavelengths = torch.logspace(math.log10(2.0), math.log10(120.0), num_frequencies)
        self.register_buffer("frequencies", 2.0 * math.pi / wavelengths, persistent=False)
        self.hidden = nn.Linear(2 * num_frequencies, width)
        self.out = nn.Linear(width, width)

    def forward(self, logsnr: Tensor) -> Tensor:
        """`[B]` -> `[B, width]` float32."""
        kind = logsnr.device.type
        with nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False):
            angles = logsnr.float()[:, None] * self.frequencies.float()
            features = torch.cat((angles.sin(), angles.cos()), dim=-1).to(self.hidden.weight.dtype)
            return self.out(nn.functional.silu(self.hidden(features))).float()  # type: ignore[no-any-return]
