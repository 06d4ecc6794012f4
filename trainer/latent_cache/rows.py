"""Reading a finished cache: any rows, quickly, as float32."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor

from trainer.latent_cache.files import RANGES_NAME, AnyArray, array_files, checksum, mapped, problem
from trainer.latent_cache.layout import CacheLayout
from trainer.latent_cache.storage import restored
from ul_engine.errors import DataError
from ul_engine.requests import FrozenModel

RECORD_NAME = "cache.json"
CHECKED_BYTES = 2**28
"""Of every cache so many bytes are compared with their checksums when it is opened: a quarter of a second."""
REMEDY = "remove the folder, and the latents are encoded again"
IntArray = npt.NDArray[np.int64]


class CacheRecord(FrozenModel):
    """The content of ``cache.json``, written last: a folder without it is unfinished."""

    layout: CacheLayout
    checksums: tuple[tuple[int, ...], ...]
    """By chunk, of latents and context."""


class LatentRows:
    """A finished cache, mapped into memory. Pickling it (for a loading process) carries its place, not its content."""

    def __init__(self, folder: Path, record: CacheRecord, arrays: list[AnyArray], ranges: Tensor) -> None:
        self.folder = folder
        self.layout = record.layout
        self._record, self._arrays, self._ranges = record, arrays, ranges
        self._tensors = [_as_tensor(array) for array in arrays]

    def __reduce__(self) -> tuple[object, ...]:
        return open_latents, (self.folder,)

    def __len__(self) -> int:
        """Number of rows: of samples, or twice that."""
        return self.layout.num_rows

    def row(self, index: int, is_mirrored: bool) -> int:
        """See `CacheLayout.row`."""
        return self.layout.row(index, is_mirrored)

    def batch(self, rows: IntArray) -> Tensor:
        """z_clean float32 `[B, C, T, h, w]` on the CPU of any rows [B], in their order."""
        return self._read(0, rows)

    def context(self, rows: IntArray) -> Tensor | None:
        """The same of the frames that each sample may be continued from, encoded alone `[B, C, Tc, h, w]`; None where
        the model continues none."""
        return self._read(1, rows) if len(self._arrays) > 1 else None

    def _read(self, part: int, rows: IntArray) -> Tensor:
        order = np.argsort(rows, kind="stable")  # a file is read fastest in its own order
        values = self._tensors[part].index_select(0, torch.from_numpy(rows[order]))
        values = values.index_select(0, torch.from_numpy(np.argsort(order)))
        return restored(values, self._ranges[torch.from_numpy(rows // self.layout.chunk_rows), part])

    def check(self, max_bytes: int | None = None) -> None:
        """Compare the values with their checksums: all of them, or chunks spread evenly over about `max_bytes`.

        Raises DataError that names the file.
        """
        chunks = self.layout.num_chunks
        chunk_bytes = self.layout.chunk_rows * self.layout.row_bytes
        count = chunks if max_bytes is None else min(chunks, max(2, max_bytes // chunk_bytes))
        for chunk in np.unique(np.linspace(0, chunks - 1, count).astype(np.int64)).tolist():
            rows = self.layout.rows_of(chunk)
            for path, array, expected in zip(
                array_files(self.folder, self.layout), self._arrays, self._record.checksums[chunk], strict=True
            ):
                if checksum(array[rows]) != expected:
                    raise DataError(f"rows {rows.start} to {rows.stop - 1} are damaged; {REMEDY}", path=path)


def _as_tensor(array: AnyArray) -> Tensor:
    """The map as a tensor, which gathers rows two to three times as fast as numpy. It is never written to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


def open_latents(folder: Path, expected: CacheLayout | None = None) -> LatentRows:
    """A finished cache; raises DataError if it is unfinished, truncated, damaged, or not the one `expected`.

    Damage is not repaired by itself: the disk may be failing. Values are compared with their checksums up to
    `CHECKED_BYTES`; `LatentRows.check` compares all.
    """
    record = _read_record(folder)
    layout = record.layout
    if expected is not None and layout != expected:
        raise DataError(f"holds latents of another model or other data; {REMEDY}", path=folder)
    for path, shape in zip(array_files(folder, layout), layout.shapes, strict=True):
        if (found := problem(path, layout, shape)) is not None:
            raise DataError(f"{found}; {REMEDY}", path=path)
    rows = LatentRows(folder, record, [mapped(path) for path in array_files(folder, layout)], _ranges(folder, layout))
    rows.check(CHECKED_BYTES)
    return rows


def _read_record(folder: Path) -> CacheRecord:
    path = folder / RECORD_NAME
    try:
        record = CacheRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DataError("is no finished cache of latents", path=folder) from None
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path=path) from error
    except ValidationError as error:
        raise DataError(
            f"is damaged or of another version ({error.errors()[0]['msg']}); {REMEDY}", path=path
        ) from error
    if len(record.checksums) != record.layout.num_chunks:
        raise DataError(f"is damaged; {REMEDY}", path=path)
    return record


def _ranges(folder: Path, layout: CacheLayout) -> Tensor:
    """[chunks, arrays, C, 2]."""
    path = folder / RANGES_NAME
    array = np.array(mapped(path))
    expected = (layout.num_chunks, len(layout.shapes), layout.shape[0], 2)
    if array.shape != expected or array.dtype != np.float32:
        raise DataError(f"does not belong to this cache; {REMEDY}", path=path)
    return torch.from_numpy(array)
