"""Which chunks of an unfinished cache are done: one line per chunk, in one file per rank, so that ranks never share."""

import os
from pathlib import Path

from pydantic import Field, ValidationError

from ul_engine.requests import FrozenModel

JOURNAL_PATTERN = "finished-*.jsonl"
Ranges = tuple[tuple[float, float], ...]


class FinishedChunk(FrozenModel):
    """A chunk whose values are on the disk, with checksum and ranges of each array."""

    chunk: int = Field(ge=0)
    checksums: tuple[int, ...] = Field(description="CRC-32 of the chunk's latents and of its context latents.")
    ranges: tuple[Ranges, ...] = Field(description="Of the same: least and greatest value of every channel.")


def read_journals(folder: Path) -> dict[int, FinishedChunk]:
    """All chunks that any rank has finished, by number. A line that a crash cut short counts for nothing."""
    found: dict[int, FinishedChunk] = {}
    for path in sorted(folder.glob(JOURNAL_PATTERN)):
        for line in path.read_bytes().splitlines():
            try:
                entry = FinishedChunk.model_validate_json(line)
            except ValidationError:
                continue
            found[entry.chunk] = entry
    return found


def remove_journals(folder: Path) -> None:
    """Once the cache is published they are of no more use."""
    for path in folder.glob(JOURNAL_PATTERN):
        path.unlink(missing_ok=True)


class Journal:
    """The lines of one rank."""

    def __init__(self, folder: Path, rank: int) -> None:
        self._path = folder / f"finished-{rank}.jsonl"

    def add(self, entry: FinishedChunk) -> None:
        """Append one chunk, on a line of its own even after one that was cut short."""
        with self._path.open("ab") as stream:
            stream.write(b"\n" + entry.model_dump_json().encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
