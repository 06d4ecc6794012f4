"""The models that can be chosen: those that come with the program and the person's own."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ul_engine.metadata import EmbeddedRequest, folder_name
from ul_engine.model_folder import ModelEntry, list_models


def titles_of(entries: Sequence[ModelEntry]) -> tuple[str, ...]:
    """Names to show; models of one name are told apart by their folders."""
    names = [entry.name for entry in entries]
    return tuple(
        f"{entry.name} ({folder_name(entry.path)})" if names.count(entry.name) > 1 else entry.name for entry in entries
    )


class ModelLibrary(QObject):
    """All model folders below a few roots, usable or not."""

    models_changed = Signal(object)  # tuple[ModelEntry, ...]

    def __init__(self, roots: Sequence[Path], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.roots = tuple(roots)
        self._entries: tuple[ModelEntry, ...] = ()
        self._extra: tuple[ModelEntry, ...] = ()

    def set_own_root(self, folder: Path) -> None:
        """Another folder for the person's own models, the last of the roots."""
        if self.roots and self.roots[-1] != folder:
            self.roots = (*self.roots[:-1], folder)
            self.refresh()

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        """Everything found."""
        return self._entries

    @property
    def generators(self) -> tuple[ModelEntry, ...]:
        """Those to offer on the page Generate: able to generate, or broken (with their problem)."""
        return tuple(entry for entry in self._entries if entry.manifest is None or entry.manifest.can_generate)

    @property
    def usable(self) -> tuple[ModelEntry, ...]:
        """Those that can generate now."""
        return tuple(entry for entry in self._entries if entry.manifest is not None and entry.manifest.can_generate)

    def add(self, entry: ModelEntry) -> None:
        """Also offer a model from elsewhere, for this session."""
        if entry.path not in {known.path for known in self._entries}:
            self._extra = (*self._extra, entry)
            self._set((*self._entries, self._extra[-1]))

    def refresh(self) -> None:
        """Look at the folders again."""
        found = []
        for root in self.roots:
            try:
                found += list_models([root])
            except OSError as error:
                found.append(ModelEntry(path=str(root), name=root.name, problem=f"{root}: {error.strerror}"))
        paths = {entry.path for entry in found}
        self._set((*found, *(entry for entry in self._extra if entry.path not in paths)))

    def by_path(self, path: str) -> ModelEntry | None:
        """The entry of a folder."""
        return next((entry for entry in self._entries if entry.path == path), None)

    def match(self, embedded: EmbeddedRequest) -> ModelEntry | None:
        """The usable model that made a picture: by its folder's name, else by its own name."""
        for entry in self.usable:
            if folder_name(entry.path) == embedded.request.model:
                return entry
        return next((entry for entry in self.usable if entry.name == embedded.model_name), None)

    def _set(self, entries: tuple[ModelEntry, ...]) -> None:
        if entries != self._entries:
            self._entries = entries
            self.models_changed.emit(entries)
