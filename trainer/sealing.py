"""When a checkpoint folder is whole: ``checkpoint.json``, written last, knows size and check sum of every file."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.run_dir import CHECKPOINT_NAME, read_json, write_json
from ul_engine.errors import CheckpointError
from ul_engine.whole_files import sync

CHUNK_BYTES = 2**22


def seal(folder: Path, numbers: Mapping[str, Any]) -> int:
    """Write ``checkpoint.json`` with `numbers`, sizes and check sums of all files; wait for the disk. How many bytes
    the files have. Raises OutputError, OSError."""
    files = sorted(folder.iterdir())
    sealed = {path.name: [path.stat().st_size, check_sum(path)] for path in files}
    write_json(folder / CHECKPOINT_NAME, {**numbers, "files": sealed})
    sync(folder)
    return sum(size for size, _ in sealed.values())


def damage(folder: Path) -> str | None:
    """What is wrong with the files of a checkpoint, after reading all of them; None if nothing is."""
    try:
        sealed: dict[str, list[int]] = read_json(folder / CHECKPOINT_NAME)["files"]
        for name, (size, expected) in sealed.items():
            found = (folder / name).stat().st_size
            if found != size:
                return f"is cut short: {name} has {found} of {size} bytes"
            if check_sum(folder / name) != expected:
                return f"is damaged: the bytes of {name} are not those that were written"
    except (CheckpointError, OSError) as error:
        return f"is incomplete ({error})"
    except (AttributeError, KeyError, TypeError, ValueError):
        return f"is incomplete ({CHECKPOINT_NAME} lists no files)"
    return None


def check_sum(path: Path) -> int:
    """CRC-32 of a file: a gigabyte a second and more."""
    value = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            value = zlib.crc32(chunk, value)
    return value
