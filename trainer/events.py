"""The run's figures as JSON lines, which the live view follows while they are written."""

import json
import math
import time
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1


class EventWriter:
    """Appends one JSON object per line: ``{"v", "time", "type", "step", ...}``. Values that are not finite become
    null."""

    def __init__(self, path: Path) -> None:
        _end_torn_line(path)
        self._stream = path.open("a", encoding="utf-8")

    def write(self, kind: str, step: int, **values: Any) -> None:
        """Append one event and hand it to the operating system at once."""
        event = {"v": SCHEMA_VERSION, "time": time.time(), "type": kind, "step": step}
        event.update({key: _json_value(value) for key, value in values.items()})
        self._stream.write(json.dumps(event) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _json_value(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _end_torn_line(path: Path) -> None:
    """A killed process may have left half a line: end it, so that it spoils only itself."""
    if path.exists() and path.stat().st_size > 0:
        with path.open("rb+") as stream:
            stream.seek(-1, 2)
            if stream.read(1) != b"\n":
                stream.write(b"\n")


def read_events(path: Path) -> list[dict[str, Any]]:
    """All readable events; torn lines are passed over."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "type" in event:
            events.append(event)
    return events
