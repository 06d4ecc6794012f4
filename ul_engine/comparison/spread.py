"""Encoded or invented: what several decodes of one latent agree on, and where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ul_engine.data.pixels import Uint8Array

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spread:
    """Several decodes of one latent, all uint8 `[T, H, W, 3]`.

    `mean` is their mean, rounded: what the latent knows. `deviation` `[T, H, W]` is their standard deviation in 8-bit
    levels, root mean square over the channels: what the decoder makes up.
    """

    mean: Uint8Array
    deviation: Float32Array
    num_decodes: int

    @property
    def mean_deviation(self) -> float:
        """Root mean square of the deviation over the picture, in 8-bit levels."""
        return float(np.sqrt(np.square(self.deviation, dtype=np.float64).mean()))


def spread_of(decodes: Iterable[Uint8Array]) -> Spread:
    """Mean and deviation of at least two decodes, in one pass (Welford) so that only one is held beside the sums.

    The deviation is the unbiased estimate (divided by the number less one). Raises ValueError for fewer than two.
    """
    count = 0
    mean, squares = np.zeros(()), np.zeros(())
    for count, decode in enumerate(decodes, start=1):
        difference = decode - mean
        mean = mean + difference / count
        squares = squares + difference * (decode - mean)
    if count < 2:
        raise ValueError("a spread needs at least two decodes")
    variance = squares / (count - 1)
    return Spread(
        mean=np.rint(mean).astype(np.uint8),
        deviation=np.sqrt(variance.mean(-1)).astype(np.float32),
        num_decodes=count,
    )
