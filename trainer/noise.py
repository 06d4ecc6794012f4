"""Everything random in a training step, as a pure function of (seed, data step, place in the whole batch).

How many ranks or micro-batches a batch is cut into changes nothing. Noise is drawn on the device, a generator per
sample; times and dropped conditions, which are dealt out over the whole batch, on the CPU.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.diffusion.time_sampling import stratified_times


@dataclass(frozen=True)
class Piece:
    """A micro-batch: the samples `start` to `stop` of the whole batch of one data step, which holds `batch_size`."""

    step: int
    data_step: int
    start: int
    stop: int
    batch_size: int

    def __len__(self) -> int:
        return self.stop - self.start


class StepNoise:
    """Draws for the samples of `piece`; the order of the calls matters."""

    def __init__(self, seed: int, piece: Piece, device: torch.device) -> None:
        self._key = (seed, piece.data_step)
        self._batch_size = piece.batch_size
        self._piece = slice(piece.start, piece.stop)
        self._device = device
        self._shared = torch.Generator("cpu").manual_seed(_number(*self._key))
        self._own = torch.Generator(device if device.type == "cuda" else "cpu")

    def times(self) -> Tensor:
        """Stratified times over the whole batch, those of this piece: [b] in (0, 1)."""
        return stratified_times(self._batch_size, generator=self._shared)[self._piece].to(
            self._device, non_blocking=True
        )

    def uniform(self) -> Tensor:
        """Uniform numbers, those of this piece: [b] in [0, 1), on the CPU."""
        return torch.rand(self._batch_size, generator=self._shared)[self._piece]

    def normals(self, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
        """One standard normal tensor per shape, `[b, *shape]` float32; to be called once for all that is needed."""
        sizes = [torch.Size(shape).numel() for shape in shapes]
        places = range(self._batch_size)[self._piece]
        flat = torch.empty(len(places), sum(sizes), device=self._own.device)
        for row, place in zip(flat, places, strict=True):
            self._own.manual_seed(_number(*self._key, place))
            row.normal_(generator=self._own)
        parts = flat.to(self._device).split(sizes, dim=1)
        return [part.reshape(len(places), *shape) for part, shape in zip(parts, shapes, strict=True)]

    def seed_dropout(self) -> None:
        """Seed torch's global generators for this piece. Masks of dropout are the only thing that depends on how the
        batch is cut."""
        torch.manual_seed(_number(*self._key, self._piece.start, -1))


def _number(*key: int) -> int:
    """A 63-bit seed from a few whole numbers."""
    digest = hashlib.blake2b(",".join(map(str, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
