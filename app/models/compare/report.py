"""Measuring a whole folder: what is wished, how far it is, and where the report lies."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QObject, Signal


class ReportPhase(StrEnum):
    """Where it stands."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class ReportWish:
    """What to measure, and with what."""

    folder: str
    model: str
    preset: str
    limit: int = 0
    """So many pictures from the beginning; 0: all."""
    is_anew: bool = False
    """Throw away what a former, interrupted run left."""


@dataclass(frozen=True)
class ReportView:
    """One moment."""

    phase: ReportPhase = ReportPhase.IDLE
    line: str = ""
    fraction: float = 0.0
    page: str = ""
    """The report for a browser."""
    table: str = ""
    """The table for a spreadsheet."""
    num_samples: int = 0
    num_broken: int = 0
    worst: tuple[str, ...] = ()
    """Paths of the worst pictures, the worst first."""
    problem: str = ""
    can_begin_anew: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether the child process lives."""
        return self.phase in (ReportPhase.RUNNING, ReportPhase.STOPPING)


class FolderReport(QObject):
    """Compares, stores, tells. One report at a time."""

    view_changed = Signal(object)  # ReportView
    start_requested = Signal(object)  # ReportWish
    stop_requested = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = ReportView()
        self.wish: ReportWish | None = None

    @property
    def view(self) -> ReportView:
        """Now."""
        return self._view

    def start(self, wish: ReportWish) -> bool:
        """Measure a folder; False while another is being measured."""
        if self._view.is_busy:
            return False
        self.wish = wish
        self._set(ReportView(ReportPhase.RUNNING))
        self.start_requested.emit(wish)
        return True

    def stop(self) -> None:
        """Stop; what is measured stays, and the same wish goes on from there."""
        if self._view.phase is ReportPhase.RUNNING:
            self._set(replace(self._view, phase=ReportPhase.STOPPING))
            self.stop_requested.emit()

    def update(self, **changes: Any) -> None:
        """News of the child process."""
        self._set(replace(self._view, **changes))

    def _set(self, view: ReportView) -> None:
        if view != self._view:
            self._view = view
            self.view_changed.emit(view)
