"""Reads the code of pages that were not shown yet, bit by bit while nobody does anything, so that they open quickly.

numpy alone takes a third of a second, and the pages' modules as long again; read at the first click, they would stall
it.
"""

import importlib
import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

TICK_MS = 60
QUIET_S = 0.6
"""Nothing is read so shortly after a key or a click."""
MODULES = (
    "app.ui.widgets.image_view.grid_view",
    "app.ui.widgets.chart.scale",
    "app.ui.widgets.chart.curve",
    "app.ui.widgets.chart.plot",
    "app.ui.widgets.chart",
    "app.ui.widgets.compare.panel",
    "app.ui.widgets.compare.stage",
    "app.ui.widgets.compare.center",
    "app.ui.widgets.compare.latent_tab",
    "app.ui.widgets.compare.bench_tab",
    "app.ui.widgets.compare.inspector",
    "app.ui.widgets.train.no_run",
    "app.ui.widgets.train.live_view",
    "app.ui.widgets.train.new_run",
)
"""In an order in which each brings only a few others."""
_ACTIVITY = (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel)


class ReadingAhead(QObject):
    """numpy in a thread, for it is one large piece; then a module at a time."""

    def __init__(
        self, app: QApplication, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._app = app
        self._clock = clock
        self._modules = list(MODULES)
        self._active_s = self._clock()
        self._numpy = threading.Thread(target=importlib.import_module, args=("numpy",), name="read-numpy", daemon=True)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to read."""
        return not self._modules

    def start(self) -> None:
        """Begin once the window stands."""
        self._app.installEventFilter(self)
        self._numpy.start()
        self._timer.start()

    def stop(self) -> None:
        """Leave the rest unread."""
        self._timer.stop()
        self._app.removeEventFilter(self)
        if self._numpy.ident is not None:
            self._numpy.join()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notes that somebody is at work; takes nothing."""
        if event.type() in _ACTIVITY:
            self._active_s = self._clock()
        return False

    def _on_timeout(self) -> None:
        if self._numpy.is_alive() or self._clock() - self._active_s < QUIET_S:
            return
        if self._modules:
            importlib.import_module(self._modules.pop(0))
        else:
            self.stop()
