"""The run's figures as JSON lines, which the live view follows while they are written, and as TensorBoard files."""

import errno
import json
import math
import os
import time
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.protocol import SCHEMA_VERSION
from ul_engine.data.pixels import Uint8Array
from ul_engine.errors import OutputError

if TYPE_CHECKING:
    pass


class EventWriter:
    """Appends one JSON object per line: ``{"v", "time", "type", "step", ...}``. Values that are not finite become
    null."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = open_for_lines(path)

    def write(self, kind: str, step: int, /, **values: Any) -> None:
        """Append one event and hand it to the operating system at once. Raises OutputError."""
        event = {"v": SCHEMA_VERSION, "time": time.time(), "type": kind, "step": step}
        event.update({key: _json_value(value) for key, value in values.items()})
        write_line(self._stream, json.dumps(event), self._path)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def open_for_lines(path: Path) -> FileIO:
    """A file that lines are appended to; without a buffer, which would be written once more when a full disk is
    closed. Raises OutputError."""
    try:
        _end_torn_line(path)
        return path.open("ab", buffering=0)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", path=path) from error


def write_line(stream: FileIO, text: str, path: Path) -> None:
    """Append one line and hand it to the operating system at once. Raises OutputError, for a part of a line too."""
    line = text.encode() + b"\n"
    try:
        if stream.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", path=path) from error


def _json_value(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [_json_value(item) for item in value] if isinstance(value, list | tuple) else value


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


class TensorBoard:
    """The same figures for TensorBoard: numbers under ``training/`` and ``validation/``, bands of log-SNR one by one,
    previews as pictures."""

    def __init__(self, folder: Path, *, purge_step: int) -> None:
        """Figures of steps from `purge_step` on, which a killed run left behind, are hidden by TensorBoard."""
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer: SummaryWriter = SummaryWriter(str(folder), purge_step=purge_step, flush_secs=30)

    def numbers(self, group: str, step: int, figures: Mapping[str, Any]) -> None:
        """Write every number of `figures`."""
        for name, value in figures.items():
            if isinstance(value, list):
                for index, item in enumerate(value):
                    self._writer.add_scalar(f"{group}/{name}/{index}", item, step)
            elif isinstance(value, int | float):
                self._writer.add_scalar(f"{group}/{name}", value, step)

    def picture(self, name: str, step: int, picture: Uint8Array) -> None:
        """Write a picture, uint8 `[H, W, 3]`."""
        self._writer.add_image(name, picture, step, dataformats="HWC")

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
