"""Inception-v3 of 2015-12-05, the network behind FID and KID.

Architecture: Szegedy et al. 2015 (arXiv 1512.00567), in the form that TensorFlow's file of that date has and that FID
was defined with (Heusel et al. 2017). It differs from today's Inception-v3 by: averages over 3x3 places leave padding
out of the count; the last block takes the maximum where an average was meant; 1008 logits. Names of weights are those
of the two ports everybody uses, so their files fit.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.metrics.features.network import FeatureNetwork, resized_as_tensorflow_1
from ul_engine.metrics.features.weights import copy_weights, read_weights, short_hash

INPUT_PX = 299
NUM_FEATURES = 2048
NUM_LOGITS = 1008
PUBLISHED_HASH = "6726825d"
"""Begin of the SHA-256 of the published weights, also the end of the files' names."""

Pool = Callable[[Tensor], Tensor]


class FidInception(FeatureNetwork):
    """Pictures of any size to the 2048 averages of the last feature map.

    They are resized to 299 x 299 as TensorFlow 1 did (`resized_as_tensorflow_1`) and scaled as `(level - 128) / 128`.
    The classifier `fc` is loaded because the files have it, and is not used. 5.7 G multiply-adds a picture.
    """

    distance = "FID"

    def __init__(self) -> None:
        super().__init__(NUM_FEATURES)
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3)
        self.Mixed_5b = _Mixed35(192, pooled=32)
        self.Mixed_5c = _Mixed35(256, pooled=64)
        self.Mixed_5d = _Mixed35(288, pooled=64)
        self.Mixed_6a = _Shrink35(288)
        self.Mixed_6b = _Mixed17(768, inner=128)
        self.Mixed_6c = _Mixed17(768, inner=160)
        self.Mixed_6d = _Mixed17(768, inner=160)
        self.Mixed_6e = _Mixed17(768, inner=192)
        self.Mixed_7a = _Shrink17(768)
        self.Mixed_7b = _Mixed8(1280, pool=_average)
        self.Mixed_7c = _Mixed8(2048, pool=_maximum)
        self.fc = nn.Linear(NUM_FEATURES, NUM_LOGITS)

    def features(self, levels: Tensor) -> Tensor:
        """`[B, 3, H, W]` to `[B, 2048]`."""
        x = (resized_as_tensorflow_1(levels, INPUT_PX) - 128.0) / 128.0
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # [B, 64, 147, 147]
        x = F.max_pool2d(x, 3, stride=2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))  # [B, 192, 71, 71]
        x = F.max_pool2d(x, 3, stride=2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))  # [B, 288, 35, 35]
        x = self.Mixed_6a(x)
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))  # [B, 768, 17, 17]
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))  # [B, 2048, 8, 8]
        return torch.mean(x, (-2, -1))


def load_inception(path: Path) -> FidInception:
    """The network with the weights of a local file, in evaluation mode on the CPU. Raises CheckpointError."""
    with torch.device("meta"):
        network = FidInception()
    network.to_empty(device="cpu")
    copy_weights(network, read_weights(path), path)
    digest = short_hash(path)
    network.identity = f"inception-2015-12-05-{digest}"
    network.remarks = () if digest == PUBLISHED_HASH else (_unknown(path, digest),)
    return network.eval().requires_grad_(False)


def _unknown(path: Path, digest: str) -> str:
    return (
        f"{path.name} (SHA-256 {digest}…) is not the published file ({PUBLISHED_HASH}…): the figures compare with "
        "published ones only if it holds the same numbers"
    )


class _Convolution(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(
        self,
        num_in: int,
        num_out: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(num_in, num_out, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(num_out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = self.bn(self.conv(x))
        return normalised.relu_()


def _row(num_in: int, num_out: int, length: int) -> _Convolution:
    """1 x length, the size kept."""
    return _Convolution(num_in, num_out, (1, length), padding=(0, length // 2))


def _column(num_in: int, num_out: int, length: int) -> _Convolution:
    """length x 1, the size kept."""
    return _Convolution(num_in, num_out, (length, 1), padding=(length // 2, 0))


def _average(x: Tensor) -> Tensor:
    """Mean over 3x3 places; at the border over those that exist."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, stride=1, padding=1)


class _Mixed35(nn.Module):
    """Block on 35 x 35 places: 1x1, 5x5, twice 3x3, and a pooled branch."""

    def __init__(self, num_in: int, *, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(num_in, 64, 1)
        self.branch5x5_1 = _Convolution(num_in, 48, 1)
        self.branch5x5_2 = _Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Convolution(num_in, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, padding=1)
        self.branch_pool = _Convolution(num_in, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), wide, double, self.branch_pool(_average(x))], 1)


class _Shrink35(nn.Module):
    """35 x 35 places to 17 x 17."""

    def __init__(self, num_in: int) -> None:
        super().__init__()
        self.branch3x3 = _Convolution(num_in, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Convolution(num_in, 64, 1)
        self.branch3x3dbl_2 = _Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Convolution(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, stride=2)], 1)


class _Mixed17(nn.Module):
    """Block on 17 x 17 places: 7x7 as a row and a column, once and twice."""

    def __init__(self, num_in: int, *, inner: int) -> None:
        super().__init__()
        self.branch1x1 = _Convolution(num_in, 192, 1)
        self.branch7x7_1 = _Convolution(num_in, inner, 1)
        self.branch7x7_2 = _row(inner, inner, 7)
        self.branch7x7_3 = _column(inner, 192, 7)
        self.branch7x7dbl_1 = _Convolution(num_in, inner, 1)
        self.branch7x7dbl_2 = _column(inner, inner, 7)
        self.branch7x7dbl_3 = _row(inner, inner, 7)
        self.branch7x7dbl_4 = _column(inner, inner, 7)
        self.branch7x7dbl_5 = _row(inner, 192, 7)
        self.branch_pool = _Convolution(num_in, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(_average(x))], 1)


class _Shrink17(nn.Module):
    """17 x 17 places to 8 x 8."""

    def __init__(self, num_in: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Convolution(num_in, 192, 1)
        self.branch3x3_2 = _Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Convolution(num_in, 192, 1)
        self.branch7x7x3_2 = _row(192, 192, 7)
        self.branch7x7x3_3 = _column(192, 192, 7)
        self.branch7x7x3_4 = _Convolution(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        long = self.branch7x7x3_2(self.branch7x7x3_1(x))
        long = self.branch7x7x3_4(self.branch7x7x3_3(long))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), long, F.max_pool2d(x, 3, stride=2)], 1)


class _Mixed8(nn.Module):
    """Block on 8 x 8 places: rows and columns of 3 side by side."""

    def __init__(self, num_in: int, *, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = _Convolution(num_in, 320, 1)
        self.branch3x3_1 = _Convolution(num_in, 384, 1)
        self.branch3x3_2a = _row(384, 384, 3)
        self.branch3x3_2b = _column(384, 384, 3)
        self.branch3x3dbl_1 = _Convolution(num_in, 448, 1)
        self.branch3x3dbl_2 = _Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _row(384, 384, 3)
        self.branch3x3dbl_3b = _column(384, 384, 3)
        self.branch_pool = _Convolution(num_in, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [
            self.branch1x1(x),
            self.branch3x3_2a(single),
            self.branch3x3_2b(single),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(self.pool(x)),
        ]
        return torch.cat(parts, 1)
