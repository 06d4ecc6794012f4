"""Space-to-depth patches and changes of resolution; all on `[N, C, H, W]`, sides divisible by the factor.

Their 1x1 convolutions are computed as the matrix products they are, on channels-last memory: on one CPU thread torch
sends small float32 ones down a slow path that also leaves channels-last. Patches are gathered with the channel last, so
that whole runs of memory move; the weights keep the channel-first order of `pixel_unshuffle`.
"""

from torch import Tensor, nn
from torch.nn import functional as F


def pointwise(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """A 1x1 convolution of `[N, C, H, W]`, from and into channels-last memory."""
    return F.linear(x.permute(0, 2, 3, 1), convolution.weight.flatten(1), convolution.bias).permute(0, 3, 1, 2)


def _channel_last(per_patch: Tensor, patch: int, axis: int) -> Tensor:
    """Reorder an axis of (channel, row, column) in a patch as (row, column, channel)."""
    parted: Tensor = per_patch.unflatten(axis, (-1, patch**2))
    return parted.transpose(axis, axis + 1).flatten(axis, axis + 1)


class Patchify(nn.Module):
    """`[N, C, H, W]` -> `[N, width, H / patch, W / patch]` by space-to-depth and a linear map."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.project = nn.Conv2d(channels * patch**2, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Fold each patch into channels and project."""
        rows = x.permute(0, 2, 3, 1).unflatten(2, (-1, self.patch)).unflatten(1, (-1, self.patch))
        patches = rows.transpose(2, 3).flatten(3)  # [N, H / p, W / p, p p C]
        weight = _channel_last(self.project.weight.flatten(1), self.patch, 1)
        return F.linear(patches, weight, self.project.bias).permute(0, 3, 1, 2)


class Unpatchify(nn.Module):
    """`[N, width, H, W]` -> `[N, C, H * patch, W * patch]` by a linear map and depth-to-space."""

    def __init__(self, width: int, channels: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.project = nn.Conv2d(width, channels * patch**2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Project and unfold channels into patches."""
        assert self.project.bias is not None
        weight = _channel_last(self.project.weight.flatten(1), self.patch, 0)
        bias = _channel_last(self.project.bias, self.patch, 0)
        patches = F.linear(x.permute(0, 2, 3, 1), weight, bias)  # [N, H, W, p p C]
        parted: Tensor = patches.unflatten(3, (self.patch, self.patch, -1))
        return parted.transpose(2, 3).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


def downsample(channels_in: int, channels_out: int) -> nn.Module:
    """Half the resolution, losing nothing before the linear map."""
    return Patchify(channels_in, channels_out, 2)


def upsample(channels_in: int, channels_out: int) -> nn.Module:
    """Twice the resolution."""
    return Unpatchify(channels_in, channels_out, 2)
