"""Per-sample random numbers: the same seed gives the same noise in any batch, on any device."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def stream_seed(seed: int, stream: str) -> int:
    """A 128-bit key for one named use of `seed`, so that the latent's and the decoder's noise are independent."""
    digest = hashlib.blake2b(f"{seed}:{stream}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


class SeededNoise:
    """Standard normal noise with one CPU generator per sample, in float32.

    The generators are numpy's Philox with a 128-bit key: torch's CPU generator keeps 32 bits of a seed, so that among
    some ten thousand seeds two would draw the same picture.
    `draw` gives `[B, *shape]` on `device`; the n-th draw of a sample depends only on its seed, the stream's name and n.
    """

    def __init__(
        self, seeds: Sequence[int], stream: str, *, shape: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self.shape = tuple(shape)
        self.device = torch.device(device)
        self._generators = [np.random.Generator(np.random.Philox(key=stream_seed(seed, stream))) for seed in seeds]

    def draw(self) -> Tensor:
        """The next noise, `[B, *shape]` float32."""
        draws = [each.standard_normal(self.shape, dtype=np.float32) for each in self._generators]
        return torch.from_numpy(np.stack(draws)).to(self.device)
