"""Residual blocks of both kinds. Every block starts as the identity."""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.nn.attention import Attention, Context
from ul_engine.nn.norm import ChannelNorm, token_norm
from ul_engine.nn.rotary import Rotary

ModuleT = TypeVar("ModuleT", nn.Linear, nn.Conv2d)


def zero_init(module: ModuleT) -> ModuleT:
    """Set weight and bias to zero, so that a residual branch begins silent."""
    nn.init.zeros_(module.weight)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
    return module


class ResBlock(nn.Module):
    """Two 3x3 convolutions on `[N, C, H, W]`, optionally scaled and shifted by an embedding.

    GELU in its exact form: on a CPU in bf16 it costs half of SiLU.
    """

    def __init__(self, channels: int, *, embedding_width: int | None = None) -> None:
        super().__init__()
        self.norm_in = ChannelNorm(channels, has_affine=True)
        self.conv_in = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm_out = ChannelNorm(channels, has_affine=embedding_width is None)
        self.modulate = zero_init(nn.Linear(embedding_width, 2 * channels)) if embedding_width is not None else None
        self.conv_out = zero_init(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor, embedding: Tensor | None = None) -> Tensor:
        """`x` [N, C, H, W], `embedding` [N, E] -> [N, C, H, W]."""
        h = self.norm_out(self.conv_in(F.gelu(self.norm_in(x))))
        if self.modulate is not None and embedding is not None:
            scale, shift = self.modulate(F.silu(embedding)).to(h.dtype)[:, :, None, None].chunk(2, dim=1)
            h = torch.addcmul(shift, h, 1.0 + scale)
        return x + self.conv_out(F.gelu(h))  # type: ignore[no-any-return]


class SharedModulation(nn.Module):
    """Scale, shift and gate of attention and MLP, computed once from the embedding for all blocks of a network.

    Each block adds its own learned table. Source: Chen et al., PixArt-alpha (arXiv 2310.00426), adaLN-single: a third
    of the parameters of one map per block.
    """

    def __init__(self, embedding_width: int, width: int) -> None:
        super().__init__()
        self.project = zero_init(nn.Linear(embedding_width, 6 * width))

    def forward(self, embedding: Tensor) -> Tensor:
        """`[B, E]` -> `[B, 6, D]`."""
        return self.project(F.silu(embedding)).unflatten(-1, (6, -1))  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    """Attention and MLP on tokens `[B, N, D]`, modulated by `[B, 6, D]` where the network has a `SharedModulation`."""

    def __init__(
        self,
        width: int,
        head_channels: int,
        *,
        dropout: float = 0.0,
        context_width: int | None = None,
        is_modulated: bool = True,
    ) -> None:
        super().__init__()
        self.attention = Attention(width, head_channels, context_width=context_width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.mlp_out = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.table = nn.Parameter(torch.zeros(6, width)) if is_modulated else None
        if not is_modulated:
            zero_init(self.attention.out)
            zero_init(self.mlp_out)

    def forward(
        self,
        x: Tensor,
        modulation: Tensor | None,
        rotary: Rotary | None,
        context: Context | None = None,
        key_mask: Tensor | None = None,
    ) -> Tensor:
        """One block: `x` [B, N, D] -> [B, N, D]."""
        if self.table is None or modulation is None:
            x = x + self.dropout(self.attention(token_norm(x), rotary, context, key_mask))
            return x + self.dropout(self._mlp(token_norm(x)))  # type: ignore[no-any-return]
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (
            (modulation + self.table).to(x.dtype).unsqueeze(2).unbind(1)
        )
        h = torch.addcmul(shift_a, token_norm(x), 1.0 + scale_a)
        x = torch.addcmul(x, gate_a, self.dropout(self.attention(h, rotary, context, key_mask)).to(x.dtype))
        h = torch.addcmul(shift_m, token_norm(x), 1.0 + scale_m)
        return torch.addcmul(x, gate_m, self.dropout(self._mlp(h)).to(x.dtype))

    def _mlp(self, x: Tensor) -> Tensor:
        return self.mlp_out(F.gelu(self.mlp_in(x)))  # type: ignore[no-any-return]


class TokenHead(nn.Module):
    """Last norm, modulated by the embedding, and a linear map that starts at zero: [B, N, D] -> [B, N, out]."""

    def __init__(self, width: int, out: int, embedding_width: int) -> None:
        super().__init__()
        self.modulate = zero_init(nn.Linear(embedding_width, 2 * width))
        self.project = zero_init(nn.Linear(width, out))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Normalise, modulate, project."""
        scale, shift = self.modulate(F.silu(embedding)).to(x.dtype)[:, None, :].chunk(2, dim=-1)
        return self.project(torch.addcmul(shift, token_norm(x), 1.0 + scale))  # type: ignore[no-any-return]
