"""Text files with prompts: one prompt a line, and the wildcards, one choice a line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Signal

from app.services.background import LatestTask

MAX_BYTES = 4 * 2**20
MAX_PROMPTS = 1000
MAX_PROMPT_CHARACTERS = 2000


@dataclass(frozen=True)
class PromptsRead:
    """A file's prompts; if there are none, why."""

    path: str
    prompts: tuple[str, ...] = ()
    problem: str = ""


class PromptFiles(QObject):
    """Reads off the window's thread. The folder of wildcards is watched: what changes there counts at once."""

    prompts_read = Signal(object)  # PromptsRead
    wildcards_read = Signal(object)  # Mapping[str, tuple[str, ...]]

    def __init__(self, wildcards: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wildcards_folder = wildcards
        self._prompts = LatestTask(self)
        self._prompts.finished.connect(self.prompts_read)
        self._wildcards = LatestTask(self)
        self._wildcards.finished.connect(self._on_wildcards_read)
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self.refresh)
        self._watcher.fileChanged.connect(self.refresh)

    def read_prompts(self, path: str) -> None:
        """Read a file of prompts."""
        self._prompts.start(lambda: read_prompts(path))

    def refresh(self, _path: str = "") -> None:
        """Read the wildcards again."""
        self._wildcards.start(lambda: read_wildcards(self.wildcards_folder))

    def _on_wildcards_read(self, files: Mapping[str, tuple[str, ...]]) -> None:
        folder = self.wildcards_folder
        read = [folder / f"{name}.txt" for name in files]
        folders = {folder, *(parent for path in read for parent in path.parents if folder in parent.parents)}
        wanted = [str(path) for path in (*read, *sorted(folders))]
        known = {*self._watcher.files(), *self._watcher.directories()}
        if new := [path for path in wanted if path not in known]:
            self._watcher.addPaths(new)
        self.wildcards_read.emit(files)


def read_prompts(path: str) -> PromptsRead:
    """The lines of a file without the empty ones and those that begin with #."""
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            return PromptsRead(path, problem="is too large for a list of prompts")
        lines = _lines(Path(path))
    except OSError as error:
        return PromptsRead(path, problem=f"cannot be read ({error.strerror or error})")
    except UnicodeDecodeError:
        return PromptsRead(path, problem="is no plain text")
    if not lines:
        return PromptsRead(path, problem="holds no prompt; write one on each line")
    if len(lines) > MAX_PROMPTS:
        return PromptsRead(path, problem=f"holds {len(lines)} prompts; {MAX_PROMPTS} at a time are possible")
    if any(len(line) > MAX_PROMPT_CHARACTERS for line in lines):
        return PromptsRead(path, problem=f"holds a line of more than {MAX_PROMPT_CHARACTERS} characters")
    return PromptsRead(path, lines)


def read_wildcards(folder: Path) -> dict[str, tuple[str, ...]]:
    """The lines of all text files below a folder, by name without the suffix; what cannot be read counts as absent."""
    found = {}
    for path in sorted(folder.rglob("*.txt")) if folder.is_dir() else []:
        try:
            lines = _lines(path) if path.stat().st_size <= MAX_BYTES else ()
        except (OSError, UnicodeDecodeError):
            continue
        if lines:
            found[path.relative_to(folder).with_suffix("").as_posix()] = lines
    return found


def _lines(path: Path) -> tuple[str, ...]:
    text = path.read_text(encoding="utf-8-sig")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
