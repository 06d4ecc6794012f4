"""Per-sample random numbers: the same seed gives the same noise in any batch, on any device."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def stream_seed(seed: int, stream: str) -> int:
    """A 63-bit seed for one named use of `seed`, so that the latent's and the decoder's noise are independent."""
    digest = hashlib.blake2b(f"{seed}:{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


class SeededNoise:
    """Standard normal noise with one CPU generator per sample, in float32.

    `draw` gives `[B, *shape]` on `device`; the n-th draw of a sample depends only on its seed, the stream's name and n.
    """

    def __init__(
        self, seeds: Sequence[int], stream: str, *, shape: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self.shape = tuple(shape)
        self.device = torch.device(device)
        self._generators = [torch.Generator("cpu").manual_seed(stream_seed(seed, stream)) for seed in seeds]

    def draw(self) -> Tensor:
        """The next noise, `[B, *shape]` float32."""
        return torch.stack([torch.randn(self.shape, generator=each) for each in self._generators]).to(self.device)
