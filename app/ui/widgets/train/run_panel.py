"""The runs on the left of the page Train."""

from typing import Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QFrame, QListView, QVBoxLayout, QWidget

from app.models.runs.run_list import SummaryRole
from app.models.runs.runs import Runs
from app.run_news import RunSummary
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.labels import label
from app.ui.widgets.train.run_delegate import RunDelegate

WIDTH_PX = 288


class RunPanel(QFrame):
    """Choosing a row brings the run to the front; the arrows walk."""

    new_requested = Signal()
    run_chosen = Signal(object)  # str
    folder_chosen = Signal(object)  # str: a folder from elsewhere

    def __init__(self, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._is_following = False
        self.setProperty("role", "panel")
        self.setFixedWidth(WIDTH_PX)
        self.new_button = TextButton(self.tr("New run"), "primary", "plus", self)
        self.list = QListView(self)
        self.list.setModel(runs.list)
        self.list.setItemDelegate(RunDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("Training runs"))
        self._empty = label("", "muted", is_wrapped=True)
        self._room = QWidget(self)
        self._open = TextButton(self.tr("Open a folder of runs…"), "link", parent=self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.m, SPACING.l, SPACING.m, SPACING.s)
        layout.setSpacing(SPACING.s)
        layout.addWidget(self.new_button)
        layout.addWidget(self._empty)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._room, 1)
        layout.addWidget(self._open, 0, Qt.AlignmentFlag.AlignLeft)
        self.new_button.clicked.connect(self.new_requested)
        self._open.clicked.connect(self._ask_folder)
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.clicked.connect(self._on_clicked)
        runs.list.modelReset.connect(self._follow)
        runs.list.runs_changed.connect(self._refresh)
        runs.current_changed.connect(self._follow)
        self._refresh()
        self._follow()

    def _refresh(self) -> None:
        is_empty = not self._runs.list.rowCount()
        self._empty.setVisible(is_empty)
        self._room.setVisible(is_empty)
        self.list.setVisible(not is_empty)
        self._empty.setText(
            self.tr("No run yet. What you start here, or on the command line with ul\u2011train, appears in this list.")
            if self._runs.list.is_known
            else self.tr("Looking for runs…")
        )

    def _follow(self, _payload: Any = None) -> None:
        """Keep the row of the run in front chosen while the list changes around it."""
        current = self._runs.current
        row = self._runs.list.row_of(current.path) if current is not None else None
        self._is_following = True
        if row is None:
            self.list.clearSelection()
        else:
            self.list.setCurrentIndex(self._runs.list.index(row))
        self._is_following = False

    def _on_current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        if not self._is_following:
            self._choose(index)

    def _on_clicked(self, index: QModelIndex) -> None:
        """Also on the row that is chosen already: it may be behind the pages of a new run."""
        self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        run = index.data(SummaryRole) if index.isValid() else None
        if isinstance(run, RunSummary):
            self.run_chosen.emit(run.path)

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("A run, or a folder of runs"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder_chosen)
        dialog.open()
