"""A person's own presets, in a file beside the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.services.json_file import JsonFile
from app.services.state_writer import StateWriter
from ul_engine.requests import SamplingSettings

PRESETS_VERSION = 1
_PRESETS: TypeAdapter[dict[str, SamplingSettings]] = TypeAdapter(dict[str, SamplingSettings])


@dataclass(frozen=True)
class LoadedPresets:
    """Presets by name and, if the file could not be used, why and where it was put aside."""

    presets: dict[str, SamplingSettings] = field(default_factory=dict)
    problem: str = ""
    kept_aside: str = ""


class PresetsFile:
    """Reads once at the start; writes are the business of the writer's thread."""

    def __init__(self, path: Path, writer: StateWriter) -> None:
        self._file = JsonFile(path, PRESETS_VERSION)
        self._writer = writer

    def load(self) -> LoadedPresets:
        """The presets. A file that is damaged or from a newer program is put aside."""
        loaded = self._file.load()
        if loaded.data is None:
            return LoadedPresets(problem=loaded.problem, kept_aside=loaded.kept_aside)
        try:
            return LoadedPresets(_PRESETS.validate_python(loaded.data.get("presets", {})))
        except ValidationError as error:
            aside = self._file.put_aside(f"it holds a preset that cannot be read ({error.errors()[0]['msg']})")
            return LoadedPresets(problem=aside.problem, kept_aside=aside.kept_aside)

    def save(self, presets: Mapping[str, SamplingSettings]) -> None:
        """Have the file replaced."""
        kept = dict(presets)

        def content() -> bytes:
            return self._file.encode({"presets": _PRESETS.dump_python(kept, mode="json")})

        self._writer.write(self._file.path, content)
