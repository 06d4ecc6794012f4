"""Figures of training, summed on the device and read once per logged step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainer.ranks import Ranks

NUM_BANDS = 8
Figure = float | list[float]


@dataclass
class FigureSums:
    """Sums over samples since the last reading; nothing is read from the device before `means`.

    Scalars and vectors alike: a vector is summed element by element.
    """

    sums: dict[str, Tensor] = field(default_factory=dict)

    @torch.no_grad()
    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add sums over the samples of a micro-batch; "samples" counts them."""
        for name, value in values.items():
            value = value.detach().float()
            self.sums[name] = self.sums[name] + value if name in self.sums else value.clone()

    def means(self, ranks: Ranks) -> dict[str, Figure]:
        """Means per sample over all ranks; empties the sums. Collective, and waits for the device."""
        names = sorted(self.sums)
        flat = torch.cat([self.sums[name].reshape(-1) for name in names])
        values = ranks.sum_(flat).cpu()
        sizes = [self.sums[name].numel() for name in names]
        parts = dict(zip(names, values.split(sizes), strict=True))
        shapes = {name: self.sums[name].ndim for name in names}
        self.sums.clear()
        count = float(parts.pop("samples"))
        return {name: (part / count).tolist() if shapes[name] else float(part) / count for name, part in parts.items()}


def band_edges(logsnr_min: float, logsnr_max: float) -> list[float]:
    """Edges of `NUM_BANDS` equal bands of log-SNR, from the noisiest to the cleanest."""
    width = (logsnr_max - logsnr_min) / NUM_BANDS
    return [logsnr_min + width * index for index in range(NUM_BANDS + 1)]


def sums_by_band(values: Tensor, logsnr: Tensor, edges: Tensor) -> Tensor:
    """`values` [B] summed by the band in which `logsnr` [B] lies: `[NUM_BANDS]`. `edges` [NUM_BANDS + 1]."""
    band = (torch.bucketize(logsnr, edges) - 1).clamp(0, NUM_BANDS - 1)
    return torch.zeros(NUM_BANDS, device=values.device).index_add_(0, band, values.detach().float())
