"""Reads every file of a collection once, in several processes, and keeps what there is to know of each. No torch."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from trainer.config.data import ClipsData, PicturesData
from trainer.data.check.file_facts import FileFacts, clip_facts, picture_facts
from trainer.data.check.looks import GREY_SIDE_PX, hashes_of, thumbnails_of
from trainer.data.check.processes import ProcessEnded, spread
from trainer.data.collections import Collection, Entry
from ul_engine.errors import DataError

Observe = Callable[[str, int, int], None]
"""Gets what is being done, how much of it is done, and how much there is. What it raises ends the check."""

Part = tuple[int, int]
"""First entry of a piece of work, and the one after its last."""

FILES_AT_ONCE = 64
BYTES_AT_ONCE = 4 * 2**20
FEW_BYTES = 8 * 2**20
"""Read in this process: others take a third of a second to start."""
READING = "reading files"


def scan(
    collection: Collection,
    entries: Sequence[Entry],
    data: PicturesData | ClipsData,
    *,
    num_processes: int,
    observe: Observe,
) -> list[FileFacts]:
    """Facts of `entries`, in their order. Raises DataError if a process dies."""
    facts: dict[int, Sequence[FileFacts]] = {}
    done = 0
    observe(READING, 0, len(entries))
    reader = _Reader(collection, tuple(entries), data, _shared_sizes(entries))
    try:
        with closing(spread(reader, list(_parts(entries)), num_processes=num_processes)) as results:
            for first, part in results:
                facts[first] = part
                done += len(part)
                observe(READING, done, len(entries))
    except ProcessEnded as error:
        raise DataError(
            "a process that read files died, perhaps for want of memory; try again with --processes 1",
            path=collection.path,
        ) from error
    return [one for first in sorted(facts) for one in facts[first]]


def processes_for(entries: Sequence[Entry], num_processes: int | None) -> int:
    """How many processes to use; None leaves it to the machine and to how much there is to read."""
    if num_processes is not None:
        return max(1, num_processes)
    if sum(entry.num_bytes for entry in entries) <= FEW_BYTES and len(entries) <= 10 * FILES_AT_ONCE:
        return 1
    return _cores()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shared_sizes(entries: Sequence[Entry]) -> frozenset[int]:
    """Lengths in bytes that more than one file has."""
    return frozenset(size for size, count in Counter(entry.num_bytes for entry in entries).items() if count > 1)


@dataclass(frozen=True)
class _Reader:
    """The work of a process."""

    collection: Collection
    entries: tuple[Entry, ...]
    data: PicturesData | ClipsData
    shared_sizes: frozenset[int]

    def __call__(self, part: Part) -> tuple[int, list[FileFacts]]:
        first, stop = part
        return first, with_looks([self._facts(entry) for entry in self.entries[first:stop]])

    def _facts(self, entry: Entry) -> FileFacts:
        if isinstance(self.data, ClipsData):
            is_shared = entry.num_bytes in self.shared_sizes
            return clip_facts(self.collection, entry, self.data, needs_digest=is_shared)
        return picture_facts(self.collection, entry)


def with_looks(facts: list[FileFacts]) -> list[FileFacts]:
    """Hash and thumbnail in place of the grey picture; for many at once this takes a tenth of the time."""
    readable = [index for index, one in enumerate(facts) if one.grey]
    if not readable:
        return facts
    greys = np.frombuffer(b"".join(facts[index].grey for index in readable), np.uint8)
    greys = greys.reshape(-1, GREY_SIDE_PX, GREY_SIDE_PX)
    found = zip(readable, *hashes_of(greys), thumbnails_of(greys), strict=True)
    for index, look, is_flat, thumbnail in found:
        facts[index] = replace(
            facts[index], grey=b"", look=None if is_flat else int(look), thumbnail=thumbnail.tobytes()
        )
    return facts


def _parts(entries: Sequence[Entry]) -> Iterator[Part]:
    """Consecutive pieces of about the same work."""
    first, num_bytes = 0, 0
    for index, entry in enumerate(entries):
        num_bytes += entry.num_bytes
        if index + 1 - first >= FILES_AT_ONCE or num_bytes >= BYTES_AT_ONCE:
            yield first, index + 1
            first, num_bytes = index + 1, 0
    if first < len(entries):
        yield first, len(entries)
