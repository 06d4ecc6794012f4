"""A folder for what a child process is to read or leaves behind, made with the first file and removed in the end."""

import shutil
import tempfile
import threading
from pathlib import Path


class ScratchFolder:
    """For threads. What the system refuses is raised as OSError."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        """Where a file of this name lies, or will lie."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix=self._prefix))
            return self._folder / name

    def write(self, name: str, text: str) -> Path:
        """Make a file."""
        path = self.path(name)
        path.write_text(text, encoding="utf-8")
        return path

    def remove(self) -> None:
        """Remove the folder and all that is in it; what cannot be removed is left to the system."""
        with self._lock:
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
