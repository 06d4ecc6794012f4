"""A small classifier of scenes, which judges whether a generated picture shows what its prompt asked for."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (32, 64, 128, 160)


class AttributeClassifier(nn.Module):
    """Pictures `[B, 3, 64, 64]` float32 in [-1, 1] to one row of logits per question, `{name: [B, num_answers]}`."""

    def __init__(self, num_answers: Mapping[str, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in WIDTHS:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.GELU()]
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.GELU()]
            channels = width
        self.body = nn.Sequential(*layers)
        self.neck = nn.Linear(channels * 16, 384)
        self.heads = nn.ModuleDict({name: nn.Linear(384, count) for name, count in num_answers.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Logits per question. The last feature map keeps its 4 x 4 places: floor, objects and sky lie apart."""
        features = F.gelu(self.neck(self.body(x).flatten(1)))
        return {name: head(features) for name, head in self.heads.items()}


def attribute_loss(logits: Mapping[str, Tensor], answers: Mapping[str, Tensor], *, not_asked: int) -> Tensor:
    """Cross-entropy, averaged over all questions asked in the batch; answers `{name: [B]}` int64, `not_asked` where a
    question does not fit the picture."""
    losses = [F.cross_entropy(logits[name], answers[name], ignore_index=not_asked, reduction="sum") for name in logits]
    num_asked = torch.stack([(answers[name] != not_asked).sum() for name in logits]).sum()
    return torch.stack(losses).sum() / num_asked
