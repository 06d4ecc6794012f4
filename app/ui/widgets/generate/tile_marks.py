"""Small signs on the pictures of the grid: this is a clip, this one is starred."""

from PySide6.QtCore import QCoreApplication, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from app.models.results import Tile
from app.ui.theme.fonts import font
from app.ui.theme.icons import pixmap
from app.ui.theme.tokens import TYPE

_ICON_PX = 14
_PAD_PX = 4
_SHADE_RGBA = (0, 0, 0, 150)
_LIGHT = "#ffffff"


def paint_film_mark(painter: QPainter, place: QRect, tile: Tile) -> None:
    """A film strip in the lower left corner, with the length where there is room."""
    words = _length(tile) if place.width() >= 110 else ""
    painter.setFont(font(TYPE.caption, has_even_digits=True))
    width = _ICON_PX + 2 * _PAD_PX + (painter.fontMetrics().horizontalAdvance(words) + _PAD_PX if words else 0)
    height = _ICON_PX + _PAD_PX
    badge = QRect(place.left() + _PAD_PX, place.bottom() - height - _PAD_PX + 1, width, height)
    _paint_badge(painter, badge)
    painter.drawPixmap(badge.left() + _PAD_PX, badge.top() + _PAD_PX // 2, pixmap("film", _LIGHT, _ICON_PX))
    painter.setPen(QColor(_LIGHT))
    room = badge.adjusted(_ICON_PX + 2 * _PAD_PX, 0, 0, 0)
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)


def paint_star(painter: QPainter, place: QRect) -> None:
    """A star in the upper right corner."""
    side = _ICON_PX + _PAD_PX
    badge = QRect(place.right() - side - _PAD_PX + 1, place.top() + _PAD_PX, side, side)
    _paint_badge(painter, badge)
    painter.drawPixmap(badge.left() + _PAD_PX // 2, badge.top() + _PAD_PX // 2, pixmap("star-full", _LIGHT, _ICON_PX))


def _paint_badge(painter: QPainter, badge: QRect) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*_SHADE_RGBA))
    painter.drawRoundedRect(QRectF(badge), 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _length(tile: Tile) -> str:
    clip = tile.clip
    if clip is None or clip.fps is None:
        return ""
    words = QCoreApplication.translate("TileMarks", "{seconds} s")
    return words.format(seconds=f"{len(clip.frames) / clip.fps:.1f}")
