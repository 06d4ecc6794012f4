"""Previews as a table: rows by step, columns by probe; originals stay on top while the steps scroll."""

from collections import OrderedDict
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from app.models.progress import grouped
from app.models.runs.previews import PreviewCell, PreviewRow, Strand
from app.services.preview_sheets import SheetImage, SheetWish
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING, TYPE

GAP_PX, HEAD_PX = 6, 92
SMALLEST_PX, USUAL_PX, LARGEST_PX = 32, 72, 384
SMALLEST_FITTED_PX, LARGEST_FITTED_PX = 48, 128
ZOOM_STEP = 1.25
WIDTH_STEP_PX = 256
BUDGET_BYTES = 96 * 2**20
MAX_MARKED = 2


@dataclass(frozen=True)
class Spot:
    """A place in the table."""

    row: int
    column: int


class PreviewGrid(QAbstractScrollArea):
    """Arrows walk in both directions, Space or a click marks a cell (two at most), Enter or a double click opens it,
    plus and minus change the size."""

    sheet_wanted = Signal(object)  # SheetWish
    opened = Signal(object)  # Spot
    marked_changed = Signal()
    current_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[PreviewRow, ...] = ()
        self._cell_px = USUAL_PX
        self._is_fitted = True
        """Whether the cells take the width that there is."""
        self._current = Spot(0, 0)
        self._marked: tuple[PreviewCell, ...] = ()
        self._marked_before: tuple[PreviewCell, ...] = ()
        """As it was before the last click."""
        self._sheets: OrderedDict[str, tuple[SheetWish, QImage | None]] = OrderedDict()
        self._asked: set[SheetWish] = set()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Previews, rows by step, columns by probe"))
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(24)

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def rows(self) -> tuple[PreviewRow, ...]:
        """Of the strand on show."""
        return self._rows

    @property
    def current(self) -> Spot:
        """Where the keyboard is."""
        return self._current

    @property
    def marked(self) -> tuple[PreviewCell, ...]:
        """Cells chosen for Compare, in the order they were."""
        return self._marked

    def set_strand(self, strand: Strand | None) -> None:
        """Other rows; who was at the newest stays at the newest."""
        was_last = bool(self._rows) and self._current.row == len(self._rows) - 1
        is_at_end = self.verticalScrollBar().value() >= self.verticalScrollBar().maximum()
        before, self._rows = self._rows, strand.rows if strand is not None else ()
        row = len(self._rows) - 1 if was_last or not before else self._current.row
        self._current = self._held(Spot(row, self._current.column))
        self._set_marked(tuple(cell for cell in self._marked if any(cell in each.cells for each in self._rows)))
        self._update_bars()
        if is_at_end:
            self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
        self._tell_current()
        self.viewport().update()

    def take_sheet(self, found: SheetImage) -> None:
        """A sheet that was asked for."""
        self._asked.discard(found.wish)
        self._sheets[found.wish.path] = (found.wish, found.image)
        self._sheets.move_to_end(found.wish.path)
        self._keep_budget()
        self.viewport().update()

    def cell_at(self, spot: Spot) -> PreviewCell | None:
        """The cell of a place."""
        if not 0 <= spot.row < len(self._rows) or not 0 <= spot.column < len(self._rows[spot.row].cells):
            return None
        return self._rows[spot.row].cells[spot.column]

    def _keep_budget(self) -> None:
        total = sum(image.sizeInBytes() for _, image in self._sheets.values() if image is not None)
        while total > BUDGET_BYTES and len(self._sheets) > 1:
            _, (_, image) = self._sheets.popitem(last=False)
            total -= image.sizeInBytes() if image is not None else 0

    # ---- geometry -------------------------------------------------------------------------------------------------

    def _cell_size(self) -> QSize:
        """As wide as chosen, as high as the probe's shape asks."""
        if not self._rows or not self._rows[0].cells:
            return QSize(self._cell_px, self._cell_px)
        width, height = self._rows[0].cells[0].sheet.cell_px
        return QSize(self._cell_px, max(1, round(self._cell_px * height / width)))

    def _num_pinned(self) -> int:
        return 1 if self._rows and self._rows[0].is_original else 0

    def _pitch(self) -> int:
        return self._cell_size().height() + GAP_PX

    def _place(self, spot: Spot) -> QRect:
        """Where a cell is in the viewport."""
        size, pinned = self._cell_size(), self._num_pinned()
        x = HEAD_PX + spot.column * (size.width() + GAP_PX) - self.horizontalScrollBar().value()
        y = spot.row * self._pitch() + GAP_PX
        if spot.row >= pinned:
            y -= self.verticalScrollBar().value()
        return QRect(QPoint(x, y), size)

    def _spot_at(self, at: QPoint) -> Spot | None:
        pinned_px = self._num_pinned() * self._pitch()
        for row in range(len(self._rows)):
            for column in range(len(self._rows[row].cells)):
                is_hidden = row >= self._num_pinned() and at.y() < pinned_px
                if not is_hidden and self._place(Spot(row, column)).contains(at):
                    return Spot(row, column)
        return None

    def _update_bars(self) -> None:
        if self._is_fitted and self._rows:
            columns = max(1, len(self._rows[0].cells))
            room = (self.viewport().width() - HEAD_PX) // columns - GAP_PX
            self._cell_px = min(max(room, SMALLEST_FITTED_PX), LARGEST_FITTED_PX)
        size, area = self._cell_size(), self.viewport().size()
        columns = max((len(row.cells) for row in self._rows), default=0)
        width = HEAD_PX + columns * (size.width() + GAP_PX)
        self.horizontalScrollBar().setRange(0, max(0, width - area.width()))
        self.horizontalScrollBar().setPageStep(area.width())
        self.verticalScrollBar().setRange(0, max(0, len(self._rows) * self._pitch() + GAP_PX - area.height()))
        self.verticalScrollBar().setPageStep(area.height())

    def zoom_by(self, steps: float) -> None:
        """Larger or smaller cells."""
        self._is_fitted = False
        self._cell_px = round(min(max(self._cell_px * ZOOM_STEP**steps, SMALLEST_PX), LARGEST_PX))
        self._update_bars()
        self._show_current()
        self.viewport().update()

    # ---- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows in sight, the pinned one last and on its own ground."""
        painter = QPainter(self.viewport())
        painter.setFont(font(TYPE.caption, has_even_digits=True))
        pinned, height = self._num_pinned(), self.viewport().height()
        for row in range(pinned, len(self._rows)):
            place = self._place(Spot(row, 0))
            if place.bottom() >= 0 and place.top() <= height:
                self._paint_row(painter, row)
        for row in range(pinned):
            ground = QRect(0, 0, self.viewport().width(), self._pitch() + GAP_PX // 2)
            painter.fillRect(ground, QColor(colours().window))
            painter.setPen(QPen(QColor(colours().line), 1))
            painter.drawLine(ground.bottomLeft(), ground.bottomRight())
            self._paint_row(painter, row)
        painter.end()

    def _paint_row(self, painter: QPainter, row: int) -> None:
        c, entry = colours(), self._rows[row]
        head = self._place(Spot(row, 0))
        painter.setPen(QColor(c.text if row == self._current.row else c.muted))
        text = self.tr("Original") if entry.is_original else self.tr("Step {step}").format(step=grouped(entry.step))
        area = QRect(0, head.top(), HEAD_PX - SPACING.m, head.height())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)
        image = self._image(entry)
        for column, cell in enumerate(entry.cells):
            place = self._place(Spot(row, column))
            if place.right() >= HEAD_PX - GAP_PX and place.left() <= self.viewport().width():
                self._paint_cell(painter, place, cell, image)
                self._paint_frame(painter, place, Spot(row, column), cell)

    def _paint_cell(self, painter: QPainter, place: QRect, cell: PreviewCell, image: QImage | None) -> None:
        if image is None:
            painter.fillRect(place, QColor(colours().raised))
            return
        share = image.width() / (cell.sheet.columns * cell.sheet.cell_px[0])
        left, top, width, height = cell.rect
        source = QRectF(left * share, top * share, width * share, height * share)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, place.width() < width)
        painter.drawImage(QRectF(place), image, source)

    def _paint_frame(self, painter: QPainter, place: QRect, spot: Spot, cell: PreviewCell) -> None:
        c = colours()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if cell in self._marked:
            painter.setPen(QPen(QColor(c.accent_text), 3))
            painter.drawRect(place.adjusted(-1, -1, 1, 1))
            badge = QRect(place.left(), place.top(), 18, 18)
            painter.fillRect(badge, QColor(c.accent))
            painter.setPen(QColor(c.on_accent))
            painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), "AB"[self._marked.index(cell)])
        if spot == self._current and self.hasFocus():
            painter.setPen(QPen(QColor(c.focus), 2))
            painter.drawRect(place.adjusted(-3, -3, 2, 2))

    def _image(self, row: PreviewRow) -> QImage | None:
        """The row's sheet, asked for where it is not there or too coarse."""
        sheet = row.cells[0].sheet if row.cells else None
        if sheet is None:
            return None
        whole = sheet.columns * sheet.cell_px[0]
        needed = round(sheet.columns * self._cell_px * self.devicePixelRatioF())
        width = -(-needed // WIDTH_STEP_PX) * WIDTH_STEP_PX
        wish = SheetWish(sheet.path, 0 if width >= whole else width)
        known = self._sheets.get(sheet.path)
        is_enough = known is not None and (known[0].width_px == 0 or 0 < wish.width_px <= known[0].width_px)
        if not is_enough and wish not in self._asked:
            self._asked.add(wish)
            self.sheet_wanted.emit(wish)
        if known is not None:
            self._sheets.move_to_end(sheet.path)
        return known[1] if known is not None else None

    # ---- what a person does ---------------------------------------------------------------------------------------

    def walk(self, rows: int, columns: int) -> None:
        """Walk."""
        self._go(Spot(self._current.row + rows, self._current.column + columns))

    def _go(self, spot: Spot) -> None:
        spot = self._held(spot)
        if spot != self._current:
            self._current = spot
            self._show_current()
            self._tell_current()
            self.viewport().update()

    def _held(self, spot: Spot) -> Spot:
        """The nearest place there is."""
        row = min(max(spot.row, 0), max(len(self._rows) - 1, 0))
        columns = len(self._rows[row].cells) if self._rows else 1
        return Spot(row, min(max(spot.column, 0), columns - 1))

    def _show_current(self) -> None:
        """Scroll so that the current cell is whole."""
        place, area = self._place(self._current), self.viewport().rect()
        if self._current.row >= self._num_pinned():
            top = self._num_pinned() * self._pitch() + GAP_PX
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + min(0, place.top() - top) + max(0, place.bottom() + GAP_PX - area.bottom()))
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() + min(0, place.left() - HEAD_PX) + max(0, place.right() + GAP_PX - area.right()))

    def toggle_mark(self, spot: Spot) -> None:
        """Choose a cell for Compare, or not any more; of three the first chosen gives way."""
        cell = self.cell_at(spot)
        if cell is None:
            return
        others = tuple(each for each in self._marked if each != cell)
        self._set_marked(others if cell in self._marked else (*others, cell)[-MAX_MARKED:])

    def clear_marks(self) -> None:
        """None is chosen."""
        self._set_marked(())

    def _set_marked(self, marked: tuple[PreviewCell, ...]) -> None:
        if marked != self._marked:
            self._marked = marked
            self._describe()
            self.marked_changed.emit()
            self.viewport().update()

    def _tell_current(self) -> None:
        self._describe()
        self.current_changed.emit()

    def _describe(self) -> None:
        cell = self.cell_at(self._current)
        text = cell.title if cell is not None else ""
        self.setAccessibleDescription(text + (self.tr(", marked") if cell in self._marked else ""))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        ways = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_PageUp: (-5, 0),
            Qt.Key.Key_PageDown: (5, 0),
            Qt.Key.Key_Home: (-(10**6), 0),
            Qt.Key.Key_End: (10**6, 0),
        }
        key = Qt.Key(event.key())
        if key in ways:
            self.walk(*ways[key])
        elif key is Qt.Key.Key_Space:
            self.toggle_mark(self._current)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._rows:
            self.opened.emit(self._current)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom_by(-1 if key is Qt.Key.Key_Minus else 1)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click goes there and marks."""
        spot = self._spot_at(event.position().toPoint())
        if spot is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(spot)
            self._marked_before = self._marked
            self.toggle_mark(spot)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click opens; what its first click marked is as before."""
        spot = self._spot_at(event.position().toPoint())
        if spot is not None:
            self._set_marked(self._marked_before)
            self.opened.emit(spot)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another room."""
        super().resizeEvent(event)
        self._update_bars()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The current cell gets its frame."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """And loses it."""
        super().focusOutEvent(event)
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        """The theme's colours."""
        super().changeEvent(event)
        self.viewport().update()
