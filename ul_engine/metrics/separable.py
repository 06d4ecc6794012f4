"""Filtering of pictures by a kernel that is a product of a vertical and a horizontal one."""

from collections.abc import Sequence

import torch
from torch import Tensor


def correlate(x: Tensor, vertical: Sequence[float], horizontal: Sequence[float]) -> Tensor:
    """`out[i, j] = sum_ab vertical[a] horizontal[b] x[i + a, j + b]`, at whole positions only, any leading dimensions.

    `[..., H, W]` -> `[..., H - len(vertical) + 1, W - len(horizontal) + 1]`. Shifted copies are summed: at 768 x 512
    with 11 taps this takes a small part of the time of torch's convolution of single channels. Products and sums are
    rounded one by one, so that a value does not depend on where in memory its place lies: a strip of a picture gives
    the bits of the whole.
    """
    return _along(_along(x, vertical, -2), horizontal, -1)


def _along(x: Tensor, taps: Sequence[float], dim: int) -> Tensor:
    length = x.shape[dim] - len(taps) + 1
    total = x.narrow(dim, 0, length) * taps[0]
    part = torch.empty_like(total)
    for offset, tap in enumerate(taps[1:], start=1):
        total.add_(torch.mul(x.narrow(dim, offset, length), tap, out=part))
    return total
