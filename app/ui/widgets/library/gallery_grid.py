"""The grid of the library: equal cells, so that 25 000 results cost no more than those on show."""

from typing import Any

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import QColor, QContextMenuEvent, QDrag, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QAbstractItemView, QFrame, QWidget

from app.gallery import GalleryItem, StarWish
from app.models.gallery.gallery_list import GalleryList, ItemRole
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.library.cell_painter import CAPTION_PX, INSET, CellPainter, CellState
from app.ui.widgets.library.thumbnail_cache import ThumbnailCache

AnyIndex = QModelIndex | QPersistentModelIndex
MAX_DRAGGED = 200
_Action = QAbstractItemView.CursorAction
_STEPS = {_Action.MoveLeft: -1, _Action.MovePrevious: -1, _Action.MoveRight: 1, _Action.MoveNext: 1}


class GalleryGrid(QAbstractItemView):
    """Click chooses, double click or Enter opens, Ctrl and Shift choose several, arrows walk."""

    open_requested = Signal(object)  # GalleryItem
    star_requested = Signal(object)  # StarWish
    menu_requested = Signal(object)  # QPoint: on the screen
    first_seen_changed = Signal(object)  # GalleryItem | None

    def __init__(self, results: GalleryList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = ThumbnailCache(self)
        self._results = results
        self._painter = CellPainter(self.thumbnails)
        self._wished_px = 172
        self._hovered = -1
        self._painted: dict[str, int] = {}
        self._had_chosen = False
        self._band = QRect()
        self.num_columns = 1
        self.cell_size = QSize(172, 172 + CAPTION_PX)
        self.setAccessibleName(self.tr("Results"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setMouseTracking(True)
        # Opaque: only then Qt moves what stays on show while scrolling instead of painting all of it again.
        self.viewport().setAutoFillBackground(False)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        results.rowsAboutToBeRemoved.connect(self._on_rows_going)  # before the selection hears of it
        self.setModel(results)
        results.rows_changed.connect(self._on_rows_changed)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.thumbnails.filled.connect(self._on_filled)

    # ---- geometry -------------------------------------------------------------------------------------------------

    def set_tile_px(self, tile_px: int) -> None:
        """The wished width of a cell; rows are filled evenly, and what is on top stays there."""
        top = self._row_at(self.verticalOffset()) * self.num_columns
        self._wished_px = tile_px
        self.updateGeometries()
        if top:
            self.verticalScrollBar().setValue(top // self.num_columns * self.cell_size.height())
        self.viewport().update()

    def _fit_cells(self) -> None:
        """Fill the width evenly. Room for the scroll bar is always kept, so that its coming and going moves nothing."""
        width = max(self._wished_px, self.width() - self.verticalScrollBar().sizeHint().width() - SPACING.xs)
        self.num_columns = max(1, width // self._wished_px)
        side = width // self.num_columns
        self.cell_size = QSize(side, side + CAPTION_PX)

    @property
    def _num_rows(self) -> int:
        return -(-self._results.rowCount() // self.num_columns)

    def _row_at(self, y: int) -> int:
        return max(0, y // self.cell_size.height())

    def _cell(self, row: int) -> QRect:
        line, column = divmod(row, self.num_columns)
        width, height = self.cell_size.width(), self.cell_size.height()
        return QRect(column * width, line * height - self.verticalOffset(), width, height)

    def updateGeometries(self) -> None:
        """How large cells are, and how far there is to scroll."""
        self._fit_cells()
        height, page = self._num_rows * self.cell_size.height(), self.viewport().height()
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, height - page + SPACING.m))
        bar.setPageStep(page)
        bar.setSingleStep(48)
        super().updateGeometries()

    def horizontalOffset(self) -> int:
        """Never."""
        return 0

    def verticalOffset(self) -> int:
        """Pixels scrolled away."""
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: AnyIndex) -> bool:
        """Never."""
        return False

    def visualRect(self, index: AnyIndex) -> QRect:
        """The cell of a result."""
        return self._cell(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        """The result under a point; none between two of them."""
        size = self.cell_size
        column = point.x() // size.width()
        row = (point.y() + self.verticalOffset()) // size.height() * self.num_columns + column
        is_inside = 0 <= column < self.num_columns and 0 <= row < self._results.rowCount()
        if not is_inside or not self._cell(row).adjusted(INSET, INSET, -INSET, 0).contains(point):
            return QModelIndex()
        return self._results.index(row)

    def scrollTo(
        self, index: AnyIndex, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Bring a result into sight, moving as little as that needs."""
        cell, bar = self.visualRect(index), self.verticalScrollBar()
        if hint is QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + cell.center().y() - self.viewport().height() // 2)
        elif cell.top() < 0:
            bar.setValue(bar.value() + cell.top())
        elif cell.bottom() > self.viewport().height():
            bar.setValue(bar.value() + cell.bottom() - self.viewport().height() + 1)

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Where a key leads."""
        count, here = self._results.rowCount(), self.currentIndex().row()
        if count == 0:
            return QModelIndex()
        if here < 0:
            return self._results.index(self._first_on_show())
        page = max(1, self.viewport().height() // self.cell_size.height()) * self.num_columns
        row = here + _STEPS.get(action, 0)
        if action in (_Action.MoveUp, _Action.MoveDown):
            row = here + (self.num_columns if action is _Action.MoveDown else -self.num_columns)
            row = row if 0 <= row < count else here
        elif action in (_Action.MovePageUp, _Action.MovePageDown):
            row = here + (page if action is _Action.MovePageDown else -page)
        elif action in (_Action.MoveHome, _Action.MoveEnd):
            row = 0 if action is _Action.MoveHome else count - 1
        return self._results.index(min(max(row, 0), count - 1))

    def _first_on_show(self) -> int:
        return min(self._row_at(self.verticalOffset()) * self.num_columns, max(0, self._results.rowCount() - 1))

    # ---- selection ------------------------------------------------------------------------------------------------

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """From one corner to the other: a band takes the cells it touches, Shift all between two cells."""
        selection = QItemSelection()
        if self.state() is QAbstractItemView.State.DragSelectingState:
            self._band = rect.normalized()
            for first, last in self._rows_touching(self._band):
                selection.select(self._results.index(first), self._results.index(last))
            self.viewport().update()
        else:
            first, last = sorted((self._nearest(rect.topLeft()), self._nearest(rect.bottomRight())))
            if first >= 0 and last < self._results.rowCount():
                selection.select(self._results.index(first), self._results.index(last))
        self.selectionModel().select(selection, command)

    def _rows_touching(self, rect: QRect) -> list[tuple[int, int]]:
        size, columns, count = self.cell_size, self.num_columns, self._results.rowCount()
        left = max(0, rect.left() // size.width())
        right = min(columns - 1, rect.right() // size.width())
        top, bottom = (self._row_at(y + self.verticalOffset()) for y in (rect.top(), rect.bottom()))
        spans = ((row * columns + left, min(row * columns + right, count - 1)) for row in range(top, bottom + 1))
        return [(first, last) for first, last in spans if first <= last]

    def _nearest(self, point: QPoint) -> int:
        size = self.cell_size
        column = min(max(0, point.x() // size.width()), self.num_columns - 1)
        row = (point.y() + self.verticalOffset()) // size.height() * self.num_columns + column
        return min(max(0, row), self._results.rowCount() - 1)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """All of it: only what is on show is painted anyway."""
        return QRegion(self.viewport().rect())

    def chosen_ids(self) -> tuple[int, ...]:
        """Numbers of the chosen results, in order."""
        ids = self._results.ids
        chosen = self.selectionModel().selection()
        spans = sorted((chosen.at(place).top(), chosen.at(place).bottom()) for place in range(chosen.count()))
        return tuple(number for top, bottom in spans for number in ids[top : bottom + 1])

    def choose(self, number: int) -> None:
        """Choose one result and bring it into sight."""
        row = self._results.row_of(number)
        if row is not None:
            self.setCurrentIndex(self._results.index(row))
            self.scrollTo(self._results.index(row))

    # ---- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cells on show."""
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), QColor(colours().window))
        self._painter.begin(painter, self.devicePixelRatioF())
        columns, count = self.num_columns, self._results.rowCount()
        first = self._row_at(event.rect().top() + self.verticalOffset()) * columns
        last = (self._row_at(event.rect().bottom() + self.verticalOffset()) + 1) * columns
        current = self.currentIndex().row() if self.hasFocus() else -1
        selection = self.selectionModel()
        for row in range(first, min(last, count)):
            item = self._results.item(row)
            if item is not None:
                self._painted[item.path] = row
            state = CellState(selection.isSelected(self._results.index(row)), row == current, row == self._hovered)
            self._painter.paint(painter, self._cell(row), item, state)
        if self.state() is QAbstractItemView.State.DragSelectingState and not self._band.isEmpty():
            painter.setPen(QPen(QColor(colours().focus), 1))
            painter.drawRect(self._band)
        painter.end()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """What stays on show is moved, not painted again."""
        self.viewport().scroll(dx, dy)

    def _on_scrolled(self) -> None:
        self.thumbnails.forget_wishes()
        self.tell_first_seen()

    def _on_filled(self, path: str) -> None:
        row = self._painted.get(path, -1)
        if 0 <= row < self._results.rowCount():
            self.viewport().update(self._cell(row))

    def _on_rows_going(self) -> None:
        self._had_chosen = self.selectionModel().hasSelection()

    def _on_rows_changed(self) -> None:
        self._painted.clear()
        chosen = self.selectionModel()
        if self._had_chosen and not chosen.hasSelection() and self.currentIndex().isValid():
            # What was chosen is gone: its neighbour takes its place, so that one key after the other can go on.
            chosen.select(self.currentIndex(), QItemSelectionModel.SelectionFlag.Select)
        self._had_chosen = False
        self.updateGeometries()
        self.viewport().update()
        self.tell_first_seen()

    def tell_first_seen(self) -> None:
        """Say which result is on top."""
        has_some = self._results.rowCount() > 0
        self.first_seen_changed.emit(self._results.item(self._first_on_show()) if has_some else None)

    # ---- what a person does ---------------------------------------------------------------------------------------

    def current_item(self) -> GalleryItem | None:
        """The result under the keyboard's focus."""
        return _item(self.currentIndex())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the star stars."""
        place = event.position().toPoint()
        index = self.indexAt(place)
        item = _item(index)
        is_on_star = index.isValid() and self._painter.star_place(self._cell(index.row())).contains(place)
        if item is not None and is_on_star and event.button() == Qt.MouseButton.LeftButton:
            self.star_requested.emit(StarWish((item.item_id,), not item.is_starred))
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """What is under the pointer shows its star."""
        super().mouseMoveEvent(event)
        self._hover(self.indexAt(event.position().toPoint()).row())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A band goes."""
        super().mouseReleaseEvent(event)
        self._band = QRect()
        self.viewport().update()

    def leaveEvent(self, event: Any) -> None:
        """Nothing is under the pointer."""
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open."""
        item = _item(self.indexAt(event.position().toPoint()))
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self.open_requested.emit(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens; what is no key of a view goes on to the page."""
        item = self.current_item()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.open_requested.emit(item)
            return
        if event.text().strip() and not event.modifiers():
            event.ignore()
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with the chosen results."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            cell = self.visualRect(self.currentIndex())
            self.menu_requested.emit(self.viewport().mapToGlobal(cell.center()))
        elif self.indexAt(event.pos()).isValid():
            self.menu_requested.emit(event.globalPos())

    def startDrag(self, supported: Qt.DropAction) -> None:
        """Files go out as copies: into another program, or into Compare."""
        items = [self._results.known(number) for number in self.chosen_ids()[:MAX_DRAGGED]]
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(item.path) for item in items if item is not None])
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)


def _item(index: AnyIndex) -> GalleryItem | None:
    item: Any = index.data(ItemRole) if index.isValid() else None
    return item if isinstance(item, GalleryItem) else None
