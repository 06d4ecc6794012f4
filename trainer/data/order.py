"""The order of the data: which samples make up a batch, as a pure function of (seed, step)."""

from collections import OrderedDict

import numpy as np

from trainer.data.samples import IntArray
from ul_engine.errors import ConfigError

_MOST_KEPT = 64
_SHUFFLE = 2**32  # the stream of the batches' order, beyond the number of any bucket


def batch_indices(seed: int, step: int, *, batch_size: int, num_samples: int) -> IntArray:
    """Indices `[batch_size]` of one step, see `BatchOrder`."""
    return BatchOrder(num_samples, batch_size, seed).batch(step)[0]


class BatchOrder:
    """Batches by step: nothing is carried from step to step, so a resumed run sees what it would have seen.

    A batch is a consecutive piece of an endless stream: one fresh permutation of all samples per pass.

    With `buckets` (number of the shape of each sample [N]) every bucket has such a stream of its own and a batch comes
    from one of them. By the end of epoch e a bucket of n samples has given floor((e + 1) n / batch_size) batches: what
    is left over waits for the next epoch, a bucket smaller than a batch gives one every few epochs, and no sample is
    seen less often than another. The batches of an epoch are shuffled.
    """

    def __init__(self, num_samples: int, batch_size: int, seed: int, buckets: IntArray | None = None) -> None:
        if num_samples < 1:
            raise ConfigError("needs at least one sample to make batches of", field="data")
        if batch_size < 1:
            raise ConfigError(f"must be at least 1, not {batch_size}", field="batch_size")
        self.num_samples = num_samples
        self.batch_size = batch_size
        self.seed = seed
        self._members: list[IntArray] = []
        if buckets is not None:
            if len(buckets) != num_samples:
                raise ConfigError(f"has {len(buckets)} shapes for {num_samples} samples", field="data.fit")
            self._members = [np.flatnonzero(buckets == number) for number in np.unique(buckets)]
        self._kept: OrderedDict[tuple[int, int], IntArray] = OrderedDict()

    def batch(self, step: int) -> tuple[IntArray, IntArray]:
        """Indices and passes `[batch_size]`, int64, of the batch at `step` (from 0)."""
        if not self._members:
            return self._piece(0, step)
        epoch = self._epoch(step)
        batches = [
            (bucket, number)
            for bucket in range(len(self._members))
            for number in range(self._given(bucket, epoch), self._given(bucket, epoch + 1))
        ]
        place = step - self._batches_before(epoch)
        shuffled = self._permutation(_SHUFFLE, epoch, len(batches))
        bucket, number = batches[int(shuffled[place])]
        positions, passes = self._piece(bucket + 1, number)
        return self._members[bucket][positions], passes

    def _piece(self, stream: int, number: int) -> tuple[IntArray, IntArray]:
        """Piece `number` of a stream: places among its samples, and passes. Stream 0 is that of all samples."""
        length = len(self._members[stream - 1]) if stream else self.num_samples
        position = number * self.batch_size + np.arange(self.batch_size, dtype=np.int64)
        passes = position // length
        result = np.empty(self.batch_size, dtype=np.int64)
        for epoch in np.unique(passes):
            chosen = passes == epoch
            result[chosen] = self._permutation(stream, int(epoch), length)[position[chosen] % length]
        return result, passes

    def _permutation(self, stream: int, epoch: int, length: int) -> IntArray:
        key = stream, epoch
        if key not in self._kept:
            words = np.array([self.seed, epoch, 0, 0, stream, 0], dtype=np.uint64)
            rng = np.random.Generator(np.random.Philox(key=words[:2], counter=words[2:]))
            self._kept[key] = rng.permutation(length)
        self._kept.move_to_end(key)
        while len(self._kept) > max(2, min(_MOST_KEPT, 2 * len(self._members) + 2)):
            self._kept.popitem(last=False)
        return self._kept[key]

    def _given(self, bucket: int, epoch: int) -> int:
        """Batches that a bucket has given before `epoch`."""
        return epoch * len(self._members[bucket]) // self.batch_size

    def _batches_before(self, epoch: int) -> int:
        return sum(self._given(bucket, epoch) for bucket in range(len(self._members)))

    def _epoch(self, step: int) -> int:
        """The epoch whose batches are before, at and behind `step`, by halving: their number never falls."""
        low, high = 0, (step + 1 + len(self._members)) * self.batch_size // self.num_samples + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._batches_before(middle) <= step else (low, middle)
        return low
