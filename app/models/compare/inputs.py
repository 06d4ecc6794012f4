"""The pictures and clips that are compared: a list, and the one now looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.pixels import Pixels


@dataclass(frozen=True)
class InputItem:
    """One picture or video file."""

    path: str
    size_px: tuple[int, int] | None = None
    """Width and height; None while it is not read."""
    num_frames: int = 1
    fps: float | None = None
    """Frames per second of a clip; None for a picture."""
    thumbnail: Pixels | None = None
    notes: tuple[str, ...] = ()
    """What one should know of the file, such as an end that is missing."""
    problem: str = ""
    """Why it cannot be read."""

    @property
    def name(self) -> str:
        """What people call it."""
        return Path(self.path).name


class CompareInputs(QObject):
    """Compares, stores, tells. Reading the files is for whoever hears `reading_requested`.

    Only small pictures of them are kept here: a hundred photographs would fill the memory.
    """

    inputs_changed = Signal(object)  # tuple[InputItem, ...]
    current_changed = Signal(object)  # InputItem | None
    pinned_changed = Signal(object)  # tuple[str, ...]
    reading_requested = Signal(object)  # str

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: tuple[InputItem, ...] = ()
        self._current = ""
        self._pinned: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[InputItem, ...]:
        """In the order they came."""
        return self._items

    @property
    def current(self) -> InputItem | None:
        """The one looked at."""
        return self.by_path(self._current)

    @property
    def pinned(self) -> tuple[str, ...]:
        """Files that stand beside whatever is looked at, as candidates."""
        return self._pinned

    def by_path(self, path: str) -> InputItem | None:
        """The item of a file."""
        return next((item for item in self._items if item.path == path), None)

    def add(self, paths: Iterable[str]) -> None:
        """Take files in, each once; the first new one (or the first named) is looked at."""
        wanted = list(dict.fromkeys(str(Path(path).absolute()) for path in paths))
        known = {item.path for item in self._items}
        new = [path for path in wanted if path not in known]
        if new:
            self._set((*self._items, *(InputItem(path) for path in new)))
        for path in new:
            self.reading_requested.emit(path)
        if wanted:
            self.choose((new or wanted)[0])

    def add_known(self, path: str) -> None:
        """Take a file in that somebody reads already."""
        if self.by_path(path) is None:
            self._set((*self._items, InputItem(path)))
        self.choose(path)

    def remove(self, path: str) -> None:
        """Let a file go; its neighbour is looked at."""
        paths = [item.path for item in self._items]
        if path not in paths:
            return
        place = paths.index(path)
        rest = tuple(item for item in self._items if item.path != path)
        self._set(rest)
        self.set_pinned(self._pinned)
        if path == self._current:
            self._choose(rest[min(place, len(rest) - 1)].path if rest else "")

    def set_pinned(self, paths: Iterable[str]) -> None:
        """Let these stand beside whatever is looked at; files that are not in the list do not count."""
        known = {item.path for item in self._items}
        pinned = tuple(path for path in dict.fromkeys(paths) if path in known)
        if pinned != self._pinned:
            new = set(pinned) - set(self._pinned)
            self._pinned = pinned
            for path in new:
                self.reading_requested.emit(path)
            self.pinned_changed.emit(pinned)

    def toggle_pin(self, path: str) -> None:
        """Pin a file, or let it go."""
        others = tuple(known for known in self._pinned if known != path)
        self.set_pinned(others if path in self._pinned else (*others, path))

    def clear(self) -> None:
        """Let all go."""
        self._set(())
        self.set_pinned(())
        self._choose("")

    def choose(self, path: str) -> None:
        """Look at a file."""
        if self.by_path(path) is not None:
            self._choose(path)

    def step(self, offset: int) -> None:
        """Look at a neighbour."""
        paths = [item.path for item in self._items]
        if self._current in paths:
            self.choose(paths[min(max(paths.index(self._current) + offset, 0), len(paths) - 1)])

    def note_read(self, item: InputItem) -> None:
        """A file was read; its pixels are kept with the findings."""
        self._replace(item.path, item)

    def note_problem(self, path: str, problem: str) -> None:
        """A file cannot be read."""
        self._replace(path, InputItem(path, problem=problem))

    def _replace(self, path: str, new: InputItem) -> None:
        if self.by_path(path) is None:
            return
        self._set(tuple(new if item.path == path else item for item in self._items))
        if path == self._current:
            self.current_changed.emit(self.current)

    def _choose(self, path: str) -> None:
        if path != self._current:
            self._current = path
            self.current_changed.emit(self.current)

    def _set(self, items: tuple[InputItem, ...]) -> None:
        if items != self._items:
            self._items = items
            self.inputs_changed.emit(items)
