"""The arrays of a cache on the disk: written in parts without mapping them, and their checksums.

A mapped file that outgrows its disk kills the process; plain writes raise an error that can be explained.
"""

import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from trainer.latent_cache.layout import CacheLayout
from ul_engine.errors import DataError, OutputError

ARRAY_NAMES = ("latents.npy", "context.npy")
RANGES_NAME = "ranges.npy"
AnyArray = npt.NDArray[np.generic]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError inside into an OutputError about `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"the latents cannot be written ({error.strerror or error})", path=path) from error


def array_files(folder: Path, layout: CacheLayout) -> list[Path]:
    """The arrays that a cache consists of: latents and, where there are any, context latents."""
    return [folder / name for name, _ in zip(ARRAY_NAMES, layout.shapes, strict=False)]


def create_arrays(folder: Path, layout: CacheLayout) -> None:
    """Files of the right header and length, where there are none yet; what is in such a file stays."""
    for path, shape in zip(array_files(folder, layout), layout.shapes, strict=True):
        if problem(path, layout, shape) is None:
            continue
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as stream:
            offset = _write_header(stream, layout, shape)
            stream.truncate(offset + layout.num_rows * math.prod(shape) * layout.dtype.itemsize)
        temporary.replace(path)


def _write_header(stream: BinaryIO, layout: CacheLayout, shape: tuple[int, ...]) -> int:
    """Returns the place of the first value."""
    descr = np.lib.format.dtype_to_descr(layout.dtype)
    content = {"descr": descr, "fortran_order": False, "shape": (layout.num_rows, *shape)}
    np.lib.format.write_array_header_1_0(stream, content)
    return stream.tell()


def mapped(path: Path) -> AnyArray:
    """Read-only map of an array file; raises DataError where it is none."""
    try:
        array: AnyArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot be read ({error})", path=path) from error
    return array


def problem(path: Path, layout: CacheLayout, shape: tuple[int, ...]) -> str | None:
    """What keeps an array file from being that of the layout; None if nothing does. Its values are not looked at."""
    if not path.exists():
        return "is missing"
    try:
        array = mapped(path)
    except DataError:
        return "is truncated or no array file"
    expected = (layout.num_rows, *shape)
    if array.shape != expected or array.dtype != layout.dtype:
        return f"holds {array.dtype} {list(array.shape)}, expected {layout.dtype} {list(expected)}"
    return None


class ArrayWriter:
    """Writes runs of rows into one array file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        array = mapped(path)
        self._row_bytes = array[:1].nbytes
        self._offset = path.stat().st_size - array.nbytes

    def write(self, first_row: int, values: AnyArray) -> int:
        """Put `values` [N, C, T, h, w] at `first_row`, onto the disk; returns their checksum."""
        content = np.ascontiguousarray(values)
        with self._path.open("rb+", buffering=0) as stream:
            stream.seek(self._offset + first_row * self._row_bytes)
            rest = content.data.cast("B")
            while rest:
                rest = rest[stream.write(rest) :]
            os.fsync(stream.fileno())
        return checksum(content)


def checksum(values: AnyArray) -> int:
    """CRC-32 of contiguous values."""
    return zlib.crc32(np.ascontiguousarray(values))  # type: ignore[arg-type]
