"""Plays the clip under the pointer, right in the grid."""

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QTimer, Signal

from app.models.results import EntryRole, Tile

FASTEST_MS = 33
"""Thirty pictures a second are enough for a small moving picture."""


class HoverPlay(QObject):
    """Knows which frame of which clip is due; whoever paints asks it."""

    frame_due = Signal(object)  # QModelIndex

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._index = QPersistentModelIndex()
        """Persistent: rows come and go while the pointer rests."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timeout)
        self.key: tuple[str, int] | None = None
        self.frame = 0
        self._step = 1

    def enter(self, index: QModelIndex) -> None:
        """The pointer is over this row, or over none."""
        tile = index.data(EntryRole) if index.isValid() else None
        key = (tile.job_id, tile.index) if isinstance(tile, Tile) and _can_play(tile) else None
        if key == self.key:
            return
        left, self._index, self.key, self.frame = self._index, QPersistentModelIndex(index), key, 0
        if left.isValid():
            self.frame_due.emit(_now(left))
        if key is None or not isinstance(tile, Tile) or tile.clip is None:
            self._timer.stop()
            return
        fps = tile.clip.fps or 1.0
        self._step = max(1, round(fps * FASTEST_MS / 1000))
        self._timer.start(max(FASTEST_MS, round(self._step * 1000 / fps)))

    def _on_timeout(self) -> None:
        tile = _now(self._index).data(EntryRole) if self._index.isValid() else None
        if not isinstance(tile, Tile) or (tile.job_id, tile.index) != self.key or tile.clip is None:
            self.enter(QModelIndex())
            return
        self.frame = (self.frame + self._step) % len(tile.clip.frames)
        self.frame_due.emit(_now(self._index))


def _can_play(tile: Tile) -> bool:
    return tile.is_moving and tile.clip is not None


def _now(index: QPersistentModelIndex) -> QModelIndex:
    return index.model().index(index.row(), index.column())
