"""The models on this computer, a card each."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.models.desk.model_rows import ModelRole, ModelRows
from app.ui.theme.fonts import font
from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS_LARGE, SPACING, TYPE
from ul_engine.model_folder import ModelEntry

AnyIndex = QModelIndex | QPersistentModelIndex
CARD_PX = 78
WIDTH_PX = 404


class ModelList(QListView):
    """Arrows walk, Enter uses the model."""

    use_requested = Signal()
    chosen_changed = Signal()

    def __init__(self, rows: ModelRows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Models on this computer"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setItemDelegate(ModelDelegate(rows, self))
        self.setModel(rows)
        self.selectionModel().currentChanged.connect(self.chosen_changed)
        self.activated.connect(self.use_requested)

    @property
    def entry(self) -> ModelEntry | None:
        """The chosen model."""
        entry = self.currentIndex().data(ModelRole)
        return entry if isinstance(entry, ModelEntry) else None

    def choose(self, folder: str) -> bool:
        """Choose a model by its folder; False if it is not there."""
        row = self._rows.row_of(folder)
        if row is not None:
            self.setCurrentIndex(self._rows.index(row))
        return row is not None

    def sizeHint(self) -> QSize:
        """Wide enough for a line of facts."""
        return QSize(WIDTH_PX, 300)


class ModelDelegate(QStyledItemDelegate):
    """Name, facts, and where it is from or what is wrong."""

    def __init__(self, rows: ModelRows, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """All are alike."""
        return QSize(120, CARD_PX + SPACING.s)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """One card."""
        entry = index.data(ModelRole)
        if not isinstance(entry, ModelEntry):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        card = QRect(rect.left() + 2, rect.top() + 2, rect.width() - 4, CARD_PX - 2)
        _paint_ground(painter, card, option.state)
        problem = self._rows.problem(entry)
        c = colours()
        sign = pixmap("warning" if problem else "model", c.warning if problem else c.accent_text, 22)
        painter.drawPixmap(QPoint(card.left() + SPACING.m, card.top() + SPACING.m + 2), sign)
        words = card.adjusted(SPACING.m + 34, SPACING.s, -SPACING.m, -SPACING.s)
        third = problem or self._rows.source(entry)
        lines = (entry.name, c.text), (self._rows.line(entry), c.muted), (third, c.warning if problem else c.muted)
        _paint_lines(painter, words, lines)
        painter.restore()


def _paint_ground(painter: QPainter, card: QRect, state: QStyle.StateFlag) -> None:
    c = colours()
    is_chosen = bool(state & QStyle.StateFlag.State_Selected)
    is_hovered = bool(state & QStyle.StateFlag.State_MouseOver)
    painter.setBrush(QColor(c.accent_tint if is_chosen else c.hover if is_hovered else c.panel))
    painter.setPen(QPen(QColor(c.focus if is_chosen else c.line), 1.5 if is_chosen else 1.0))
    painter.drawRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_LARGE, RADIUS_LARGE)


def _paint_lines(painter: QPainter, place: QRect, lines: tuple[tuple[str, str], ...]) -> None:
    top = place.top()
    for number, (text, colour) in enumerate(lines):
        weight = font().Weight.DemiBold if number == 0 else font().Weight.Normal
        painter.setFont(font(TYPE.body if number == 0 else TYPE.caption, weight))
        painter.setPen(QColor(colour))
        metrics = painter.fontMetrics()
        short = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(QPoint(place.left(), top + metrics.ascent()), short)
        top += metrics.height() + 3
