"""The grid of all pictures of this session, headed by what was asked for."""

from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHideEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from app.models.results import EntryRole, ResultsModel, Tile, TileState
from app.ui.theme.tokens import SPACING
from app.ui.widgets.generate.hover_play import HoverPlay
from app.ui.widgets.picture_delegate import GAP, PictureDelegate
from app.ui.widgets.picture_menu import PictureMenu, PictureVerbs

USUAL_TILE_PX = 204
MAX_STRETCH_PX = 28
"""Cells grow by so much at most to fill a row; more would tear the grid apart."""


class ResultsGrid(QListView):
    """Click or Enter opens a picture; arrows walk; the menu key offers what can be done with it."""

    open_requested = Signal(object)  # Tile

    def __init__(self, results: ResultsModel, verbs: PictureVerbs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verbs = verbs
        self._wished_px = USUAL_TILE_PX
        self._delegate = PictureDelegate(self)
        self.setAccessibleName(self.tr("Pictures"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportMargins(0, 0, 0, 0)
        self.setSpacing(0)
        self.setMouseTracking(True)
        self.setItemDelegate(self._delegate)
        self.setModel(results)
        self.hover = HoverPlay(self)
        self.hover.frame_due.connect(self._on_frame_due)
        self._delegate.cache.late.arrived.connect(self._on_pictures_arrived)
        self.entered.connect(self.hover.enter)
        self.viewportEntered.connect(self._on_nothing_entered)
        self.verticalScrollBar().setSingleStep(48)

    # ---- how it looks ---------------------------------------------------------------------------------------------

    def set_tile_px(self, tile_px: int) -> None:
        """The wished width of a picture's cell; rows are filled evenly."""
        self._wished_px = tile_px
        self._fit_cells()

    def set_crisp(self, is_crisp: bool) -> None:
        """Hard pixel edges, or smooth."""
        self._delegate.is_crisp = is_crisp
        self._fit_cells()

    def _on_frame_due(self, index: QModelIndex) -> None:
        self._delegate.playing, self._delegate.playing_frame = self.hover.key, self.hover.frame
        self.update(index)

    def _on_pictures_arrived(self) -> None:
        self.viewport().update()

    def _on_nothing_entered(self) -> None:
        self.hover.enter(QModelIndex())

    def leaveEvent(self, event: QEvent) -> None:
        """What played stands still again."""
        self._on_nothing_entered()
        super().leaveEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """So it does out of sight."""
        self._on_nothing_entered()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width, other cells."""
        self._fit_cells()
        super().resizeEvent(event)

    def _fit_cells(self) -> None:
        # Room for the scroll bar is always kept, so that its coming and going moves nothing.
        width = self.width() - self.verticalScrollBar().sizeHint().width() - SPACING.xs
        columns = max(1, width // self._wished_px)
        self._delegate.cell_px = max(GAP * 2, min(width // columns, self._wished_px + MAX_STRETCH_PX))
        self._delegate.row_px = width
        self._delegate.ratio = self.devicePixelRatioF()
        self.scheduleDelayedItemsLayout()

    def sizeHint(self) -> QSize:
        """It takes what it gets."""
        return QSize(400, 300)

    # ---- what a person does ---------------------------------------------------------------------------------------

    def current_tile(self) -> Tile | None:
        """The picture under the keyboard's focus."""
        return _tile(self.currentIndex())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click opens."""
        super().mouseReleaseEvent(event)
        tile = _tile(self.indexAt(event.position().toPoint()))
        if event.button() == Qt.MouseButton.LeftButton and tile is not None:
            self._open(tile)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Space open; the usual keys act on the picture."""
        tile = self.current_tile()
        if tile is not None and tile.state is TileState.DONE:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
                self._open(tile)
                return
            if self._verbs.on_key(event, tile):
                return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with a picture."""
        index = (
            self.currentIndex() if event.reason() is QContextMenuEvent.Reason.Keyboard else self.indexAt(event.pos())
        )
        tile = _tile(index)
        if tile is not None and tile.state is TileState.DONE:
            PictureMenu(tile, self._verbs, self).popup(event.globalPos())

    def _open(self, tile: Tile) -> None:
        if tile.state is TileState.DONE:
            self.open_requested.emit(tile)


def _tile(index: QModelIndex) -> Tile | None:
    entry: Any = index.data(EntryRole) if index.isValid() else None
    return entry if isinstance(entry, Tile) else None
