"""Per-sample random numbers: the same seed gives the same noise in any batch, on any device."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Float32Array = npt.NDArray[np.float32]


def stream_seed(seed: int, stream: str) -> int:
    """A 128-bit key for one named use of `seed`, so that the latent's and the decoder's noise are independent."""
    digest = hashlib.blake2b(f"{seed}:{stream}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")


@dataclass(frozen=True)
class BlendedSeed:
    """On the way from one seed's noise to another's: `cos(pi/2 share) first + sin(pi/2 share) second`.

    Again standard normal noise, for every `share` in [0, 1]; at the ends it is one seed's own.
    """

    first: int
    second: int
    share: float


Seed = int | BlendedSeed


def derived_seed(seed: Seed, use: str) -> Seed:
    """Another seed for one named use of `seed`; blends stay blends."""
    if isinstance(seed, BlendedSeed):
        return BlendedSeed(stream_seed(seed.first, use), stream_seed(seed.second, use), seed.share)
    return stream_seed(seed, use)


class SeededNoise:
    """Standard normal noise with one CPU generator per sample, in float32.

    The generators are numpy's Philox with a 128-bit key: torch's CPU generator keeps 32 bits of a seed, so that among
    some ten thousand seeds two would draw the same picture.
    `draw` gives `[B, *shape]` on `device`; the n-th draw of a sample depends only on its seed, the stream's name and n.
    """

    def __init__(
        self, seeds: Sequence[Seed], stream: str, *, shape: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self.shape = tuple(shape)
        self.device = torch.device(device)
        self._sources = [_source(seed, stream, self.shape) for seed in seeds]

    def draw(self) -> Tensor:
        """The next noise, `[B, *shape]` float32."""
        return torch.from_numpy(np.stack([draw() for draw in self._sources])).to(self.device)


def _source(seed: Seed, stream: str, shape: tuple[int, ...]) -> Callable[[], Float32Array]:
    """The draws of one sample, one after the other."""
    if isinstance(seed, BlendedSeed):
        if seed.share == 0.0 or seed.first == seed.second:  # one noise with itself would grow by up to sqrt(2)
            return _source(seed.first, stream, shape)
        if seed.share == 1.0:
            return _source(seed.second, stream, shape)
        angle = seed.share * math.pi / 2
        first, second = _source(seed.first, stream, shape), _source(seed.second, stream, shape)
        return lambda: np.float32(math.cos(angle)) * first() + np.float32(math.sin(angle)) * second()
    generator = np.random.Generator(np.random.Philox(key=stream_seed(seed, stream)))
    return lambda: generator.standard_normal(shape, dtype=np.float32)
