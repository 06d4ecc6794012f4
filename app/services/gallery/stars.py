"""Which results are starred: a text file beside them to which lines are only ever added, so that two windows may."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ul_engine.errors import OutputError
from ul_engine.outputs import explained, write_file

_ADD, _TAKE = "+", "-"
_WASTE_LINES = 2000
"""So many lines more than stars, and the file is written anew."""


def read_stars(file: Path) -> frozenset[str]:
    """Starred paths, below the folder of results, with slashes. Lines that make no sense are passed over."""
    stars: set[str] = set()
    num_lines = 0
    try:
        with file.open(encoding="utf-8", errors="replace", newline="\n") as stream:
            for line in stream:
                num_lines += 1
                sign, path = line[:1], line[1:].strip("\n").strip()
                if sign == _ADD and path:
                    stars.add(path)
                elif sign == _TAKE:
                    stars.discard(path)
    except OSError:
        return frozenset()
    if num_lines > len(stars) + _WASTE_LINES:
        _shorten(file, stars)
    return frozenset(stars)


def write_stars(file: Path, paths: Iterable[str], *, is_starred: bool) -> None:
    """Star paths, or take their stars; raises OutputError. One write at the end of the file, whoever else writes."""
    sign = _ADD if is_starred else _TAKE
    text = "".join(f"{sign} {path}\n" for path in paths)
    with explained(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as stream:
            stream.write(text.encode("utf-8", "replace"))
            stream.flush()
            os.fsync(stream.fileno())


def _shorten(file: Path, stars: set[str]) -> None:
    with suppress(OutputError):
        write_file(file, "".join(f"{_ADD} {path}\n" for path in sorted(stars)).encode())
