"""Notices when other programs change the folder of results."""

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from app.services.gallery.place import OWN_NAME, STARS_NAME

SETTLE_MS = 400
MAX_FOLDERS = 40
"""The newest days; older ones are looked at when the page is shown."""


class GalleryWatch(QObject):
    """Waits until a change has settled, then says which folders to look at."""

    folder_changed = Signal(object)  # str: below the root; empty: all
    stars_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watcher: QFileSystemWatcher | None = None
        self._root = Path()
        self._changed: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self._on_settled)

    def watch(self, root: Path, folders: tuple[str, ...]) -> None:
        """Watch the root and these folders below it, and nothing else."""
        if self._watcher is None:
            self._watcher = QFileSystemWatcher(self)
            self._watcher.directoryChanged.connect(self._on_changed)
            self._watcher.fileChanged.connect(self._on_changed)
        if root != self._root:
            self._changed.clear()  # of another library
        self._root = root
        wanted = {str(root), self._stars, *(str(root / folder) for folder in folders[:MAX_FOLDERS])}
        present = {*self._watcher.directories(), *self._watcher.files()}
        if present - wanted:
            self._watcher.removePaths(sorted(present - wanted))
        if wanted - present:
            self._watcher.addPaths(sorted(wanted - present))

    def stop(self) -> None:
        """Watch nothing any more."""
        self._timer.stop()
        if self._watcher is not None:
            self._watcher.deleteLater()
            self._watcher = None

    @property
    def _stars(self) -> str:
        return str(self._root / OWN_NAME / STARS_NAME)

    def _on_changed(self, path: str) -> None:
        self._changed.add(path)
        self._timer.start()

    def _on_settled(self) -> None:
        changed, self._changed = self._changed, set()
        if self._stars in changed:
            self.stars_changed.emit()
            changed.discard(self._stars)
        if str(self._root) in changed:
            self.folder_changed.emit("")
            return
        for path in sorted(changed):
            self.folder_changed.emit(Path(path).relative_to(self._root).as_posix())
