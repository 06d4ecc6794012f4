"""A sweep as it goes: its points in a table, and their figures in charts beside the paper's Table 2."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models.sweeps.reading import SweepReport
from app.models.sweeps.sweeps import Sweeps
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import Field, label
from app.ui.widgets.quiet_inputs import QuietComboBox
from app.ui.widgets.train.sweeps.charts import SweepCharts
from app.ui.widgets.train.sweeps.tables import paper_table, points_table

LOOK_MS = 3000


class SweepResults(QWidget):
    """Says what will appear where there is nothing yet."""

    def __init__(self, sweeps: Sweeps, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sweeps = sweeps
        self._folders: list[str] = []
        self._empty = label("", "muted", is_wrapped=True)
        self.combo = QuietComboBox(self)
        self._field = Field(self.tr("Sweep"), self.combo, self)
        self._line = label("", "emphasis", is_wrapped=True)
        self._line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._trouble = label("", "error", is_wrapped=True)
        self.stop_button = TextButton(self.tr("Stop"), "", "stop", self)
        self.go_on_button = TextButton(self.tr("Go on"), "primary", parent=self)
        self.folder_button = TextButton(self.tr("Open its folder"), "link", "folder", self)
        self.table = points_table(self)
        self.charts = SweepCharts(self)
        self._paper_title = label(self.tr("The paper's Table 2 (ImageNet, 512 px): only the shape compares"), "field")
        self.paper = paper_table(self)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._build()
        self._timer.timeout.connect(sweeps.look)
        self.combo.activated.connect(self._on_activated)
        self.stop_button.clicked.connect(sweeps.stop)
        self.go_on_button.clicked.connect(sweeps.go_on)
        self.folder_button.clicked.connect(self._on_folder_clicked)
        sweeps.state_changed.connect(self._on_state_changed)
        self._on_state_changed(sweeps.state)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACING.s)
        head.addWidget(self._field, 1)
        for button in (self.stop_button, self.go_on_button, self.folder_button):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.m)
        layout.addWidget(self._empty)
        layout.addLayout(head)
        for part in (self._line, self._trouble, self.table, self.charts, self._paper_title, self.paper):
            layout.addWidget(part)
        layout.addStretch(1)

    def showEvent(self, event: QShowEvent) -> None:
        """News matter while somebody looks."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """And only then."""
        super().hideEvent(event)
        self._timer.stop()

    def _on_state_changed(self, state: Any) -> None:
        report: SweepReport | None = state.report
        self._fill_combo(state.reports, report)
        has_one = report is not None
        self._empty.setVisible(not has_one)
        if state.is_starting:
            words = self.tr("Starting…")
        elif state.is_known:
            words = self.tr(
                "No sweep yet. Put a new run together; in its last step, “Try several loss factors instead” makes a "
                "sweep of it. Its table and charts appear here while it goes."
            )
        else:
            words = self.tr("Looking…")
        self._empty.setText(words)
        for part in (self._field, self._line, self.table, self.charts, self._paper_title, self.paper):
            part.setVisible(has_one)
        self.folder_button.setVisible(has_one)
        self.stop_button.setVisible(report is not None and report.is_running)
        self.go_on_button.setVisible(report is not None and report.can_go_on and not state.is_starting)
        self._trouble.setText(state.trouble or (report.problem if report is not None else ""))
        self._trouble.setVisible(bool(self._trouble.text()))
        if report is not None:
            self._line.setText(self._line_words(report))
            self.table.show_report(report)
            self.charts.show_report(report)

    def _fill_combo(self, reports: tuple[SweepReport, ...], report: SweepReport | None) -> None:
        folders = [each.folder for each in reports]
        if folders != self._folders:
            self._folders = folders
            self.combo.clear()
            self.combo.addItems([_title(each) for each in reports])
        if report is not None:
            self.combo.setCurrentIndex(folders.index(report.folder))

    def _line_words(self, report: SweepReport) -> str:
        words = self.tr("{done} of {all} points are measured").format(done=report.num_done, all=len(report.rows))
        if report.is_running:
            now = next((row.name for row in report.rows if row.state == "running"), "")
            words += " · " + (self.tr("at work on {name}").format(name=now) if now else self.tr("at work"))
        elif report.can_go_on:
            words += " · " + self.tr("nobody is at work on the others")
        failed = [f"{row.name}: {row.reason}" for row in report.rows if row.state == "failed"]
        return "\n".join([words, *failed])

    def _on_activated(self, row: int) -> None:
        self._sweeps.choose(self._folders[row])

    def _on_folder_clicked(self) -> None:
        report = self._sweeps.state.report
        if report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(report.folder))


def _title(report: SweepReport) -> str:
    folder = Path(report.folder).name
    return report.name if report.name == folder else f"{report.name} · {folder}"
