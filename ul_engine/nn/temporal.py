"""Convolutions along time and changes of frame rate; all on folded frames `[B * T, C, H, W]`.

They begin as the identity, the mean of two frames and the repetition of one, so that a model of clips that starts from
a model of pictures treats every frame as that model does.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.nn.norm import ChannelNorm
from ul_engine.nn.resample import pointwise


class TemporalConv(nn.Module):
    """Residual convolution over three neighbouring frames at each place; beyond both ends stand zeros."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels, has_affine=True)
        self.conv = nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0))
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """`[B * T, C, H, W]` -> the same shape.

        Computed on pictures of T rows and H W columns, the same memory: torch's 3-D convolution takes six times as long
        on a CPU in float32.
        """
        h = F.gelu(self.norm(x)).permute(0, 2, 3, 1)
        rows = h.flatten(1, 2).unflatten(0, (-1, num_frames)).permute(0, 3, 1, 2)  # [B, C, T, H W]
        h = F.conv2d(rows, self.conv.weight.squeeze(-1), self.conv.bias, padding=(1, 0))
        clips: Tensor = h.permute(0, 2, 3, 1).unflatten(2, x.shape[2:])  # [B, T, H, W, C]
        return x + clips.flatten(0, 1).permute(0, 3, 1, 2)


class HalveFrames(nn.Module):
    """Pairs of frames to single ones: `[B * T, C, H, W]` -> `[B * T / 2, C, H, W]`; T is even."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(2 * channels, channels, 1)
        mean = torch.eye(channels)[:, :, None, None] / 2
        self.project.weight.data.copy_(torch.cat((mean, mean), dim=1))
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Join the channels of both frames and project."""
        first, second = x[0::2], x[1::2]
        return pointwise(self.project, torch.cat((first, second), dim=1))


class DoubleFrames(nn.Module):
    """Single frames to pairs: `[B * T, C, H, W]` -> `[B * 2 T, C, H, W]`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, 2 * channels, 1)
        same = torch.eye(channels)[:, :, None, None]
        self.project.weight.data.copy_(torch.cat((same, same), dim=0))
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Project to the channels of two frames and part them."""
        pairs = pointwise(self.project, x).chunk(2, dim=1)
        return torch.stack(pairs, dim=1).flatten(0, 1)


def temporal_convs(channels: int, count: int, *, is_video: bool) -> nn.ModuleList:
    """One temporal convolution per residual block of a stage; none in a model of pictures."""
    return nn.ModuleList(TemporalConv(channels) for _ in range(count if is_video else 0))


def run_stage(
    h: Tensor, blocks: Iterable[nn.Module], temporal: nn.ModuleList, num_frames: int, embedding: Tensor | None = None
) -> Tensor:
    """A stage of residual blocks on `[B * T, C, H, W]`, each followed by its convolution along time if there are
    any."""
    for index, block in enumerate(blocks):
        h = block(h, embedding)
        if len(temporal):
            h = temporal[index](h, num_frames)
    return h


def repeat_frames(x: Tensor, num_frames: int, times: int) -> Tensor:
    """Each of the `num_frames` frames of every clip in `[B * T, C, H, W]`, `times` times in a row."""
    if times == 1:
        return x
    clips: Tensor = x.unflatten(0, (-1, num_frames))
    return clips.repeat_interleave(times, dim=1).flatten(0, 1)
