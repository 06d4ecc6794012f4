"""One run, live: head, notices, and four ways to look at it."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.models.notices import ActionChoice
from app.models.runs import run_notices
from app.models.runs.report import report_of
from app.models.runs.run_notices import RunNotices
from app.models.runs.run_view import RunView
from app.models.runs.runs import Runs
from app.models.runs.wishes import RunVerb, RunWish
from app.services.preview_sheets import SheetImage
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.labels import label
from app.ui.widgets.notices_bar import NoticesBar
from app.ui.widgets.train.chart_toolbar import ChartToolbar
from app.ui.widgets.train.chart_wall import ChartWall
from app.ui.widgets.train.checkpoint_panel import CheckpointPanel
from app.ui.widgets.train.log_panel import LogPanel
from app.ui.widgets.train.preview_panel import PreviewPanel
from app.ui.widgets.train.run_header import RunHeader

TABS = ("charts", "previews", "checkpoints", "log")


class LiveView(QWidget):
    """Shows the run in front; emits wishes."""

    wished = Signal(object)  # RunWish
    clone_requested = Signal(object)  # str
    folder_requested = Signal(object)  # str
    publish_requested = Signal(object)  # str: a model folder
    sheet_wanted = Signal(object)  # SheetWish

    def __init__(self, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self.header = RunHeader(self)
        self.notices = RunNotices(self)
        self.notices_bar = NoticesBar(self.notices.board, self)
        self.toolbar = ChartToolbar(runs, self)
        self.wall = ChartWall(runs, self)
        self.previews = PreviewPanel(self)
        self.checkpoints = CheckpointPanel(self)
        self.log = LogPanel(self)
        self._nothing = label(
            self.tr(
                "The charts appear with the first logged step. Losses are in bits per pixel; the latent’s bits and the "
                "quality of the pictures are measured on held-out probes, the first time before step 0."
            ),
            "muted",
            is_wrapped=True,
        )
        self.stack = QStackedWidget(self)
        self._chips = self._tab_chips()
        self._build()
        self._connect()
        self.show_tab("charts")
        self._on_current_changed(runs.current)

    def _tab_chips(self) -> dict[str, Chip]:
        titles = {
            "charts": self.tr("Charts"),
            "previews": self.tr("Previews"),
            "checkpoints": self.tr("Checkpoints"),
            "log": self.tr("Log"),
        }
        chips = {}
        for name in TABS:
            chip = Chip(titles[name], name, "tab", self)
            chip.setCheckable(True)
            chip.clicked.connect(self._on_tab_clicked)
            chips[name] = chip
        return chips

    def _build(self) -> None:
        charts = QWidget(self)
        column = QVBoxLayout(charts)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING.s)
        column.addWidget(self.toolbar)
        column.addWidget(self.wall.legend)
        column.addWidget(self._nothing)
        column.addWidget(self.wall, 1)
        for page in (charts, self.previews, self.checkpoints, self.log):
            self.stack.addWidget(page)
        tabs = QHBoxLayout()
        tabs.setSpacing(SPACING.xs)
        for chip in self._chips.values():
            tabs.addWidget(chip)
        tabs.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.l, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self.header)
        layout.addWidget(self.notices_bar)
        layout.addLayout(tabs)
        layout.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self.header.wished.connect(self.wished)
        self.header.clone_requested.connect(self.clone_requested)
        self.header.folder_requested.connect(self.folder_requested)
        self.header.report_requested.connect(self.copy_report)
        self.checkpoints.wished.connect(self.wished)
        self.checkpoints.publish_requested.connect(self.publish_requested)
        self.previews.sheet_wanted.connect(self.sheet_wanted)
        self.previews.compare_requested.connect(self._on_compare_requested)
        self.notices.board.action_chosen.connect(self._on_action_chosen)
        self._runs.current_changed.connect(self._on_current_changed)

    # ---- which run ------------------------------------------------------------------------------------------------

    def _on_current_changed(self, view: Any) -> None:
        for part in (self.header, self.notices, self.wall, self.previews, self.checkpoints, self.log):
            part.set_run(view)
        if isinstance(view, RunView):
            view.figures_changed.connect(self._show_nothing)
        self._show_nothing()

    def _show_nothing(self) -> None:
        self._nothing.setVisible(not self.wall.charts)

    def take_sheet(self, found: SheetImage) -> None:
        """A preview picture that was asked for."""
        self.previews.take_sheet(found)

    # ---- tabs -----------------------------------------------------------------------------------------------------

    @property
    def tab(self) -> str:
        """The one in front."""
        return TABS[self.stack.currentIndex()]

    def show_tab(self, name: str) -> None:
        """Bring one to the front."""
        self.stack.setCurrentIndex(TABS.index(name))
        for each, chip in self._chips.items():
            chip.setChecked(each == name)

    def _on_tab_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, Chip):
            self.show_tab(chip.value)

    # ---- deeds ----------------------------------------------------------------------------------------------------

    def copy_report(self) -> None:
        """All there is to know, into the clipboard."""
        if self._runs.current is not None:
            QGuiApplication.clipboard().setText(report_of(self._runs.current))

    def _on_compare_requested(self, cells: Any) -> None:
        if self._runs.current is not None:
            self.wished.emit(RunWish(RunVerb.COMPARE, self._runs.current.path, cells=tuple(cells)))

    def _on_action_chosen(self, choice: ActionChoice) -> None:
        if choice.name == run_notices.COPY_REPORT:
            self.copy_report()
        elif choice.name == run_notices.SHOW_LOG:
            self.show_tab("log")
        elif choice.name == run_notices.RESUME and self._runs.current is not None:
            self.wished.emit(RunWish(RunVerb.RESUME, self._runs.current.path))
