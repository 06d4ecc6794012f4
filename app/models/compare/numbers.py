"""The numbers of all candidates as a table, and as text to copy or keep."""

import csv
import io
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.compare.candidates import CandidateKind, Shown
from app.models.compare.figures import Metric, best_rows, metrics

MEASURED = (CandidateKind.FILE, CandidateKind.MODEL, CandidateKind.CODEC)
AnyIndex = QModelIndex | QPersistentModelIndex
BestRole = Qt.ItemDataRole.UserRole
ShownRole = Qt.ItemDataRole.UserRole + 1


class NumbersModel(QAbstractTableModel):
    """One row per candidate but the original, one column per measure; the first is its name."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._metrics = metrics()
        self._rows: tuple[Shown, ...] = ()
        self._best: tuple[frozenset[int], ...] = (frozenset(),) * len(self._metrics)

    @property
    def rows(self) -> tuple[Shown, ...]:
        """What is on show."""
        return self._rows

    def set_shown(self, shown: tuple[Shown, ...]) -> None:
        """Other numbers."""
        rows = tuple(each for each in shown if each.figures or each.candidate.kind in MEASURED)
        is_same_size = len(rows) == len(self._rows)
        if not is_same_size:
            self.beginResetModel()
        self._rows = rows
        self._best = tuple(best_rows(metric, [_value(row, metric) for row in rows]) for metric in self._metrics)
        if not is_same_size:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, self.columnCount() - 1))

    def key(self, column: int) -> str:
        """Which figure a column shows; the first shows names."""
        return self._metrics[column - 1].key if column else ""

    # ---- the item model -------------------------------------------------------------------------------------------

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """Candidates."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex | None = None) -> int:
        """Name and measures."""
        return 0 if parent is not None and parent.isValid() else 1 + len(self._metrics)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles, and what they mean."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return (
                Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            ) | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return self._metrics[section - 1].title if section else self.tr("Candidate")
        if role == Qt.ItemDataRole.ToolTipRole and section:
            return self._metrics[section - 1].help
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A number as text, whether it is the best, and all in words for screen readers."""
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == ShownRole:
            return self._rows[row]
        if role == BestRole:
            return column > 0 and row in self._best[column - 1]
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, column)
        return None

    def _text(self, row: int, column: int) -> str:
        if not column:
            return self._rows[row].candidate.title
        metric = self._metrics[column - 1]
        text = metric.text(_value(self._rows[row], metric))
        figures = self._rows[row].figures
        if metric.key != "bits_per_pixel" or figures is None or text == "–":
            return text
        before, behind = ("≤\u202f" if figures.is_bound else ""), (" ▲" if figures.is_floor else "")
        return f"{before}{text}{behind}"

    def _tip(self, row: int, column: int) -> str | None:
        figures = self._rows[row].figures
        if not column:
            return self._rows[row].words or self._rows[row].candidate.title
        if figures is None or self._metrics[column - 1].key != "bits_per_pixel":
            return self._metrics[column - 1].help
        if figures.is_floor:
            return self.tr("The codec cannot go as low: this is its smallest file.")
        if figures.is_bound:
            return self.tr("An upper bound on the information in the latent, not a file size.")
        return self.tr("The size of the codec's file.")

    def _spoken(self, row: int, column: int) -> str:
        text = self._text(row, column)
        if not column:
            return text
        best = self.tr(", best") if self.data(self.index(row, column), BestRole) else ""
        return f"{self._metrics[column - 1].title} {text}{best}"

    # ---- as text --------------------------------------------------------------------------------------------------

    def csv_text(self) -> str:
        """All of it with full precision, for a spreadsheet."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        keys = [metric.key for metric in self._metrics]
        writer.writerow(["candidate", *keys, "bits_are_a_bound", "is_floor", "setting"])
        for row in self._rows:
            figures = row.figures
            values = [_value(row, metric) for metric in self._metrics]
            facts = [figures.is_bound, figures.is_floor, figures.setting] if figures else ["", "", ""]
            writer.writerow([row.candidate.title, *("" if value is None else value for value in values), *facts])
        return stream.getvalue()

    def tab_text(self, indexes: list[Any]) -> str:
        """The chosen cells, tabs between columns."""
        by_row: dict[int, list[Any]] = {}
        for index in sorted(indexes, key=lambda index: (index.row(), index.column())):
            by_row.setdefault(index.row(), []).append(index)
        return "\n".join("\t".join(str(index.data()) for index in row) for row in by_row.values())


def _value(row: Shown, metric: Metric) -> float | None:
    return row.figures.value(metric.key) if row.figures else None
