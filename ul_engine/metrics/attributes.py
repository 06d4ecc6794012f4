"""A small classifier of scene attributes, which judges whether a generated picture shows what its prompt asked for."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (32, 64, 128, 160)


class AttributeClassifier(nn.Module):
    """Pictures `[B, 3, 64, 64]` float32 in [-1, 1] to one row of logits per attribute, `{name: [B, num_words]}`."""

    def __init__(self, num_words: Mapping[str, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in WIDTHS:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.GELU()]
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.GELU()]
            channels = width
        self.body = nn.Sequential(*layers)
        self.neck = nn.Linear(channels * 16, 256)
        self.heads = nn.ModuleDict({name: nn.Linear(256, count) for name, count in num_words.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Logits per attribute. The last feature map keeps its 4 x 4 places: floor, object and sky lie apart."""
        features = F.gelu(self.neck(self.body(x).flatten(1)))
        return {name: head(features) for name, head in self.heads.items()}


def attribute_loss(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> Tensor:
    """Mean cross-entropy over attributes; labels `{name: [B]}` int64."""
    return torch.stack([F.cross_entropy(logits[name], labels[name]) for name in logits]).mean()


def correct(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Which samples are judged as labelled, `{name: [B]}` bool."""
    return {name: logits[name].argmax(-1) == labels[name] for name in logits}
