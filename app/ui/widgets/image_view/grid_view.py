"""Several pictures in step, each with its caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.image_view.image_view import ImageView
from app.ui.widgets.image_view.view_state import ViewState


@dataclass(frozen=True)
class Candidate:
    """One picture of a grid."""

    image: QImage | None
    label: str


class GridView(QWidget):
    """As many columns as make the cells largest."""

    probed = Signal(object)  # Probe | None
    chosen = Signal(object)  # int: which picture was clicked

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state or ViewState(self)
        self._views: list[ImageView] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(SPACING.xs)
        self._columns = 0

    @property
    def views(self) -> tuple[ImageView, ...]:
        """The views, in the order of the candidates."""
        return tuple(self._views)

    def set_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Other pictures; views are kept where they can be."""
        self._set_count(len(candidates))
        first = next((each.image for each in candidates if each.image is not None), None)
        if first is not None:
            self.state.set_size(first.size())
        for view, candidate in zip(self._views, candidates, strict=True):
            view.set_image(candidate.image)
            view.set_label(candidate.label)
        self._arrange()

    def _set_count(self, count: int) -> None:
        while len(self._views) > count:
            view = self._views.pop()
            self.state.set_room(view, None)
            self._grid.removeWidget(view)
            view.hide()
            view.deleteLater()
        while len(self._views) < count:
            view = ImageView(self.state, self)
            view.probed.connect(self._on_probed)
            view.clicked.connect(self._on_clicked)
            self._views.append(view)
        self._columns = 0

    def _arrange(self) -> None:
        columns = best_columns(len(self._views), self.width(), self.height(), self._shape())
        if columns == self._columns:
            return
        self._columns = columns
        for place, view in enumerate(self._views):
            self._grid.addWidget(view, place // columns, place % columns)
        rows = -(-len(self._views) // columns)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 1 if row < rows else 0)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _shape(self) -> float:
        size = self.state.size
        return size.width() / size.height() if not size.isEmpty() else 1.0

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other columns may now serve better."""
        super().resizeEvent(event)
        if self._views:
            self._arrange()

    def _on_probed(self, probe: Any) -> None:
        for view in self._views:
            view.set_crosshair(None if view is self.sender() else probe)
        self.probed.emit(probe)

    def _on_clicked(self) -> None:
        view = self.sender()
        if view in self._views:
            self.chosen.emit(self._views.index(view))


def best_columns(count: int, width: int, height: int, shape: float) -> int:
    """Number of columns at which pictures of this shape (width / height) come out largest."""
    best, best_width = 1, 0.0
    for columns in range(1, max(1, count) + 1):
        rows = -(-max(1, count) // columns)
        picture_width = min(width / columns, height / rows * shape)
        if picture_width > best_width + 1e-9:
            best, best_width = columns, picture_width
    return best
