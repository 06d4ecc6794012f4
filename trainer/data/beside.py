"""Finds the files that belong to a sample because they share its name: ``000123.jpg`` and ``000123.txt``."""

from collections.abc import Iterable

from trainer.data.entries import Entry

_SUFFIXES = (".txt", ".json", ".cls")


class Beside:
    """The texts of a collection by the sample they stand beside."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._files = {entry.name.lower(): entry for entry in entries if entry.name.lower().endswith(_SUFFIXES)}

    def find(self, sample: Entry, suffix: str) -> Entry | None:
        """The file with the sample's name up to its last dot, else up to its first (``1.front.jpg``, ``1.txt``)."""
        if not self._files:
            return None
        folder, separator, name = sample.name.lower().rpartition("/")
        for stem in (name.rpartition(".")[0], name.partition(".")[0]):
            if found := self._files.get(f"{folder}{separator}{stem}{suffix}"):
                return found
        return None
