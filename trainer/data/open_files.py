"""Pieces of large files, read from any thread or process: opened when first needed, and never too many at once."""

import os
import threading
from collections import OrderedDict
from typing import Any

MOST_OPEN = 64
_LONGEST_READ = 2**30  # Linux reads less than 2^31 bytes at once


class _OpenFile:
    """One open file; it closes when the last one who reads from it lets go."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()

    def read(self, offset: int, num_bytes: int) -> bytes:
        """The bytes at `offset`; fewer where the file ends before."""
        pieces: list[bytes] = []
        while num_bytes > 0 and (piece := self._piece(offset, min(num_bytes, _LONGEST_READ))):
            pieces.append(piece)
            offset, num_bytes = offset + len(piece), num_bytes - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, offset: int, num_bytes: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, num_bytes, offset)
        with self._lock:  # Windows has one position per file
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            return os.read(self._descriptor, num_bytes)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


class OpenFiles:
    """Reads pieces of files; the ones used last stay open. A pickled copy begins with none."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, _OpenFile] = OrderedDict()
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, _state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]

    def read(self, path: str, offset: int, num_bytes: int) -> bytes:
        """`num_bytes` at `offset`; fewer where the file ends before. Raises OSError."""
        with self._lock:
            file = self._files.pop(path, None) or _OpenFile(path)
            self._files[path] = file
            if len(self._files) > MOST_OPEN:
                self._files.popitem(last=False)
        return file.read(offset, num_bytes)
