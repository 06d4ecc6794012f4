"""Training runs: the list of all, the one in front, and those laid over it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.runs.run_list import RunList
from app.models.runs.run_view import RunView
from app.run_news import RunNews, RunSummary

X_AXES = ("step", "time", "images")
MAX_OVERLAYS = 7
"""The palette tells eight runs apart."""


@dataclass(frozen=True)
class ChartOptions:
    """How the charts of runs are drawn."""

    x: str = "step"
    """``step``, ``images`` or ``time``."""
    smoothing: float = 0.6
    is_log_x: bool = False
    has_references: bool = True
    """Whether the paper's Table 2 is shown."""


@dataclass(frozen=True)
class RunEnd:
    """A run is over, and was seen at work for so long."""

    run: RunSummary
    seen_s: float


class Runs(QObject):
    """Compares, stores, tells."""

    current_changed = Signal(object)  # RunView | None
    overlays_changed = Signal()
    watched_changed = Signal(object)  # tuple[str, ...]: folders to read
    options_changed = Signal(object)  # ChartOptions
    ended = Signal(object)  # RunEnd: a run that was at work is not any more

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._live_since: dict[str, float] = {}
        self.list = RunList(self)
        self.current: RunView | None = None
        self.overlays: tuple[RunView, ...] = ()
        self.options = ChartOptions()
        self.opened: tuple[str, ...] = ()
        """Run folders from elsewhere that a person has opened."""

    @property
    def watched(self) -> tuple[str, ...]:
        """Folders to read, the one in front first."""
        views = (*((self.current,) if self.current is not None else ()), *self.overlays)
        return tuple(view.path for view in views)

    def open(self, path: str) -> None:
        """Bring a run to the front; one that lay over another leaves its place there."""
        if self.current is not None and self.current.path == path:
            return
        old, overlaid = self.current, self._overlay(path)
        self.current = overlaid or RunView(path, self)
        if overlaid is not None:
            self.overlays = tuple(view for view in self.overlays if view is not overlaid)
        self._tell()
        if old is not None:
            old.deleteLater()

    def close_current(self) -> None:
        """No run in front."""
        old, self.current = self.current, None
        self._tell()
        if old is not None:
            old.deleteLater()

    def set_overlaid(self, path: str, is_overlaid: bool) -> None:
        """Lay a run over the one in front, or take it away."""
        found = self._overlay(path)
        is_current = self.current is not None and self.current.path == path
        if is_overlaid and found is None and not is_current and len(self.overlays) < MAX_OVERLAYS:
            self.overlays = (*self.overlays, RunView(path, self))
        elif not is_overlaid and found is not None:
            self.overlays = tuple(view for view in self.overlays if view is not found)
            found.deleteLater()
        else:
            return
        self.watched_changed.emit(self.watched)
        self.overlays_changed.emit()

    def restore(self, opened: tuple[str, ...], options: Mapping[str, Any]) -> None:
        """Take remembered ones over; options that make no sense stay as usual."""
        self.opened = opened
        x, smoothing = options.get("x"), options.get("smoothing")
        usual = ChartOptions()
        self.set_options(
            ChartOptions(
                x if x in X_AXES else usual.x,
                float(smoothing) if isinstance(smoothing, int | float) and 0 <= smoothing < 1 else usual.smoothing,
                options.get("is_log_x") is True,
                options.get("has_references") is not False,
            )
        )

    def add_opened(self, folder: str) -> None:
        """Remember a folder from elsewhere."""
        self.opened = tuple(dict.fromkeys((*self.opened, folder)))

    def set_options(self, options: ChartOptions) -> None:
        """Draw the charts otherwise."""
        if options != self.options:
            self.options = options
            self.options_changed.emit(options)

    def take(self, news: RunNews) -> None:
        """What is new in a run's folder; of one that is not watched any more it is late, and of no use."""
        view = self.view_of(news.path)
        if view is not None:
            view.take(news)

    def take_list(self, runs: tuple[RunSummary, ...]) -> None:
        """The runs that were found."""
        self.list.set_runs(runs)
        now = self._clock()
        for run in runs:
            if run.standing.condition.is_live:
                self._live_since.setdefault(run.path, now)
            elif run.path in self._live_since:
                self.ended.emit(RunEnd(run, now - self._live_since.pop(run.path)))

    def view_of(self, path: str) -> RunView | None:
        """The view of a folder under watch."""
        if self.current is not None and self.current.path == path:
            return self.current
        return self._overlay(path)

    def _overlay(self, path: str) -> RunView | None:
        return next((view for view in self.overlays if view.path == path), None)

    def _tell(self) -> None:
        self.watched_changed.emit(self.watched)
        self.current_changed.emit(self.current)
        self.overlays_changed.emit()
