"""LPIPS: distance in the features of a classifier, for people who have its weights (none come with the program).

Source: Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a perceptual metric"
(2018), eq. 1, in the version 0.1 of its authors' code (inputs scaled by ImageNet's mean and deviation).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import torchmetrics
from torch import Tensor, nn

from ul_engine.errors import CheckpointError, ShapeError
from ul_engine.metrics.distortion import check_pair
from ul_engine.metrics.feature_networks import metrics_dir
from ul_engine.metrics.features.weights import copy_weights, read_weights

LpipsNetwork = Literal["alex", "vgg"]

SHIFT = (-0.030, -0.088, -0.188)  # of inputs in [-1, 1], for red, green, blue
SCALE = (0.458, 0.448, 0.450)
SUFFIXES = (".pth", ".safetensors")
UNIT_LENGTH_FLOOR = 1e-10


@dataclass(frozen=True)
class _Recipe:
    """What differs between the two networks. Layers carry the numbers they have in torchvision."""

    label: str
    backbone_stem: str  # file name as torchvision publishes it, without its suffix
    linear_stem: str  # file name in the authors' repository, folder lpips/weights/v0.1
    taps: tuple[int, ...]  # layers after which features are compared
    widths: tuple[int, ...]  # channels there
    min_px: int  # smallest side that leaves one place at every tap


RECIPES: Mapping[LpipsNetwork, _Recipe] = {
    "alex": _Recipe("LPIPS (AlexNet)", "alexnet-owt-7be5be79", "alex", (1, 4, 7, 9, 11), (64, 192, 384, 256, 256), 31),
    "vgg": _Recipe("LPIPS (VGG16)", "vgg16-397923af", "vgg", (3, 8, 15, 22, 29), (64, 128, 256, 512, 512), 16),
}


class Lpips(nn.Module):
    """The distance with untrained weights; `load_lpips` gives the real one.

    `label` names it for tables: values of the two networks must not be compared.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, network: LpipsNetwork = "alex") -> None:
        super().__init__()
        recipe = RECIPES[network]
        self.label, self.taps, self.min_px = recipe.label, recipe.taps, recipe.min_px
        self.features = _alexnet() if network == "alex" else _vgg16()
        self.linear = nn.ModuleList(nn.Conv2d(width, 1, 1, bias=False) for width in recipe.widths)
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor, x_hat: Tensor) -> Tensor:
        """`sum_l mean_hw w_l . (f_l / |f_l| - f_hat_l / |f_hat_l|)^2`, mean over frames, `[B]` float32; 0 if equal.

        `x`, `x_hat` float `[B, 3, T, H, W]` in [-1, 1] on this module's device, at their own size. Float32 whatever
        autocast says. Raises ShapeError below 31 pixels a side (AlexNet) or 16 (VGG16).
        """
        check_pair(x, x_hat)
        height, width = x.shape[-2:]
        if min(height, width) < self.min_px:
            raise ShapeError(
                f"{self.label} needs at least {self.min_px} pixels a side; the picture has {width} x {height}"
            )
        with torch.autocast(x.device.type, enabled=False):
            pairs = zip(self._unit_features(x), self._unit_features(x_hat), self.linear, strict=True)
            terms = [linear((f - f_hat).square()).mean((1, 2, 3)) for f, f_hat, linear in pairs]
        return torch.stack(terms).sum(0).view(len(x), -1).mean(1)

    def _unit_features(self, x: Tensor) -> list[Tensor]:
        """Features at each tap, of length 1 at every place."""
        hidden = (x.float().transpose(1, 2).flatten(0, 1) - self.shift) / self.scale  # [B T, 3, H, W]
        found = []
        for index, layer in enumerate(self.features):
            hidden = layer(hidden)
            if index in self.taps:
                found.append(hidden / (hidden.square().sum(1, keepdim=True).sqrt() + UNIT_LENGTH_FLOOR))
        return found


def lpips_problem(network: LpipsNetwork = "alex", folder: str | os.PathLike[str] | None = None) -> str | None:
    """Which file `load_lpips` misses in `folder` (None: `metrics_dir()`), as a sentence; None if it is there."""
    place, recipe = _place(folder), RECIPES[network]
    return None if _first_file(place, recipe.backbone_stem) is not None else f"{place}: {_advice(recipe)}"


def load_lpips(
    network: LpipsNetwork = "alex",
    folder: str | os.PathLike[str] | None = None,
    *,
    device: torch.device | str = "cpu",
) -> Lpips:
    """LPIPS v0.1 in evaluation mode, with the classifier's weights in `folder` (None: `metrics_dir()`).

    The classifier is the file that torchvision publishes, ``alexnet-owt-7be5be79`` or ``vgg16-397923af``, as
    ``.safetensors`` or ``.pth``. The linear weights are ``alex`` or ``vgg`` there, of the authors' repository (folder
    lpips/weights/v0.1), or else the copies of them that torchmetrics carries. Pickles are read with
    `weights_only=True`. Raises CheckpointError for a file that is missing, truncated or of another network.
    """
    place, recipe = _place(folder), RECIPES[network]
    backbone = _first_file(place, recipe.backbone_stem)
    if backbone is None:
        raise CheckpointError(_advice(recipe), path=place)
    linear = _first_file(place, recipe.linear_stem) or _linear_of_torchmetrics(recipe.linear_stem)
    model = Lpips(network)
    copy_weights(model.features, _without_prefix(read_weights(backbone)), backbone)
    copy_weights(model.linear, _linear_names(read_weights(linear)), linear)
    return model.to(device).eval().requires_grad_(False)


def _advice(recipe: _Recipe) -> str:
    names = " or ".join(f"{recipe.backbone_stem}{suffix}" for suffix in SUFFIXES)
    return f"{recipe.label} needs {names} here, the classifier as torchvision publishes it; none comes with UL Studio"


def _place(folder: str | os.PathLike[str] | None) -> Path:
    return Path(folder) if folder is not None else metrics_dir()


def _first_file(folder: Path, stem: str) -> Path | None:
    candidates = [folder / f"{stem}{suffix}" for suffix in SUFFIXES]
    return next((path for path in candidates if path.is_file()), None)


def _linear_of_torchmetrics(stem: str) -> Path:
    return Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models" / f"{stem}.pth"


def _without_prefix(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolutions of a torchvision classifier; its last layers, ``classifier.*``, are not used."""
    kept = {key: value for key, value in weights.items() if not key.startswith("classifier.")}
    return {key.removeprefix("features."): value for key, value in kept.items()}


def _linear_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``lin3.model.1.weight`` -> ``3.weight``."""
    return {key.removeprefix("lin").replace(".model.1.", "."): value for key, value in weights.items()}


# ---- the two classifiers, up to their last tap --------------------------------------------------------------------


def _alexnet() -> nn.Sequential:
    """Krizhevsky, "One weird trick for parallelizing convolutional neural networks" (2014), one column."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    )


def _vgg16() -> nn.Sequential:
    """Simonyan and Zisserman, "Very deep convolutional networks" (2015), configuration D."""
    layers: list[nn.Module] = []
    channels = 3
    for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        if layers:
            layers.append(nn.MaxPool2d(2))
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
    return nn.Sequential(*layers)
