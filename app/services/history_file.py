"""The prompts of the past, in a file beside the settings."""

from collections.abc import Sequence
from pathlib import Path

from app.services.json_file import JsonFile
from app.services.state_writer import StateWriter

HISTORY_VERSION = 1


class HistoryFile:
    """What cannot be read is put aside without a word: nobody misses a history so much."""

    def __init__(self, path: Path, writer: StateWriter) -> None:
        self._file = JsonFile(path, HISTORY_VERSION)
        self._writer = writer

    def load(self) -> tuple[str, ...]:
        """Newest first."""
        data = self._file.load().data
        prompts = data.get("prompts") if data is not None else None
        return tuple(str(prompt) for prompt in prompts) if isinstance(prompts, list) else ()

    def save(self, prompts: Sequence[str]) -> None:
        """Have the file replaced."""
        kept = list(prompts)
        self._writer.write(self._file.path, lambda: self._file.encode({"prompts": kept}))
