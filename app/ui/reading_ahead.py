"""Does what the first paint need not wait for, bit by bit while nobody does anything: pages open quickly later.

numpy alone takes a third of a second, and the pages' modules as long again; read at the first click, they would stall
it.
"""

import importlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

TICK_MS = 60
QUIET_S = 0.6
"""Nothing is done so shortly after a key or a click."""
LARGE = (
    "psutil",
    "numpy",
    "pydantic",
    "trainer.config",
    "trainer.data.check.report",
    "trainer.recipes",
    "trainer.cost",
    "trainer.sweep.points",
    "trainer.sweep.results",
)
"""In one piece each, and without Qt: read in a thread therefore."""
RUN_MODULES = (
    "app.models.runs.runs",
    "app.studio.training_watch",
    "app.services.run_control",
)
PAGE_MODULES = (
    "app.models.compare.findings",
    "app.models.compare.comparison",
    "app.studio.compare",
    "app.studio.folder_report",
    "app.models.gallery.gallery",
    "app.studio.gallery",
    "app.models.desk.desk",
    "app.studio.model_keeper",
    "app.ui.pages.train",
    "app.ui.pages.compare",
    "app.ui.pages.library",
    "app.ui.pages.models",
    "app.ui.pages.settings",
    "app.ui.widgets.image_view.grid_view",
    "app.ui.widgets.single_view",
    "app.ui.widgets.export_dialog",
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
    "app.models.new_run.new_run",
    "app.studio.training",
    "app.ui.widgets.train.new_run.data_step",
    "app.ui.widgets.train.new_run.model_step",
    "app.ui.widgets.train.new_run.start_step",
)
"""Each in an order in which every name brings only a few others."""
_ACTIVITY = (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel)


def reading(modules: Sequence[str]) -> list[Callable[[], object]]:
    """A step for each module that reads it."""
    return [partial(importlib.import_module, name) for name in modules]


class ReadingAhead(QObject):
    """Large libraries in a thread, then a step at a time."""

    def __init__(
        self,
        app: QApplication,
        steps: Sequence[Callable[[], object]],
        parent: QObject | None = None,
        *,
        is_busy: Callable[[], bool] = bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_busy` says whether something moves on the screen that a step would hold up."""
        super().__init__(parent)
        self._app = app
        self._is_busy = is_busy
        self._clock = clock
        self._steps = deque(steps)
        self._active_s = self._clock()
        self._thread = threading.Thread(target=_read_large, name="reading-ahead", daemon=True)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_timeout)

    def do_next(self, step: Callable[[], object]) -> None:
        """A step before the others: the rest of one that is done in pieces."""
        self._steps.appendleft(step)

    @property
    def num_left(self) -> int:
        """Steps that were not done yet."""
        return len(self._steps)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do."""
        return not self._steps

    def start(self) -> None:
        """Begin once the window stands."""
        self._app.installEventFilter(self)
        self._thread.start()
        self._timer.start()

    def stop(self) -> None:
        """Leave the rest undone."""
        self._timer.stop()
        self._app.removeEventFilter(self)
        if self._thread.ident is not None:
            self._thread.join()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notes that somebody is at work; takes nothing."""
        if event.type() in _ACTIVITY:
            self._active_s = self._clock()
        return False

    def _on_timeout(self) -> None:
        if self._thread.is_alive() or self._is_busy() or self._clock() - self._active_s < QUIET_S:
            return
        if self._steps:
            self._steps.popleft()()
        else:
            self.stop()


def _read_large() -> None:
    for name in LARGE:
        importlib.import_module(name)
