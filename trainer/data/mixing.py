"""Samples of several sources in fixed shares, for models that are told nothing of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate

import numpy as np

from trainer.data.samples import Sample, SampleSource
from ul_engine.data.pixels import Uint8Array
from ul_engine.data.textures.choosing import VERSION, texture


@dataclass(frozen=True)
class Part:
    """`count` samples of a pass come from `source`. Each pass goes on in it where the one before ended."""

    source: SampleSource
    count: int

    def sample(self, place: int, epoch: int | None) -> Sample:
        """Sample `place` (0 to count - 1) of pass `epoch`; None: without augmentation."""
        if epoch is None:
            return self.source.sample(place % len(self.source), None)
        round_, index = divmod(epoch * self.count + place, len(self.source))
        return self.source.sample(index, round_)


class MixedSamples:
    """The parts one after the other; the order of batches mixes them. Captions and classes are left out."""

    is_light = False
    buckets = None
    class_names: tuple[str, ...] = ()
    has_captions = False

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(part for part in parts if part.count)
        self._ends = list(accumulate(part.count for part in self.parts))
        content = repr([(part.source.fingerprint, part.count) for part in self.parts])
        self.fingerprint = blake2b(content.encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return self._ends[-1]

    def caption(self, _index: int) -> str:
        """Nothing is said."""
        return ""

    def label(self, _index: int) -> int:
        """There are no classes."""
        return 0

    def sample(self, index: int, epoch: int | None) -> Sample:
        """Sample `index` in pass `epoch`; None: without augmentation. Raises DataError."""
        number = int(np.searchsorted(self._ends, index, side="right"))
        begin = self._ends[number - 1] if number else 0
        return Sample(self.parts[number].sample(index - begin, epoch).frames)


class TextureSamples:
    """Synthetic textures, `count` in every pass and none of them twice."""

    is_light = False
    buckets = None
    class_names: tuple[str, ...] = ()
    has_captions = False

    def __init__(self, *, size_px: int, count: int, seed: int) -> None:
        self.size_px, self.count, self.seed = size_px, count, seed
        self.fingerprint = f"textures {VERSION} {size_px} {count} {seed}"

    def __len__(self) -> int:
        return self.count

    def caption(self, _index: int) -> str:
        """Nothing is said."""
        return ""

    def label(self, _index: int) -> int:
        """There are no classes."""
        return 0

    def sample(self, index: int, epoch: int | None) -> Sample:
        """Texture `index` of pass `epoch`; None: of the first."""
        return Sample(self._picture(index + self.count * (epoch or 0))[None])

    def _picture(self, number: int) -> Uint8Array:
        return texture(self.seed, number, (self.size_px, self.size_px))
