"""Rotary positions over time, height and width."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

MAX_WAVELENGTH_BASE = 100.0
KEPT_TABLES = 16


@dataclass(frozen=True)
class Rotary:
    """Cosines and signed sines `[N, head_channels]`, float32, of N token positions.

    Channel i and channel i + head_channels / 2 are a pair: both have its cosine; the first has minus its sine.
    """

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
    middle of its cells. Any grid size works; nothing is learned. The last few tables are kept, so that a sampling loop
    computes them once; nobody may change them. Source: Su et al., RoFormer (arXiv 2104.09864), one axis each.
    """
    return _table(grid, head_channels, stride, torch.device(device))


@lru_cache(maxsize=KEPT_TABLES)
@torch.inference_mode(False)  # a kept table may serve a training step next
def _table(grid: tuple[int, int, int], head_channels: int, stride: float, device: torch.device) -> Rotary:
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
    cos, sin = table.cos(), table.sin()
    return Rotary(cos=torch.cat((cos, cos), dim=-1), sin=torch.cat((-sin, sin), dim=-1))


def joined(first: Rotary, second: Rotary) -> Rotary:
    """Rotations of two token sequences, one after the other."""
    return Rotary(cos=torch.cat((first.cos, second.cos)), sin=torch.cat((first.sin, second.sin)))


def rotate(x: Tensor, rotary: Rotary) -> Tensor:
    """Turn the channel pairs of `x` [B, heads, N, head_channels] by the positions' angles; keeps dtype."""
    partner = x.roll(x.shape[-1] // 2, dims=-1)
    return torch.addcmul(x * rotary.cos.to(x.dtype), partner, rotary.sin.to(x.dtype))
