"""The pictures and clips that can be compared, with small pictures of them."""

from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.models.compare.input_list import InputListModel, ItemRole
from app.models.compare.inputs import CompareInputs, InputItem
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS, SPACING, TYPE
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.compare.images import ImageStore
from app.ui.widgets.labels import label

ROW_PX = 52
THUMB_PX = 40
MAX_ROWS = 4
AnyIndex = QModelIndex | QPersistentModelIndex


class InputDelegate(QStyledItemDelegate):
    """Picture, name and size."""

    def __init__(self, model: InputListModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._images = ImageStore()

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """All rows are alike."""
        return QSize(120, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """One row."""
        item: InputItem = index.data(ItemRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place: QRect = option.rect.adjusted(2, 2, -2, -2)
        self._paint_ground(painter, QRectF(place), option.state)
        thumb = QRect(place.left() + 6, place.top() + (place.height() - THUMB_PX) // 2, THUMB_PX, THUMB_PX)
        self._paint_thumb(painter, thumb, item)
        words = QRect(thumb.right() + 11, place.top(), place.right() - thumb.right() - 17, place.height())
        half = words.height() // 2
        _line(painter, words.adjusted(0, 4, 0, -half), item.name, colours().text, TYPE.body)
        colour = colours().error if item.problem else colours().muted
        _line(painter, words.adjusted(0, half - 2, 0, -6), self._model.facts(item), colour, TYPE.caption)
        painter.restore()

    def _paint_ground(self, painter: QPainter, place: QRectF, state: QStyle.StateFlag) -> None:
        c = colours()
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.accent_tint if is_chosen else c.hover))
            painter.drawRoundedRect(place, RADIUS, RADIUS)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(c.focus), 2))
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), RADIUS, RADIUS)

    def _paint_thumb(self, painter: QPainter, place: QRect, item: InputItem) -> None:
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(place), 4, 4)
        painter.fillPath(outline, QColor(colours().raised))
        if item.thumbnail is None:
            return
        image = self._images.image(item.thumbnail)
        factor = max(place.width() / image.width(), place.height() / image.height())
        size = QSize(round(place.width() / factor), round(place.height() / factor))
        source = QRect((image.width() - size.width()) // 2, (image.height() - size.height()) // 2, *size.toTuple())
        painter.setClipPath(outline)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, image, source)
        painter.setClipping(False)


class InputList(QListView):
    """Delete takes a picture off the list; the file stays."""

    removal_requested = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the class."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removal_requested.emit()
        else:
            super().keyPressEvent(event)


class InputStrip(QWidget):
    """A short list with its buttons above."""

    files_requested = Signal()

    def __init__(self, inputs: CompareInputs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inputs = inputs
        self._model = InputListModel(inputs, self)
        self.list = InputList(self)
        self._add = IconButton("plus", self.tr("Add pictures or videos… (Ctrl+O)"), "small", self)
        self.pin_button = IconButton("pin", "", "small", self)
        self.pin_button.setCheckable(True)
        self._remove = IconButton("trash", self.tr("Take off the list (Delete); the file stays"), "small", self)
        self._empty = label(self.tr("None yet. Drop files here, or paste one with Ctrl+V."), "muted", is_wrapped=True)
        self._build()
        self._add.clicked.connect(self.files_requested)
        self._remove.clicked.connect(self._on_remove)
        self.pin_button.clicked.connect(self._on_pin)
        self.list.removal_requested.connect(self._on_remove)
        self.list.selectionModel().currentChanged.connect(self._on_row_changed)
        inputs.inputs_changed.connect(self._refresh)
        inputs.current_changed.connect(self._refresh)
        inputs.pinned_changed.connect(self._refresh)
        self._refresh()

    def _build(self) -> None:
        title = label(self.tr("Pictures"), "field")
        head = QHBoxLayout()
        head.setSpacing(SPACING.xs)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self._add)
        head.addWidget(self.pin_button)
        head.addWidget(self._remove)
        view = self.list
        view.setAccessibleName(self.tr("Pictures to compare"))
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setMouseTracking(True)
        view.setUniformItemSizes(True)
        view.setModel(self._model)
        view.setItemDelegate(InputDelegate(self._model, view))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(head)
        layout.addWidget(self._empty)
        layout.addWidget(view)

    def _refresh(self, _payload: Any = None) -> None:
        count = self._model.rowCount()
        self._empty.setVisible(not count)
        self.list.setVisible(bool(count))
        self.list.setFixedHeight(ROW_PX * min(max(count, 1), MAX_ROWS) + 2)
        current = self._inputs.current
        self._remove.setEnabled(current is not None)
        self.pin_button.setEnabled(current is not None and count > 1)
        is_pinned = current is not None and current.path in self._inputs.pinned
        self.pin_button.setChecked(is_pinned)
        keep, free = self.tr("Keep this one beside the others (P)"), self.tr("Let it go from beside the others (P)")
        self.pin_button.set_name(free if is_pinned else keep)
        row = self._model.row_of(self._inputs.current.path) if self._inputs.current else -1
        if row >= 0 and self.list.currentIndex().row() != row:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(self._model.index(row), flags)

    def _on_row_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        item = current.data(ItemRole)
        if isinstance(item, InputItem):
            self._inputs.choose(item.path)

    def _on_pin(self) -> None:
        if self._inputs.current is not None:
            self._inputs.toggle_pin(self._inputs.current.path)
        self._refresh()

    def _on_remove(self) -> None:
        if self._inputs.current is not None:
            self._inputs.remove(self._inputs.current.path)


def _line(painter: QPainter, place: QRect, text: str, colour: str, size_px: int) -> None:
    painter.setFont(font(size_px))
    painter.setPen(QColor(colour))
    short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, place.width())
    painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), short)
