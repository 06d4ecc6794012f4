"""Everything that is known of the files before it is judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trainer.config.data import ClipsData, PicturesData
from trainer.data.check.duplicates import Group, same_bytes, same_looks
from trainer.data.check.file_facts import FileFacts
from trainer.data.entries import name_in_shard
from trainer.data.splitting import LEAST_SAMPLES, split


@dataclass(frozen=True)
class Labels:
    """What is said of the files, in their order: `classes` (None: no class) and `captions` ("": none).

    `broken` names caption files that cannot be read, with the reason; `trouble` says why nothing could be had at all.
    """

    classes: Sequence[str | None]
    captions: Sequence[str]
    files: frozenset[str] = frozenset()
    """Names of the files that hold captions and classes."""
    broken: Sequence[tuple[str, str]] = ()
    trouble: str = ""


@dataclass(frozen=True)
class Found:
    """All files that samples are made of: `names`, `sizes_bytes`, `facts` and `labels` go together."""

    data: PicturesData | ClipsData
    names: Sequence[str]
    sizes_bytes: Sequence[int]
    facts: Sequence[FileFacts]
    labels: Labels
    ignored: Sequence[str] = ()
    """Files of other kinds."""

    @cached_property
    def readable(self) -> list[int]:
        """Indices of the files that can be read."""
        return [index for index, facts in enumerate(self.facts) if facts.is_readable]

    @cached_property
    def used(self) -> list[int]:
        """Indices of the files that a run would take its samples from."""
        least_frames = self.data.num_frames if isinstance(self.data, ClipsData) else 0
        return [
            index
            for index in self.readable
            if self.facts[index].shorter_px >= self.data.min_px and self.facts[index].num_clip_frames >= least_frames
        ]

    @cached_property
    def held_out(self) -> frozenset[int]:
        """Those of `used` that a run would hold out; none where there are too few files for a run."""
        if len(self.used) < LEAST_SAMPLES:
            return frozenset()
        names = [name_in_shard(self.names[index]) for index in self.used]
        _, valid = split(names, self.data.num_valid, what="samples", path=self.data.path)
        return frozenset(self.used[place] for place in valid.tolist())

    @cached_property
    def exact_groups(self) -> list[Group]:
        """Used files with the same bytes."""
        digests = [self.facts[index].digest for index in self.used]
        # no digest: nothing else has as many bytes
        known = [(index, digest) for index, digest in zip(self.used, digests, strict=True) if digest]
        groups = same_bytes([digest for _, digest in known])
        return [tuple(known[place][0] for place in group) for group in groups]

    @cached_property
    def near_groups(self) -> list[Group]:
        """Used files that look the same without having the same bytes; of equal ones only the first counts."""
        copies = {index for group in self.exact_groups for index in group[1:]}
        shown = [index for index in self.used if index not in copies and self.facts[index].look is not None]
        if len(shown) < 2:
            return []
        looks = np.array([self.facts[index].look for index in shown], np.uint64)
        greys = np.frombuffer(b"".join(self.facts[index].thumbnail for index in shown), np.uint8)
        groups = same_looks(looks, greys.reshape(len(shown), -1))
        return [tuple(shown[place] for place in group) for group in groups]
