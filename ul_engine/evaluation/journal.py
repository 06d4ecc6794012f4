"""What an interrupted evaluation goes on from: a line of JSON per finished sample, on the disk before the next begins.

The first line says what is being evaluated. A line that was cut short, by a kill or a power cut, is taken off together
with all behind it, and those samples are done again. No torch.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ul_engine.errors import OutputError
from ul_engine.whole_files import explained

FORMAT = "ul-evaluation-journal-1"
Kind = Literal["sample", "generated"]
Row = dict[str, Any]


class Journal:
    """``with Journal(path, identity) as journal``: rows by kind and index, those of former runs among them.

    `identity` is plain JSON and says all that rows depend on. Raises OutputError for a journal of another identity,
    with what differs, and for one whose first line is damaged.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path = path
        self.rows: dict[Kind, dict[int, Row]] = {"sample": {}, "generated": {}}
        header = {"format": FORMAT, "identity": identity}
        with explained(path):
            content = path.read_bytes() if path.exists() else b""
            lines = list(_whole_lines(content))
            if lines:
                self._check(lines[0], header)
            elif b"\n" in content:
                raise OutputError("is damaged in its first line; begin anew (--restart)", path=path)
            for line in lines[1:]:
                self.rows[line["kind"]][line["index"]] = line["row"]
            self._stream = path.open("ab")
            self._stream.truncate(_length(content, len(lines)))
            if not lines:
                self._write([header])

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()

    def _check(self, found: Row, expected: Mapping[str, Any]) -> None:
        differences = list(_differences(found, json.loads(json.dumps(expected))))
        if differences:
            shown = "; ".join(differences[:3]) + ("; …" if len(differences) > 3 else "")
            raise OutputError(
                f"belongs to another evaluation ({shown}). Choose another folder, or begin anew here (--restart)",
                path=self.path,
            )

    def append(self, kind: Kind, rows: Mapping[int, Row]) -> None:
        """Keep rows by index; when this returns they are on the disk. Numbers may be infinite, not nan."""
        lines = [{"kind": kind, "index": index, "row": row} for index, row in rows.items()]
        with explained(self.path):
            self._write(lines)
        self.rows[kind] |= {line["index"]: line["row"] for line in _read_back(lines)}

    def _write(self, lines: list[Row]) -> None:
        self._stream.write("".join(f"{json.dumps(_plain(line), allow_nan=False)}\n" for line in lines).encode())
        self._stream.flush()
        os.fsync(self._stream.fileno())


def _read_back(lines: list[Row]) -> Iterator[Row]:
    """Rows as the file has them, so that a resumed run and an uninterrupted one compute with the same values."""
    for line in lines:
        yield json.loads(json.dumps(_plain(line)))


def _plain(value: Any) -> Any:
    """Infinite numbers as the text ``inf``, which strict JSON can hold and ``float`` reads."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _whole_lines(content: bytes) -> Iterator[Row]:
    """Lines up to the first that is not whole."""
    for line in content.split(b"\n")[:-1]:
        try:
            found = json.loads(line)
        except ValueError:
            return
        if not isinstance(found, dict) or not (found.keys() == {"kind", "index", "row"} or "format" in found):
            return
        yield found


def _length(content: bytes, num_lines: int) -> int:
    return sum(len(line) + 1 for line in content.split(b"\n")[:num_lines])


def _differences(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ, in words: ``settings.seed was 0, is 1``."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys((*found, *expected)):
            yield from _differences(found.get(key), expected.get(key), f"{path}.{key}" if path else key)
    elif found != expected:
        name = path.removeprefix("identity.")
        yield f"{name} was {json.dumps(found)}, is {json.dumps(expected)}"
