"""Paints one result of the grid: picture, star, length of a clip, and a line of words."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import PurePath

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QStaticText

from app.gallery import GalleryItem, GalleryKind
from app.ui.theme.fonts import font
from app.ui.theme.icons import pixmap as icon_pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS, TYPE
from app.ui.widgets.library.thumbnail_cache import ThumbnailCache

CAPTION_PX = 24
INSET = 5
_CORNER = 4
_BADGE_PX = 22
MAX_CAPTIONS = 1000


@dataclass(frozen=True)
class CellState:
    """How a cell is to look."""

    is_selected: bool = False
    is_current: bool = False
    is_hovered: bool = False


class CellPainter:
    """Knows sizes and colours; what a result is comes with each call."""

    def __init__(self, thumbnails: ThumbnailCache) -> None:
        self._thumbnails = thumbnails
        self._captions: OrderedDict[tuple[str, int], QStaticText] = OrderedDict()
        self.ratio = 1.0

    def begin(self, painter: QPainter, ratio: float) -> None:
        """Before the cells of one paint: what all of them share is set once."""
        self.ratio = ratio
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(TYPE.caption, has_even_digits=True))

    def picture_place(self, cell: QRect) -> QRect:
        """The square that pictures are fitted into."""
        return QRect(cell.left() + INSET, cell.top() + INSET, cell.width() - 2 * INSET, cell.width() - 2 * INSET)

    def star_place(self, cell: QRect) -> QRect:
        """Where a click stars."""
        place = self.picture_place(cell)
        return QRect(place.right() - _BADGE_PX - 3, place.top() + 4, _BADGE_PX, _BADGE_PX)

    def paint(self, painter: QPainter, cell: QRect, item: GalleryItem | None, state: CellState) -> None:
        """One cell; without an item its place is held."""
        place = self.picture_place(cell)
        self._paint_ground(painter, place, state)
        if item is None:
            return
        self._paint_picture(painter, place, item)
        if item.is_starred or state.is_hovered:
            self._paint_star(painter, self.star_place(cell), is_full=item.is_starred)
        if item.kind is GalleryKind.CLIP and not item.problem:
            self._paint_length(painter, place, item.num_frames)
        caption = QRect(place.left() + 2, place.bottom() + 2, place.width() - 4, CAPTION_PX)
        self._paint_caption(painter, caption, item)

    def _paint_ground(self, painter: QPainter, place: QRect, state: CellState) -> None:
        c = colours()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c.accent_tint if state.is_selected else c.panel))
        painter.drawRoundedRect(place, RADIUS, RADIUS)
        ring = c.focus if state.is_current else c.accent_text if state.is_selected else c.field_line
        if state.is_current or state.is_selected or state.is_hovered:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            width = 2.0 if state.is_current or state.is_selected else 1.0
            painter.setPen(QPen(QColor(ring), width))
            painter.drawRoundedRect(QRectF(place).adjusted(-1, -1, 1, 1), RADIUS + 1, RADIUS + 1)

    def _paint_picture(self, painter: QPainter, place: QRect, item: GalleryItem) -> None:
        side = round((place.width() - 2 * _CORNER) * self.ratio)
        pixmap = self._thumbnails.pixmap(item, side, self.ratio)
        if pixmap is None:
            if item.problem or self._thumbnails.is_missing(item, side):
                self._paint_sign(painter, place, "warning", colours().warning)
            return
        size = self._shown_size(pixmap, side)
        target = QRect(QPoint(), size)
        target.moveCenter(place.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, pixmap.width() > side)
        painter.drawPixmap(target, pixmap)

    def _shown_size(self, pixmap: QPixmap, side: int) -> QSize:
        """Logical size; a picture made for another size of cell is stretched until its own is there."""
        longer = max(pixmap.width(), pixmap.height())
        factor = 1.0 if side / 2 < longer <= side else side / longer
        return QSize(round(pixmap.width() * factor / self.ratio), round(pixmap.height() * factor / self.ratio))

    def _paint_sign(self, painter: QPainter, place: QRect, name: str, colour: str) -> None:
        sign = icon_pixmap(name, colour, 28)
        painter.drawPixmap(place.center() - QPoint(14, 14), sign)

    def _paint_star(self, painter: QPainter, place: QRect, *, is_full: bool) -> None:
        c = colours()
        ground = QColor(c.window)
        ground.setAlpha(205)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawEllipse(place)
        sign = icon_pixmap("star-full" if is_full else "star", c.warning if is_full else c.text, 14)
        painter.drawPixmap(place.center() - QPoint(6, 6), sign)

    def _paint_length(self, painter: QPainter, place: QRect, num_frames: int) -> None:
        c = colours()
        text = _tr("{count} frames").format(count=num_frames)
        width = painter.fontMetrics().horizontalAdvance(text) + 26
        badge = QRect(place.left() + 5, place.bottom() - 24, min(width, place.width() - 10), 20)
        ground = QColor(c.window)
        ground.setAlpha(215)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(badge, 4, 4)
        painter.drawPixmap(badge.topLeft() + QPoint(4, 3), icon_pixmap("film", c.text, 14))
        painter.setPen(QColor(c.text))
        painter.drawText(badge.adjusted(22, 0, -2, 0), int(Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_caption(self, painter: QPainter, place: QRect, item: GalleryItem) -> None:
        c = colours()
        painter.setPen(QColor(c.warning if item.problem else c.muted))
        text = self._caption(painter, caption_of(item), place.width())
        painter.drawStaticText(
            QPoint(place.left(), place.top() + (place.height() - painter.fontMetrics().height()) // 2), text
        )

    def _caption(self, painter: QPainter, text: str, width: int) -> QStaticText:
        """Laid out once: that takes longer than all the rest of a cell."""
        found = self._captions.get((text, width))
        if found is None:
            short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)
            found = QStaticText(short)
            found.setTextFormat(Qt.TextFormat.PlainText)
            found.prepare(painter.transform(), painter.font())
            self._captions[text, width] = found
            if len(self._captions) > MAX_CAPTIONS:
                self._captions.popitem(last=False)
        return found


def caption_of(item: GalleryItem) -> str:
    """What a result is called in a line: its problem, its prompt, else its file."""
    if item.prompt and not item.problem:
        return item.prompt
    return f"{PurePath(item.path).name} {item.problem}".rstrip()


def _tr(text: str) -> str:
    return QCoreApplication.translate("CellPainter", text)
