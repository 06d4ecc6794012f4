"""Rotary positions over time, height and width."""

from dataclasses import dataclass

import torch
from torch import Tensor

MAX_WAVELENGTH_BASE = 100.0


@dataclass(frozen=True)
class Rotary:
    """Cosines and sines `[N, head_channels / 2]`, float32, of N token positions."""

    cos: Tensor
    sin: Tensor


def axis_pairs(head_channels: int) -> tuple[int, int, int]:
    """Channel pairs given to (time, height, width). Time has its share from the start: at one frame its rotation is
    zero."""
    num_pairs = head_channels // 2
    num_time = num_pairs // 4
    num_height = (num_pairs - num_time) // 2
    return num_time, num_height, num_pairs - num_time - num_height


def grid_rotary(
    grid: tuple[int, int, int], head_channels: int, *, stride: float = 1.0, device: torch.device | str = "cpu"
) -> Rotary:
    """Rotations of a `(T, H, W)` grid of tokens in row-major order.

    Positions are counted in latent cells: `stride` 2 belongs to tokens that cover 2x2 of them and puts each at the
    middle of its cells. Any grid size works; nothing is learned. Source: Su et al., RoFormer (arXiv 2104.09864), one
    axis each.
    """
    middle = (stride - 1.0) / 2.0
    strides = (1.0, stride, stride)
    offsets = (0.0, middle, middle)
    angles = []
    for axis, pairs in enumerate(axis_pairs(head_channels)):
        position = torch.arange(grid[axis], dtype=torch.float32, device=device) * strides[axis] + offsets[axis]
        exponent = torch.arange(pairs, dtype=torch.float32, device=device) / max(pairs, 1)
        angle = position[:, None] * MAX_WAVELENGTH_BASE ** -exponent[None, :]
        shape = [1, 1, 1, pairs]
        shape[axis] = grid[axis]
        angles.append(angle.view(shape).expand(*grid, pairs))
    table = torch.cat(angles, dim=-1).flatten(0, 2)  # [N, head_channels / 2]
    return Rotary(cos=table.cos(), sin=table.sin())


def joined(first: Rotary, second: Rotary) -> Rotary:
    """Rotations of two token sequences, one after the other."""
    return Rotary(cos=torch.cat((first.cos, second.cos)), sin=torch.cat((first.sin, second.sin)))


def rotate(x: Tensor, rotary: Rotary) -> Tensor:
    """Turn the channel pairs of `x` [B, heads, N, head_channels] by the positions' angles; keeps dtype."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = rotary.cos.to(x.dtype), rotary.sin.to(x.dtype)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), dim=-1)
