"""I3D, the network behind FVD: Inception-v1 blown up in time, trained on Kinetics-400.

Architecture: Carreira and Zisserman 2017 (arXiv 1705.07750). FVD (Unterthiner et al. 2018, arXiv 1812.01717) is the
Fréchet distance between its 400 logits, averaged over time. Names of weights are those of the port most files follow.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.metrics.features.network import FeatureNetwork, resized_as_tensorflow_1
from ul_engine.metrics.features.weights import copy_weights, read_weights, short_hash

INPUT_PX = 224
NUM_LOGITS = 400
MIN_FRAMES = 9
"""Three halvings of 9 frames leave the 2 that the last average needs; 8 frames leave 1."""
BATCH_NORM_EPS = 1e-3

Triple = tuple[int, int, int]


class I3D(FeatureNetwork):
    """Clips of any size and at least 9 frames to 400 logits averaged over time.

    Frames are resized to 224 x 224 as TensorFlow 1 did (`resized_as_tensorflow_1`) and scaled to [-1, 1], as FVD's own
    code does. Other programs crop the middle square or scale to [-0.5, 0.5] and get other figures; so do other lengths
    of clip. Batch normalisation adds 1e-3 to the variance as DeepMind's network does (one port adds 1e-5). 16 frames
    are 28 G multiply-adds.
    """

    distance = "FVD"
    is_for_clips = True
    min_frames = MIN_FRAMES
    batch_size = 8

    def __init__(self) -> None:
        super().__init__(NUM_LOGITS)
        self.Conv3d_1a_7x7 = _Unit(3, 64, 7, stride=2)
        self.Conv3d_2b_1x1 = _Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = _Unit(64, 192, 3)
        self.Mixed_3b = _Mixed(192, 64, (96, 128), (16, 32), 32)
        self.Mixed_3c = _Mixed(256, 128, (128, 192), (32, 96), 64)
        self.Mixed_4b = _Mixed(480, 192, (96, 208), (16, 48), 64)
        self.Mixed_4c = _Mixed(512, 160, (112, 224), (24, 64), 64)
        self.Mixed_4d = _Mixed(512, 128, (128, 256), (24, 64), 64)
        self.Mixed_4e = _Mixed(512, 112, (144, 288), (32, 64), 64)
        self.Mixed_4f = _Mixed(528, 256, (160, 320), (32, 128), 128)
        self.Mixed_5b = _Mixed(832, 256, (160, 320), (32, 128), 128)
        self.Mixed_5c = _Mixed(832, 384, (192, 384), (48, 128), 128)
        self.logits = _Logits(1024, NUM_LOGITS)

    def features(self, levels: Tensor) -> Tensor:
        """`[B, 3, T, H, W]` to `[B, 400]`."""
        frames = resized_as_tensorflow_1(levels, INPUT_PX)
        return self.logits_over_time(frames / 127.5 - 1.0).mean(2)

    def logits_over_time(self, x: Tensor) -> Tensor:
        """Clips `[B, 3, T, 224, 224]` in [-1, 1] to logits `[B, 400, ceil(T / 8) - 1]`."""
        x = self.Conv3d_1a_7x7(x)  # [B, 64, T/2, 112, 112]
        x = _maximum(x, (1, 3, 3), (1, 2, 2))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))  # [B, 192, T/2, 56, 56]
        x = _maximum(x, (1, 3, 3), (1, 2, 2))
        x = self.Mixed_3c(self.Mixed_3b(x))  # [B, 480, T/2, 28, 28]
        x = _maximum(x, (3, 3, 3), (2, 2, 2))
        x = self.Mixed_4d(self.Mixed_4c(self.Mixed_4b(x)))
        x = self.Mixed_4f(self.Mixed_4e(x))  # [B, 832, T/4, 14, 14]
        x = _maximum(x, (2, 2, 2), (2, 2, 2))
        x = self.Mixed_5c(self.Mixed_5b(x))  # [B, 1024, T/8, 7, 7]
        x = F.avg_pool3d(x, (2, 7, 7), stride=1)
        logits: Tensor = self.logits(x)  # [B, 400, T/8 - 1, 1, 1]
        return logits.flatten(2)


def load_i3d(path: Path) -> I3D:
    """The network with the weights of a local state dict, in evaluation mode on the CPU. Raises CheckpointError.

    Published FVDs use TensorFlow Hub's weights, of which `i3d_pretrained_400.pt` is said to be a conversion (as is the
    TorchScript file, which is refused); `rgb_imagenet.pt` comes from DeepMind's own repository and gives other figures.
    `remarks` say so.
    """
    with torch.device("meta"):
        network = I3D()
    network.to_empty(device="cpu")
    copy_weights(network, read_weights(path), path)
    digest = short_hash(path)
    network.identity = f"i3d-kinetics-400-{digest}"
    network.remarks = (_remark(path, digest),)
    return network.eval().requires_grad_(False)


def _remark(path: Path, digest: str) -> str:
    return (
        f"FVD with {path.name} (SHA-256 {digest}…): several conversions of I3D are in use and give different figures; "
        "compare only with figures from the same file, clip length and frame rate"
    )


def same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, so that the output has `ceil(length / stride)` places; the odd one goes behind."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def _padded(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Zeros around time, rows and columns as TensorFlow's SAME lays them."""
    sides = [same_padding(x.shape[dim], kernel[dim - 2], stride[dim - 2]) for dim in (4, 3, 2)]
    return F.pad(x, [side for pair in sides for side in pair])


def _maximum(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Maximum with SAME padding; x comes out of ReLUs, so a padded 0 never wins over a pixel."""
    return F.max_pool3d(_padded(x, kernel, stride), kernel, stride=stride)


class _Unit(nn.Module):
    """Convolution with SAME padding, batch normalisation, ReLU."""

    def __init__(self, num_in: int, num_out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = (kernel, kernel, kernel), (stride, stride, stride)
        self.conv3d = nn.Conv3d(num_in, num_out, kernel, stride=stride, bias=False)
        self.bn = nn.BatchNorm3d(num_out, eps=BATCH_NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = self.bn(self.conv3d(_padded(x, self.kernel, self.stride)))
        return normalised.relu_()


class _Mixed(nn.Module):
    """1x1x1, two branches of 1x1x1 and 3x3x3, and a pooled branch."""

    def __init__(self, num_in: int, first: int, second: tuple[int, int], third: tuple[int, int], pooled: int) -> None:
        super().__init__()
        self.b0 = _Unit(num_in, first, 1)
        self.b1a, self.b1b = _Unit(num_in, second[0], 1), _Unit(second[0], second[1], 3)
        self.b2a, self.b2b = _Unit(num_in, third[0], 1), _Unit(third[0], third[1], 3)
        self.b3b = _Unit(num_in, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.b3b(_maximum(x, (3, 3, 3), (1, 1, 1)))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), pooled], 1)


class _Logits(nn.Module):
    """The classifier: a 1x1x1 convolution with bias."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(num_in, num_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.conv3d(x)
        return logits
