"""A small JSON file with a version: read at the start, put aside when it cannot be used, replaced as a whole."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ul_engine.errors import OutputError
from ul_engine.outputs import write_file


@dataclass(frozen=True)
class LoadedJson:
    """What a file holds; if it could not be used, why, and where it was put aside."""

    data: dict[str, Any] | None
    problem: str = ""
    kept_aside: str = ""


class JsonFile:
    """One object with its ``version``."""

    def __init__(self, path: Path, version: int) -> None:
        self.path = path
        self.version = version

    def load(self) -> LoadedJson:
        """Read the file. One that is damaged or from a newer program is put aside; none at all is no problem."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return LoadedJson(None)
        except json.JSONDecodeError as error:
            return self.put_aside(f"it is damaged (line {error.lineno}: {error.msg})")
        except (OSError, ValueError, RecursionError) as error:
            return self.put_aside(f"it cannot be read ({getattr(error, 'strerror', None) or error})")
        version = data.get("version") if isinstance(data, dict) else None
        if not isinstance(version, int):
            return self.put_aside("it is damaged (it states no version)")
        if version > self.version:
            return self.put_aside("a newer version of UL Studio wrote it")
        return LoadedJson(data)

    def put_aside(self, problem: str) -> LoadedJson:
        """Keep the file under another name, so that nothing in it is lost."""
        stem, suffix = self.path.stem, self.path.suffix
        names = (self.path.with_name(f"{stem}.aside-{number}{suffix}") for number in itertools.count(1))
        aside = next(path for path in names if not path.exists())
        try:
            self.path.replace(aside)
        except OSError:
            return LoadedJson(None, problem)
        return LoadedJson(None, problem, str(aside))

    def encode(self, data: dict[str, Any]) -> bytes:
        """The file's content for `data`."""
        return json.dumps({"version": self.version, **data}, ensure_ascii=False, indent=1).encode()


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file as a whole, making its folder. Raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be made ({error.strerror})", path=path.parent) from error
    write_file(path, content)
