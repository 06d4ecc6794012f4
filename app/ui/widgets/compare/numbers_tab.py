"""The numbers of all candidates: a table to read, to copy from, and to keep as CSV."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from app.models.compare.candidates import CandidateKind
from app.models.compare.comparison import Comparison
from app.models.compare.figures import metrics
from app.models.compare.keeping import at_its_level, levels_csv
from app.models.compare.ladder_curve import LadderCurve, ladder_curves, level_on_show
from app.models.compare.levels import Ladder
from app.models.compare.numbers import NumbersModel
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.chart import Axis, Chart, Series
from app.ui.widgets.compare.missing_measures import MissingMeasures
from app.ui.widgets.compare.numbers_table import ROW_PX, NumbersTable
from app.ui.widgets.compare.when_seen import WhenSeen
from app.ui.widgets.labels import label
from app.ui.widgets.quiet_inputs import QuietComboBox

MAX_ROWS = 8
CHART_FROM_PX = 400
"""Below this height the curve over the levels gives way to the numbers."""


class NumbersTab(WhenSeen, QWidget):
    """Table, its footnotes and its buttons."""

    csv_chosen = Signal(object)  # tuple[str, str]: path and text

    def __init__(self, compare: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = compare
        self._model = NumbersModel(self)
        self.table = NumbersTable(self._model, self)
        self._note = label("", "caption", is_wrapped=True)
        self.missing = MissingMeasures(self)
        self.unlike = label("", "caption", is_wrapped=True)
        self.unlike.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.measure = QuietComboBox(self)
        self.measure.setAccessibleName(self.tr("Measure along the ladder"))
        self._metrics = tuple(metric for metric in metrics() if metric.key != "bits_per_pixel")
        for metric in self._metrics:
            self.measure.addItem(self.tr("{measure} along the ladder").format(measure=metric.title), metric.key)
        self.chart = Chart("", self)
        self._drawn: tuple[str, Ladder | None, tuple[LadderCurve, ...]] = ("", None, ())
        self.chart.set_empty_text(self.tr("Curves over the levels of noise appear here as they are made."))
        copy = TextButton(self.tr("Copy"), "", "copy", self)
        save = TextButton(self.tr("Save as CSV…"), "", "save", self)
        copy.clicked.connect(self._on_copy)
        save.setToolTip(self.tr("The numbers of every level that is made"))
        save.clicked.connect(self._on_save)
        row = QHBoxLayout()
        row.setSpacing(SPACING.s)
        row.addWidget(copy)
        row.addWidget(save)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self.table)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self._note)
        layout.addWidget(self.missing)
        layout.addWidget(self.unlike)
        layout.addLayout(row)
        layout.addWidget(self.measure)
        layout.addWidget(self.chart, 1)
        self.measure.activated.connect(self._draw)
        self.follow(compare)

    def refresh(self) -> None:
        """Follow the comparison."""
        shown = tuple(at_its_level(self._compare, each) for each in self._compare.all_shown())
        self._model.set_shown(shown)
        has_codec = any(each.figures and not each.figures.is_bound for each in shown)
        has_floor = any(each.figures and each.figures.is_floor for each in shown)
        notes = [
            self.tr(
                "Bold: the best of its column. ≤ marks an upper bound on the latent's information, not a file size."
            )
        ]
        if has_codec:
            notes.append(self.tr("A codec's bits are those of its file."))
        if has_floor:
            notes.append(self.tr("▲ its smallest file: it cannot go as low."))
        self._note.setText(" ".join(notes))
        self.missing.show_missing(self._compare.missing_measures)
        unlike = [each for each in shown if each.candidate.kind is CandidateKind.FILE and each.words]
        self.unlike.setText("\n".join(f"{each.candidate.title}: {each.words}" for each in unlike))
        self.unlike.setVisible(bool(unlike))
        self._fit_table()
        self._draw()

    def _fit_table(self) -> None:
        """As high as its rows; a measure that nobody has takes no room."""
        rows = min(max(self._model.rowCount(), 1), MAX_ROWS)
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + ROW_PX * rows + 14)
        for column in range(1, self._model.columnCount()):
            values = [self._model.index(row, column).data() for row in range(self._model.rowCount())]
            is_lpips = self._model.key(column) == "lpips"
            self.table.setColumnHidden(column, is_lpips and all(value == "–" for value in values))

    def _draw(self, _row: Any = None) -> None:
        """The chosen measure of every model over the levels of the ladder on show; along the ladder only the cursor
        moves."""
        metric = self._metrics[max(0, self.measure.currentIndex())]
        ladder, curves = self._compare.view.view.ladder, ladder_curves(self._compare, metric.key)
        if (metric.key, ladder, curves) != self._drawn:
            self._drawn = metric.key, ladder, curves
            unit = "dB" if metric.key == "psnr_db" else ""
            self.chart.set_axes(self._levels(ladder), Axis(metric.title, unit))
            self.chart.set_series(
                [Series(curve.title, curve.levels, curve.values, has_dots=True, is_smoothed=False) for curve in curves]
            )
        self.chart.set_cursor(level_on_show(self._compare))

    def _levels(self, ladder: Ladder) -> Axis:
        """The axis runs as the ladder does."""
        if ladder is Ladder.LATENT:
            return Axis(self.tr("log-SNR: clean to noisy"), is_reversed=True)
        return Axis(self.tr("log-SNR: noisy to clean"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low window the table comes first."""
        has_room = self.height() >= CHART_FROM_PX
        self.measure.setVisible(has_room)
        self.chart.setVisible(has_room)
        super().resizeEvent(event)

    @property
    def numbers(self) -> NumbersModel:
        """The table behind the view."""
        return self._model

    def _on_copy(self) -> None:
        self.table.copy()

    def _on_save(self) -> None:
        dialog = QFileDialog(
            self, self.tr("Save the numbers as"), f"{Path(self._compare.source).stem or 'comparison'}.csv"
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("Table (*.csv)"))
        dialog.setDefaultSuffix("csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_place_chosen)
        dialog.open()

    def _on_place_chosen(self, path: str) -> None:
        self.csv_chosen.emit((path, levels_csv(self._compare)))
