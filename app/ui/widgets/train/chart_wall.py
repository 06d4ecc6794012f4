"""The charts of a run side by side; each is drawn anew only while it is in sight, one at a time."""

import time
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.models.runs.chart_specs import ChartKind, ChartSpec, specs_for
from app.models.runs.run_view import RunView
from app.models.runs.runs import ChartOptions, Runs
from app.ui.theme.tokens import SPACING
from app.ui.widgets.chart import Chart, Legend, Series
from app.ui.widgets.chart.palette import series_colour
from app.ui.widgets.chart.readout import Readout
from app.ui.widgets.train.run_series import Drawn, axes_of, drawn_together, marks_of, series_of, title_of

CHART_WIDTH_PX, CHART_HEIGHT_PX = 330, 250
MAX_COLUMNS = 4
TURN_MS = 20
"""Between two charts, at least: painting and the person's own events get their turn."""
FREE_SHARE = 8
"""Charts take a ninth of the time at most: after each the window is left alone for so many times as long."""


@dataclass
class _Card:
    spec: ChartSpec
    frame: QFrame
    chart: Chart
    is_stale: bool = True
    is_log: bool | None = None
    """What a person chose for the vertical axis; None: the chart's own."""
    drawn_at: float = 0.0


class ChartWall(QScrollArea):
    """Follows the run in front and those laid over it."""

    picked = Signal(object)  # Readout

    def __init__(self, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._view: RunView | None = None
        self._cards: dict[str, _Card] = {}
        self._names: frozenset[str] = frozenset()
        self._columns = 0
        self._hidden_runs: set[str] = set()
        self.legend = Legend()
        """Names the runs while several lie over each other; it stands outside, above what scrolls."""
        self.legend.hide()
        self.legend.toggled.connect(self._on_run_toggled)
        self._body = QWidget()
        self._body.setProperty("role", "plain")
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, SPACING.xs, 0)
        self._grid.setSpacing(SPACING.m)
        self._turns = QTimer(self)
        self._turns.setInterval(TURN_MS)
        self._turns.timeout.connect(self._on_turn)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(self._body)
        self.verticalScrollBar().valueChanged.connect(self._wake)
        runs.options_changed.connect(self._on_options_changed)
        runs.overlays_changed.connect(self._on_overlays_changed)

    @property
    def charts(self) -> dict[str, Chart]:
        """By name."""
        return {name: card.chart for name, card in self._cards.items()}

    @property
    def is_settled(self) -> bool:
        """Whether every chart in sight shows what is known."""
        return not any(card.is_stale and self._is_in_sight(card) for card in self._cards.values())

    def set_run(self, view: RunView | None) -> None:
        """Another run in front."""
        if self._view is not None and self._view is not view:
            self._view.figures_changed.disconnect(self._on_figures_changed)
        if view is not None and view is not self._view:
            # A run that lay over another one is connected already.
            view.figures_changed.connect(self._on_figures_changed, Qt.ConnectionType.UniqueConnection)
        self._view = view
        for card in self._cards.values():
            card.chart.set_series(())
            card.chart.reset_view()
        self._on_figures_changed()

    # ---- which charts there are -----------------------------------------------------------------------------------

    def _drawn(self) -> list[Drawn]:
        return drawn_together((self._view, *self._runs.overlays)) if self._view is not None else []

    def _show_legend(self) -> None:
        drawn = self._drawn()
        keys = [Series(each.name, (), (), colour=series_colour(each.place)) for each in drawn]
        self.legend.set_series(tuple(keys), [each.name not in self._hidden_runs for each in drawn])

    def _on_run_toggled(self, choice: Any) -> None:
        index, is_visible = choice
        (self._hidden_runs.discard if is_visible else self._hidden_runs.add)(self._drawn()[index].name)
        self._stale()

    def _on_figures_changed(self) -> None:
        self._show_legend()
        names = frozenset(name for drawn in self._drawn() for name in drawn.view.figures)
        if names != self._names:
            self._names = names
            self._arrange_cards(specs_for(names))
        self._stale()

    def _arrange_cards(self, specs: tuple[ChartSpec, ...]) -> None:
        if [spec.name for spec in specs] == list(self._cards):
            return
        old = self._cards
        self._cards = {spec.name: old.get(spec.name) or self._card(spec) for spec in specs}
        for name, card in old.items():
            if name not in self._cards:
                card.frame.hide()
                card.frame.deleteLater()
        self._lay_out()

    def _card(self, spec: ChartSpec) -> _Card:
        frame = QFrame(self._body)
        frame.setProperty("role", "card")
        frame.setMinimumHeight(CHART_HEIGHT_PX)
        chart = Chart(spec.title, frame)
        chart.set_wheel_shared(True)
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(SPACING.m, SPACING.s, SPACING.s, SPACING.s)
        layout.addWidget(chart)
        chart.axes_chosen.connect(self._on_axes_chosen)
        chart.readout_changed.connect(self._on_readout_changed)
        chart.picked.connect(self.picked)
        return _Card(spec, frame, chart)

    def _lay_out(self) -> None:
        width = self.viewport().width()
        self._columns = max(1, min(MAX_COLUMNS, width // CHART_WIDTH_PX))
        for place, card in enumerate(self._cards.values()):
            self._grid.addWidget(card.frame, place // self._columns, place % self._columns)
            card.frame.show()
        for column in range(MAX_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < self._columns else 0)
        num_rows = -(-len(self._cards) // self._columns)
        for row in range(self._grid.rowCount() + 1):
            self._grid.setRowStretch(row, 1 if row == num_rows else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, another number of columns."""
        super().resizeEvent(event)
        if max(1, min(MAX_COLUMNS, self.viewport().width() // CHART_WIDTH_PX)) != self._columns:
            self._lay_out()
        self._wake()

    def showEvent(self, event: QShowEvent) -> None:
        """What was not in sight may be stale."""
        super().showEvent(event)
        self._wake()

    # ---- what they show -------------------------------------------------------------------------------------------

    def _wake(self, _value: int = 0) -> None:
        if not self._turns.isActive():
            self._turns.start()

    def _on_turn(self) -> None:
        """The next chart that is in sight and stale; those that waited longest first."""
        for card in sorted(self._cards.values(), key=lambda card: card.drawn_at):
            if card.is_stale and self._is_in_sight(card):
                began = time.perf_counter()
                self._draw(card)
                card.chart.plot.repaint()
                spent_ms = 1000 * (time.perf_counter() - began)
                self._turns.setInterval(round(max(TURN_MS, FREE_SHARE * spent_ms)))
                return
        self._turns.stop()

    def _is_in_sight(self, card: _Card) -> bool:
        if not self.isVisible():
            return False
        place = QRect(card.frame.mapTo(self.viewport(), QPoint()), card.frame.size())
        return place.intersects(self.viewport().rect())

    def _draw(self, card: _Card) -> None:
        card.is_stale = False
        card.drawn_at = time.perf_counter()
        options, spec = self._runs.options, card.spec
        is_log = spec.is_log if card.is_log is None else card.is_log
        card.chart.set_axes(*axes_of(spec, options, is_log_y=is_log))
        card.chart.set_smoothing(options.smoothing)
        card.chart.set_marks(marks_of(spec, options))
        drawn = self._drawn()
        card.chart.set_title(title_of(spec, drawn))
        card.chart.set_legend(len(drawn) < 2 or spec.kind is ChartKind.BANDS)
        shown = [each for each in drawn if len(drawn) < 2 or each.name not in self._hidden_runs]
        card.chart.set_series([series for each in shown for series in series_of(spec, options, each)])

    def _stale(self) -> None:
        for card in self._cards.values():
            card.is_stale = True
        self._wake()

    def _on_options_changed(self, _options: ChartOptions) -> None:
        self._stale()

    def _on_overlays_changed(self) -> None:
        for view in self._runs.overlays:
            view.figures_changed.connect(self._on_figures_changed, Qt.ConnectionType.UniqueConnection)
        self._on_figures_changed()

    def _on_axes_chosen(self) -> None:
        """A person wants the vertical axis otherwise: that outlives the next figures."""
        for card in self._cards.values():
            if card.chart is self.sender():
                card.is_log = card.chart.axes[1].is_log

    def _on_readout_changed(self, found: Readout | None) -> None:
        """The same step in all charts."""
        sender = self.sender()
        is_trail = any(card.chart is sender and card.spec.kind is ChartKind.TRAIL for card in self._cards.values())
        x = found.x if found is not None and not is_trail else None
        for card in self._cards.values():
            if card.spec.kind is not ChartKind.TRAIL and card.chart is not sender:
                card.chart.set_cursor(x)
