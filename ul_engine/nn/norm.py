"""Normalisation over channels."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel of `[N, C, H, W]`, without leaving channels-last memory.

    On a CPU the fused kernel is about four times as fast as an RMS norm, forward and backward.
    """

    def __init__(self, channels: int, *, has_affine: bool) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels)) if has_affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if has_affine else None

    def forward(self, x: Tensor) -> Tensor:
        """`[N, C, H, W]` -> the same shape, in the dtype of `x`."""
        return _layer_norm(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


def token_norm(x: Tensor, scale: Tensor | None = None) -> Tensor:
    """Layer norm over the last axis, times `scale` [D] (None: 1), in the dtype of `x`."""
    return _layer_norm(x, scale, None)


def _layer_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Over the last axis. A CPU gets the ones and zeros that may be left out: with them torch takes its vectorised
    float32 kernel, half the time of the other for the same bits."""
    if x.device.type == "cpu":
        size = x.shape[-1]
        weight = torch.ones(size) if weight is None else weight
        bias = torch.zeros(size) if bias is None else bias
    return F.layer_norm(
        x,
        x.shape[-1:],
        weight.to(x.dtype) if weight is not None else None,
        bias.to(x.dtype) if bias is not None else None,
    )
