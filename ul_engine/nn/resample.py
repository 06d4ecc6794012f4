"""Space-to-depth patches and changes of resolution; all on `[N, C, H, W]`, sides divisible by the factor."""

from torch import Tensor, nn
from torch.nn import functional as F


class Patchify(nn.Module):
    """`[N, C, H, W]` -> `[N, width, H / patch, W / patch]` by space-to-depth and a linear map."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.project = nn.Conv2d(channels * patch**2, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Fold each patch into channels and project."""
        return self.project(F.pixel_unshuffle(x, self.patch))  # type: ignore[no-any-return]


class Unpatchify(nn.Module):
    """`[N, width, H, W]` -> `[N, C, H * patch, W * patch]` by a linear map and depth-to-space."""

    def __init__(self, width: int, channels: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.project = nn.Conv2d(width, channels * patch**2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Project and unfold channels into patches."""
        return F.pixel_shuffle(self.project(x), self.patch)


def downsample(channels_in: int, channels_out: int) -> nn.Module:
    """Half the resolution, losing nothing before the linear map."""
    return Patchify(channels_in, channels_out, 2)


def upsample(channels_in: int, channels_out: int) -> nn.Module:
    """Twice the resolution."""
    return Unpatchify(channels_in, channels_out, 2)
