"""The right side of the page Generate: progress, waiting jobs, and the pictures as grid, one by one, or not yet."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.models.results import Tile
from app.models.session import Session
from app.ui.theme.tokens import SPACING
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.picture_delegate import INSET
from app.ui.widgets.picture_menu import PictureVerbs
from app.ui.widgets.progress_strip import ProgressStrip
from app.ui.widgets.queue_list import QueueList
from app.ui.widgets.results_grid import ResultsGrid
from app.ui.widgets.view_bar import ViewBar

if TYPE_CHECKING:
    from app.ui.widgets.single_view import SingleView

_MARGIN = 20


class Stage(QFrame):
    """Keeps the strip of the running job on top, whatever is below."""

    view_changed = Signal()

    def __init__(self, session: Session, verbs: PictureVerbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setProperty("role", "stage")
        self.progress = ProgressStrip(session, self)
        self.queue_list = QueueList(session.queue, session.engine, self)
        self.empty = EmptyState(session, self)
        self.bar = ViewBar(session.results, self)
        self.grid = ResultsGrid(session.results, verbs, self)
        self._verbs = verbs
        self._single: SingleView | None = None
        self._overview = QWidget(self)
        self._pages = QStackedWidget(self)
        self._build()
        self.grid.open_requested.connect(self.open_tile)
        self.bar.crisp_changed.connect(self.grid.set_crisp)
        self.bar.tile_px_changed.connect(self.grid.set_tile_px)
        session.results.rowsInserted.connect(self._show_page)
        session.results.rowsRemoved.connect(self._show_page)
        session.results.modelReset.connect(self._show_page)
        session.queue.job_began.connect(self._on_job_began)
        self._show_page()

    def _build(self) -> None:
        self._head = QWidget(self)
        head = QVBoxLayout(self._head)
        head.setContentsMargins(_MARGIN, SPACING.l, SPACING.l, 0)
        head.setSpacing(SPACING.s)
        head.addWidget(self.progress)
        head.addWidget(self.queue_list)
        overview = QVBoxLayout(self._overview)
        overview.setContentsMargins(_MARGIN - INSET, SPACING.m, SPACING.xs, 0)
        overview.setSpacing(SPACING.xs)
        bar_row = QHBoxLayout()
        bar_row.setContentsMargins(INSET, 0, SPACING.m, 0)
        bar_row.addWidget(self.bar)
        overview.addLayout(bar_row)
        overview.addWidget(self.grid, 1)
        for page in (self.empty, self._overview):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addWidget(self._pages, 1)

    @property
    def single(self) -> "SingleView":
        """One picture large; made when it is first wanted."""
        if self._single is None:
            from app.ui.widgets.single_view import SingleView

            self._single = SingleView(self._session.results, self._verbs, self)
            self._single.set_crisp(self.bar.crisp_button.isChecked())
            self.bar.crisp_changed.connect(self._single.set_crisp)
            self._single.close_requested.connect(self.close_single)
            self._pages.addWidget(self._single)
        return self._single

    @property
    def is_single(self) -> bool:
        """Whether one picture fills the stage."""
        return self._single is not None and self._pages.currentWidget() is self._single

    def open_tile(self, tile: Tile) -> None:
        """Show one picture large."""
        self._pages.setCurrentWidget(self.single)
        self.single.show_tile(tile)
        self.single.setFocus()
        self.view_changed.emit()

    def close_single(self) -> None:
        """Back to the grid, with the focus on the picture that was large."""
        tile = self.single.tile
        self._pages.setCurrentWidget(self._overview)
        row = self._session.results.row_of(tile.job_id, tile.index) if tile else None
        if row is not None:
            index = self._session.results.index(row)
            self.grid.setCurrentIndex(index)
            self.grid.scrollTo(index)
        self.grid.setFocus()
        self._show_page()
        self.view_changed.emit()

    def _on_job_began(self, _job: Any) -> None:
        if not self.is_single:
            self.grid.scrollToTop()

    def _show_page(self, *_payload: Any) -> None:
        is_empty = self._session.results.rowCount() == 0
        if is_empty:
            self._pages.setCurrentWidget(self.empty)
        elif not self.is_single:
            self._pages.setCurrentWidget(self._overview)
