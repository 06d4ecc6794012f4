"""Bits in space and by noise level, and how far they spread over draws of noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ul_engine.diffusion.bitrate import LN2, Bitrate, mean_bitrate

Float32Array = npt.NDArray[np.float32]


def bits_by_band(bound: Bitrate) -> list[tuple[float, float, float]]:
    """Bits of the first sample per band of latent log-SNR as (low, high, bits), ascending."""
    edges, bits = bound.band_edges.tolist(), (bound.band_nats[0] / LN2).tolist()
    return list(zip(edges[:-1], edges[1:], bits, strict=True))


@dataclass(frozen=True)
class BitSpread:
    """Bits of one input over `num_draws` draws of the noise they are estimated with.

    `cells` [Tz, h, w] is their mean per latent cell, `bands` per band of log-SNR as (low, high, bits). The deviations
    are those of single draws (divided by the number less one); None, and no band's, for one draw. The standard error of
    a mean is its deviation divided by `sqrt(num_draws)`.
    """

    cells: Float32Array
    cell_deviations: Float32Array | None
    bands: tuple[tuple[float, float, float], ...]
    band_deviations: tuple[float, ...]
    total: float
    total_deviation: float | None
    terminal: float
    num_draws: int

    @classmethod
    def of(cls, draws: Sequence[Bitrate]) -> "BitSpread":
        """The spread of estimates of one bound on one sample."""
        mean = mean_bitrate(draws)
        cells, bands, totals = (
            torch.stack([getattr(draw, name)[0] / LN2 for draw in draws]) for name in ("cell_nats", "band_nats", "nats")
        )
        spreads = len(draws) > 1
        return cls(
            cells=(mean.cell_nats[0] / LN2).numpy(),
            cell_deviations=cells.std(0).numpy() if spreads else None,
            bands=tuple(bits_by_band(mean)),
            band_deviations=tuple(bands.std(0).tolist()) if spreads else (),
            total=float(mean.nats[0]) / LN2,
            total_deviation=float(totals.std(0)) if spreads else None,
            terminal=float(mean.terminal_nats[0]) / LN2,
            num_draws=len(draws),
        )
