"""Slows a stream of news down to a rate that a person can see; the latest wins."""

from PySide6.QtCore import QObject, QTimer, Signal


class LatestWins(QObject):
    """Passes an item on at once if none was passed for a while, else keeps only the newest until its time comes."""

    released = Signal(object)

    def __init__(self, interval_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pending: object | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(interval_ms)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)

    def offer(self, item: object) -> None:
        """Take an item; it is passed on now, later, or never if a newer one comes first."""
        if self._timer.isActive():
            self._pending = item
        else:
            self._release(item)

    def flush(self) -> None:
        """Pass on what waits, before something that must come after it."""
        if self._pending is not None:
            self._release(self._pending)

    def drop(self) -> None:
        """Forget what waits."""
        self._pending = None
        self._timer.stop()

    def _release(self, item: object) -> None:
        self._pending = None
        self._timer.start()
        self.released.emit(item)

    def _on_timeout(self) -> None:
        if self._pending is not None:
            self._release(self._pending)
