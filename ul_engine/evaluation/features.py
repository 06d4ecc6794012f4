"""Features of samples in files, row by row, so that distances between sets survive an interruption."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ul_engine.errors import OutputError
from ul_engine.whole_files import check_space, explained

Side = Literal["original", "reconstructed", "generated"]
ROWS_AT_ONCE = 4096


class FeatureFile:
    """A matrix float32 `[num_rows, num_features]` in ``folder/name.npy``, written row by row in any order.

    Which rows hold something is not kept here: the journal names a sample only after its rows are on the disk. Raises
    OutputError: no space, or a file of another shape; with `must_exist` also where there is none.
    """

    def __init__(self, folder: Path, name: str, shape: tuple[int, int], *, must_exist: bool = False) -> None:
        self.path = folder / f"{name}.npy"
        self.shape = shape
        with explained(self.path):
            if not self.path.exists():
                if must_exist:
                    raise OutputError("is gone, and finished samples need it; begin anew (--restart)", path=self.path)
                folder.mkdir(parents=True, exist_ok=True)
                check_space(folder, 4 * shape[0] * shape[1])
                partial = self.path.with_suffix(".partial")
                np.lib.format.open_memmap(partial, "w+", np.float32, shape).flush()
                partial.replace(self.path)
            self._matrix = self._open()

    def _open(self) -> Any:
        try:
            np.lib.format.open_memmap(self.path, "r")  # "r+" would lengthen a file that was cut short
            matrix = np.lib.format.open_memmap(self.path, "r+")
        except ValueError as error:
            raise OutputError(f"is damaged ({error}); begin anew (--restart)", path=self.path) from error
        if matrix.shape != self.shape or matrix.dtype != np.float32:
            raise OutputError("belongs to another evaluation; begin anew (--restart)", path=self.path)
        return matrix

    def write(self, indices: Iterable[int], rows: Tensor) -> None:
        """Put `rows` [n, num_features] at `indices`; on the disk when this returns. Raises OutputError."""
        with explained(self.path):
            self._matrix[list(indices)] = rows.numpy()
            self._matrix.flush()

    def rows(self, indices: Iterable[int]) -> Iterator[Tensor]:
        """The rows at `indices` in their order, in parts."""
        wanted = list(indices)
        for first in range(0, len(wanted), ROWS_AT_ONCE):
            yield torch.from_numpy(self._matrix[wanted[first : first + ROWS_AT_ONCE]])
