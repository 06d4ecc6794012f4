"""All runs below the known folders, as an item model."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.models.runs.words import standing_line
from app.run_news import RunSummary

SummaryRole = int(Qt.ItemDataRole.UserRole)
AnyIndex = QModelIndex | QPersistentModelIndex


class RunList(QAbstractListModel):
    """Rows of `RunSummary`, those at work first. A row keeps its selection while only its state changes."""

    runs_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[RunSummary, ...] = ()
        self._is_known = False

    # ---- Qt's side ------------------------------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Rows of the list."""
        return 0 if parent.isValid() else len(self._runs)

    def data(self, index: AnyIndex, role: int = SummaryRole) -> Any:
        """The run, or its text for screen readers."""
        if not index.isValid():
            return None
        run = self._runs[index.row()]
        if role == SummaryRole:
            return run
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{run.name}. {standing_line(run.standing)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return run.path
        return None

    # ---- what it holds --------------------------------------------------------------------------------------------

    @property
    def runs(self) -> tuple[RunSummary, ...]:
        """All of them."""
        return self._runs

    @property
    def is_known(self) -> bool:
        """Whether the folders have been looked at."""
        return self._is_known

    @property
    def num_live(self) -> int:
        """Runs at work."""
        return sum(run.standing.condition.is_live for run in self._runs)

    def by_path(self, path: str) -> RunSummary | None:
        """The run of a folder."""
        return next((run for run in self._runs if run.path == path), None)

    def row_of(self, path: str) -> int | None:
        """The row of a folder."""
        return next((row for row, run in enumerate(self._runs) if run.path == path), None)

    # ---- what changes it ------------------------------------------------------------------------------------------

    def set_runs(self, runs: tuple[RunSummary, ...]) -> None:
        """What was found now."""
        was_known, self._is_known = self._is_known, True
        if was_known and [_still(run) for run in runs] == [_still(run) for run in self._runs]:
            self._runs = runs
            return
        if [run.path for run in runs] == [run.path for run in self._runs]:
            self._runs = runs
            if runs:
                self.dataChanged.emit(self.index(0), self.index(len(runs) - 1))
        else:
            self.beginResetModel()
            self._runs = runs
            self.endResetModel()
        self.runs_changed.emit()


def _still(run: RunSummary) -> RunSummary:
    """A run without what changes all the time and shows nowhere."""
    return replace(run, changed_s=0.0, standing=replace(run.standing, heartbeat_s=run.standing.heartbeat_s // 60))
