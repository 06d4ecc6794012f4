"""What the look through the data found: counts, sizes, shapes, problems, and the tensors themselves."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.models.new_run.facts import Fact, data_facts
from app.models.new_run.new_run import NewRun
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label
from app.ui.widgets.train.new_run.bars import Bars
from app.ui.widgets.train.new_run.look_field import LookField
from app.ui.widgets.train.new_run.problem_list import ProblemList
from app.ui.widgets.train.new_run.sheet_view import SheetView
from trainer.data.check.report import Count, DataReport, Verdict

COLUMNS = 4


class DataReportView(QWidget):
    """Hidden until there is a report."""

    def __init__(self, model: NewRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown: DataReport | None = None
        self._verdict = label("", "emphasis", is_wrapped=True)
        self._facts = QWidget(self)
        self._shorter = Bars(self.tr("Shorter side, in pixels"), self)
        self._aspects = Bars(self.tr("Width to height"), self)
        self._classes = Bars(self.tr("Classes"), self)
        self._words = Bars(self.tr("Frequent words in the captions"), self)
        self.problems = ProblemList(self)
        self.look = LookField(model, self)
        self.sheet = SheetView(model, self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACING.m)
        bars = QHBoxLayout()
        bars.setSpacing(SPACING.m)
        for each in (self._shorter, self._aspects, self._classes, self._words):
            bars.addWidget(each, 1, Qt.AlignmentFlag.AlignTop)
        self._layout.addWidget(self._verdict)
        self._layout.addWidget(self.problems)
        self._layout.addWidget(self._facts)
        self._layout.addLayout(bars)
        self._layout.addWidget(self.look)
        self._layout.addWidget(self.sheet)
        model.state_changed.connect(self._on_state_changed)
        self._on_state_changed(model.state)

    def _on_state_changed(self, state: Any) -> None:
        self.setVisible(state.report is not None)
        if state.report is not self._shown:
            self._shown = state.report
            if state.report is not None:
                self._show(state.report, is_scenes=state.is_scenes)

    def _show(self, report: DataReport, *, is_scenes: bool) -> None:
        self._verdict.setText(self._verdict_words(report))
        self._show_facts(data_facts(report, is_scenes=is_scenes))
        sizes = report.sizes
        self._shorter.show_counts([(bar.label, bar.count) for bar in sizes.shorter] if sizes is not None else [])
        self._aspects.show_counts([(bar.label, bar.count) for bar in sizes.aspects] if sizes is not None else [])
        self._classes.show_counts(_pairs(report.classes.counts) if not is_scenes else [])
        self._words.show_counts(_pairs(report.captions.frequent) if report.captions.num_with else [])
        self.problems.show_problems(report.problems)

    def _verdict_words(self, report: DataReport) -> str:
        words = {
            Verdict.READY: self.tr("This data is ready to train on."),
            Verdict.USABLE: self.tr("This data can be used; a look at the remarks pays."),
            Verdict.BLOCKED: self.tr("This data cannot be trained on yet."),
        }
        return words[report.verdict]

    def _show_facts(self, facts: tuple[Fact, ...]) -> None:
        old, self._facts = self._facts, QWidget(self)
        grid = QGridLayout(self._facts)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACING.s)
        for place, fact in enumerate(facts):
            grid.addWidget(_tile(fact, self._facts), place // COLUMNS, place % COLUMNS)
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)
        self._layout.replaceWidget(old, self._facts)
        old.hide()
        old.deleteLater()


def _tile(fact: Fact, parent: QWidget) -> QFrame:
    tile = QFrame(parent)
    tile.setProperty("role", "inset")
    column = QVBoxLayout(tile)
    column.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.s)
    column.setSpacing(0)
    column.addWidget(label(fact.title, "caption", is_wrapped=True))
    value = label(fact.value, "strong", is_wrapped=True)
    value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    column.addWidget(value)
    if fact.note:
        column.addWidget(label(fact.note, "caption", is_wrapped=True))
    column.addStretch(1)
    return tile


def _pairs(counts: tuple[Count, ...]) -> list[tuple[str, int]]:
    return [(each.name, each.count) for each in counts]
