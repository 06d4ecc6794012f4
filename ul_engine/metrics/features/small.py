"""The small feature network that comes with the program, and its distances FD-Small and FD-Small-clip.

It is no stand-in for Inception: its figures have their own name and compare only with each other. It has seen Scenes
and photographs of clothes at 64 px, clean and damaged, and was taught to name what they show and how they are damaged
(`trainer.features`). `assets/metrics/small-features/README.md` says how far that carries.
"""

import json
import os
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, ValidationError
from torch import Tensor, nn
from torch.nn import functional as F

from ul_engine.assets import assets_dir
from ul_engine.errors import CheckpointError
from ul_engine.metrics.features.network import FeatureNetwork
from ul_engine.metrics.features.weights import copy_weights, read_weights, short_hash
from ul_engine.requests import FrozenModel

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "small-features.safetensors"


class SmallFeaturesConfig(FrozenModel):
    """Content of its ``config.json``."""

    format: Literal["ul-small-features"] = "ul-small-features"
    format_version: Literal[1] = 1
    input_px: int = Field(64, ge=16, le=256, description="Side of the square pictures it looks at, in pixels.")
    widths: tuple[int, ...] = Field(
        (32, 64, 128, 160), min_length=1, description="Channels of the stages; each halves the side."
    )
    num_features: int = Field(128, ge=1, le=1024, description="Length of a feature row.")


class SmallFeatures(FeatureNetwork):
    """Convolutions with batch normalisation; the features are the last map's mean over places.

    Other sizes are brought to `input_px` squared by a bilinear resize *with* antialiasing: there is no literature to
    match here, and aliasing is damage this network was taught to notice.
    """

    distance = "FD-Small"
    batch_size = 256

    def __init__(self, config: SmallFeaturesConfig | None = None) -> None:
        config = config or SmallFeaturesConfig()
        super().__init__(config.num_features)
        self.input_px = config.input_px
        layers: list[nn.Module] = []
        channels = 3
        for width in config.widths:
            layers += [_convolution(channels, width, stride=2), _convolution(width, width)]
            channels = width
        self.body = nn.Sequential(*layers, _convolution(channels, config.num_features, size_px=1))

    def features(self, levels: Tensor) -> Tensor:
        """`[B, 3, H, W]` to `[B, D]`."""
        if levels.shape[-2:] != (self.input_px, self.input_px):
            levels = F.interpolate(levels, size=(self.input_px, self.input_px), mode="bilinear", antialias=True)
        maps: Tensor = self.body(levels / 127.5 - 1.0)  # [B, D, h, w]
        return maps.mean((-2, -1))


class SmallClipFeatures(FeatureNetwork):
    """For clips: the mean over frames of the frames' features, then the mean of their absolute change from frame to
    frame, `[B, 2 D]`.

    The first half sees what the frames show, the second how much changes between them: stuttering, flicker, a still
    where motion should be. It does not see the direction of time: a clip played backwards is the same to it.
    """

    distance = "FD-Small-clip"
    is_for_clips = True
    min_frames = 2

    def __init__(self, frames: SmallFeatures) -> None:
        super().__init__(2 * frames.num_features)
        self.frames = frames
        self.identity = f"{frames.identity}-clip"
        self.remarks = frames.remarks

    def features(self, levels: Tensor) -> Tensor:
        """`[B, 3, T, H, W]` to `[B, 2 D]`."""
        rows = self.frames.features(levels.transpose(1, 2).flatten(0, 1))  # [B T, D]
        rows = rows.unflatten(0, (len(levels), -1))  # [B, T, D]
        return torch.cat([rows.mean(1), rows.diff(dim=1).abs().mean(1)], dim=1)


def bundled_folder() -> Path:
    """Where the network that comes with the program lies."""
    return assets_dir() / "metrics" / "small-features"


def load_small_features(folder: str | os.PathLike[str] | None = None) -> SmallFeatures:
    """The network of a folder, None: the bundled one, in evaluation mode on the CPU. Raises CheckpointError."""
    place = Path(folder) if folder is not None else bundled_folder()
    network = SmallFeatures(_read_config(place / CONFIG_NAME))
    copy_weights(network, read_weights(place / WEIGHTS_NAME), place / WEIGHTS_NAME)
    network.identity = f"small-features-{short_hash(place / WEIGHTS_NAME)}"
    network.remarks = ()
    return network.eval().requires_grad_(False)


def _read_config(path: Path) -> SmallFeaturesConfig:
    try:
        return SmallFeaturesConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise CheckpointError("is missing; install UL Studio again", path=path) from None
    except (OSError, ValueError, ValidationError) as error:
        raise CheckpointError(f"is not the configuration of a small feature network ({error})", path=path) from error


def _convolution(num_in: int, num_out: int, *, size_px: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(num_in, num_out, size_px, stride=stride, padding=size_px // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(num_out), nn.GELU())
