"""How one command of the palette looks: title with the letters that fitted, group, keys."""

from typing import Any

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.models.commands import FoundCommand
from app.models.found_commands import FoundRole
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS, SPACING, TYPE
from app.ui.widgets.shortcuts import native_keys

ROW_PX = 38
_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


class CommandDelegate(QStyledItemDelegate):
    """Paints only."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Any) -> QSize:
        """All rows are alike."""
        return QSize(200, ROW_PX)

    def paint(self, painter: QPainter, option: Any, index: Any) -> None:
        """One row."""
        found: FoundCommand = index.data(FoundRole)
        c, rect = colours(), QRect(option.rect)
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.accent_tint))
            painter.drawRoundedRect(rect, RADIUS, RADIUS)
        inside = rect.adjusted(SPACING.m, 0, -SPACING.m, 0)
        left = _paint_keys(painter, inside, found.command.keys)
        _paint_title(
            painter, QRect(inside.left(), inside.top(), left - inside.left() - SPACING.s, rect.height()), found
        )
        painter.restore()


def _paint_title(painter: QPainter, room: QRect, found: FoundCommand) -> None:
    """The title, letter by letter where some fitted, then the group."""
    c, plain, strong = colours(), font(), font(weight=QFont.Weight.DemiBold)
    group = QFontMetrics(font(TYPE.caption)).horizontalAdvance(found.command.group)
    title = QFontMetrics(strong).elidedText(
        found.command.title, Qt.TextElideMode.ElideRight, room.width() - group - SPACING.m
    )
    x = room.left()
    for letters, is_hit in _stretches(title, set(found.letters)):
        painter.setFont(strong if is_hit else plain)
        painter.setPen(QColor(c.accent_text if is_hit else c.text))
        width = painter.fontMetrics().horizontalAdvance(letters)
        painter.drawText(QRect(x, room.top(), width + 2, room.height()), _MIDDLE, letters)
        x += width
    painter.setFont(font(TYPE.caption))
    painter.setPen(QColor(c.muted))
    painter.drawText(
        QRect(x + SPACING.m, room.top(), room.right() - x - SPACING.m, room.height()), _MIDDLE, found.command.group
    )


def _stretches(text: str, hits: set[int]) -> list[tuple[str, bool]]:
    """The text cut where hit and miss change."""
    result: list[tuple[str, bool]] = []
    for place, letter in enumerate(text):
        is_hit = place in hits
        if result and result[-1][1] == is_hit:
            result[-1] = (result[-1][0] + letter, is_hit)
        else:
            result.append((letter, is_hit))
    return result


def _paint_keys(painter: QPainter, room: QRect, keys: tuple[str, ...]) -> int:
    """Each key sequence in a box, from the right; returns where the leftmost box begins."""
    c, x = colours(), room.right()
    painter.setFont(font(TYPE.caption))
    metrics = painter.fontMetrics()
    for each in reversed(keys[:2]):
        text = native_keys(each)
        width = metrics.horizontalAdvance(text) + 2 * SPACING.s
        box = QRectF(x - width, room.center().y() - 10.5, width, 21.0)
        painter.setPen(QColor(c.line))
        painter.setBrush(QColor(c.raised))
        painter.drawRoundedRect(box, 4.0, 4.0)
        painter.setPen(QColor(c.muted))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
        x -= width + SPACING.xs
    return x
