"""Follows a run's events file while it is written: whole lines only, from where the last reading ended."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.run_news import Block, Happening

CHUNK_BYTES = 256 * 1024
"""Some 300 events of Stage 1: what one reading hands over at most, so that no receiver is kept long."""
FIGURE_KINDS = frozenset(("step", "validation"))
_NO_FIGURES = frozenset(("v", "time", "type", "step"))
NAN = float("nan")


@dataclass
class TailChunk:
    """What one reading found."""

    is_from_start: bool = False
    blocks: dict[str, Block] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    is_caught_up: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.is_from_start or self.blocks or self.happenings)


class EventTail:
    """One file. It may not exist yet, be replaced, or be cut short: then it is read from the start again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._identity: tuple[int, int] | None = None

    def read(self) -> TailChunk:
        """The next chunk; never waits for more."""
        chunk = TailChunk()
        try:
            with self._path.open("rb") as stream:
                self._check(os.fstat(stream.fileno()), chunk)
                stream.seek(self._offset)
                data = stream.read(CHUNK_BYTES)
                if len(data) == CHUNK_BYTES and b"\n" not in data:  # a line longer than that
                    data += stream.readline()
        except OSError:
            return chunk
        end = data.rfind(b"\n") + 1  # what is behind the last line is still being written
        self._offset += end
        chunk.is_caught_up = len(data) < CHUNK_BYTES
        for line in data[:end].splitlines():
            _take(line, chunk)
        return chunk

    def _check(self, found: os.stat_result, chunk: TailChunk) -> None:
        identity = (found.st_dev, found.st_ino)
        if self._identity is not None and (identity != self._identity or found.st_size < self._offset):
            self._offset = 0
            chunk.is_from_start = True
        self._identity = identity


def _take(line: bytes, chunk: TailChunk) -> None:
    """One event; what is no event is passed over."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return
    if not isinstance(event, dict):
        return
    kind, step, time_s = event.get("type"), event.get("step"), event.get("time")
    if not isinstance(kind, str) or not isinstance(step, int) or not isinstance(time_s, int | float):
        return
    if kind in FIGURE_KINDS:
        for name, value in _figures(event):
            chunk.blocks.setdefault(f"{kind}/{name}", Block()).add(step, time_s, value)
    else:
        values = {name: value for name, value in event.items() if name not in _NO_FIGURES}
        chunk.happenings.append(Happening(kind, step, time_s, values))


def _figures(event: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Numbers by name; null, which is written for what is not finite, as NaN."""
    for name, value in event.items():
        if name in _NO_FIGURES:
            continue
        if isinstance(value, list):
            for place, item in enumerate(value):
                if item is None or isinstance(item, int | float):
                    yield f"{name}/{place}", NAN if item is None else float(item)
        elif value is None:
            yield name, NAN
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, float(value)
