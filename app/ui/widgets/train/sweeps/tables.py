"""The points of a sweep, and the paper's, as tables that can be copied."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QTreeView, QWidget

from app.models.sweeps.reading import SweepReport, SweepRow
from trainer.sweep.paper import TABLE_2
from trainer.sweep.results import COLUMNS

ROW_PX, HEAD_PX, GAP_PX = 26, 32, 20
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Table(QTreeView):
    """As high as its rows; Ctrl+C copies what is chosen, parted by tabs."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.header().setStretchLastSection(False)
        self.setAccessibleName(name)
        self._content: tuple[Sequence[str], Sequence[Sequence[str]]] = ((), ())

    @property
    def content(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """Head and rows."""
        return self._content

    def show_content(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show these; what is chosen stays chosen where nothing changed."""
        if (head, rows) == self._content:
            return
        self._content = (head, rows)
        self._items.clear()
        self._items.setHorizontalHeaderLabels(list(head))
        for row in rows:
            items = [QStandardItem(cell) for cell in row]
            for place, item in enumerate(items):
                item.setSizeHint(QSize(self.fontMetrics().horizontalAdvance(item.text()) + GAP_PX, ROW_PX))
                if place:
                    item.setTextAlignment(_RIGHT)
            self._items.appendRow(items)
        for column in range(len(head)):
            if column:
                self._items.setHeaderData(column, Qt.Orientation.Horizontal, _RIGHT, Qt.ItemDataRole.TextAlignmentRole)
            self.resizeColumnToContents(column)
        self.setFixedHeight(HEAD_PX + ROW_PX * max(1, len(rows)) + 6)

    def keyPressEvent(self, event: object) -> None:
        """Copying is ours."""
        if event.matches(QKeySequence.StandardKey.Copy):  # type: ignore[attr-defined]
            self.copy()
            return
        super().keyPressEvent(event)  # type: ignore[arg-type]

    def copy(self) -> None:
        """Put the chosen rows, or all, on the clipboard."""
        chosen = sorted({index.row() for index in self.selectionModel().selectedIndexes()})
        head, rows = self._content
        lines = [head, *(rows[row] for row in chosen or range(len(rows)))]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))


class PointsTable(Table):
    """A row per point."""

    def show_report(self, report: SweepReport) -> None:
        """Show how a sweep stands."""
        columns = [column for column in COLUMNS if any(_has(row, column.key) for row in report.rows)]
        axes = report.axes or (self.tr("point"),)
        head = (*axes, self.tr("state"), *(column.title for column in columns))
        rows = [
            (
                *(row.values if report.axes else (row.name,)),
                self._state(row.state),
                *(_number(row.figures.get(column.key), column.digits) for column in columns),
            )
            for row in report.rows
        ]
        self.show_content(head, rows)

    def _state(self, state: str) -> str:
        names = {
            "waiting": self.tr("waits"),
            "running": self.tr("at work"),
            "done": self.tr("measured"),
            "failed": self.tr("failed"),
            "stopped": self.tr("stopped"),
            "interrupted": self.tr("interrupted"),
        }
        return names.get(state, state)


def points_table(parent: QWidget) -> PointsTable:
    """The table of a sweep's points."""
    return PointsTable(parent.tr("Points of the sweep"), parent)


def paper_table(parent: QWidget) -> Table:
    """The paper's Table 2."""
    table = Table(parent.tr("The paper's Table 2"), parent)
    head = ("loss factor", "bits/pixel", "rFID", "PSNR (dB)", "gFID small", "gFID medium")
    rows = [
        (
            row.name,
            _number(row.bits_per_pixel, 3),
            _number(row.rfid, 2),
            _number(row.psnr_db, 1),
            _number(row.gfid_small, 2),
            _number(row.gfid_medium, 2),
        )
        for row in TABLE_2
    ]
    table.show_content(head, rows)
    return table


def _has(row: SweepRow, key: str) -> bool:
    return row.figures.get(key) is not None


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
