"""Paints a row of the list of runs: name, state, how far it is."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.models.runs.run_list import SummaryRole
from app.models.runs.words import condition_title, facts_line, steps_text
from app.run_news import RunCondition, RunSummary
from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS, SPACING, TYPE

ROW_PX = 70
AnyIndex = QModelIndex | QPersistentModelIndex


class RunDelegate(QStyledItemDelegate):
    """Two lines and a thin bar."""

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        """All rows are alike."""
        return QSize(120, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """See the class."""
        run = index.data(SummaryRole)
        if not isinstance(run, RunSummary):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        place: QRect = option.rect
        state: QStyle.StateFlag = option.state
        _paint_ground(painter, place, state)
        inner = place.adjusted(SPACING.m, SPACING.s, -SPACING.m, -SPACING.s)
        _paint_words(painter, inner, run)
        _paint_bar(painter, inner, run)
        painter.restore()


def _paint_ground(painter: QPainter, place: QRect, state: QStyle.StateFlag) -> None:
    c = colours()
    ground = QRectF(place).adjusted(1, 1, -1, -1)
    if state & QStyle.StateFlag.State_Selected:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c.accent_tint))
        painter.drawRoundedRect(ground, RADIUS, RADIUS)
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c.hover))
        painter.drawRoundedRect(ground, RADIUS, RADIUS)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
        painter.setPen(QPen(QColor(c.focus), 2))
        painter.drawRoundedRect(ground, RADIUS, RADIUS)


def _paint_words(painter: QPainter, place: QRect, run: RunSummary) -> None:
    c, condition = colours(), run.standing.condition
    painter.setFont(font(TYPE.body, QFont.Weight.Medium))
    painter.setPen(QColor(c.text))
    metrics = painter.fontMetrics()
    name = metrics.elidedText(run.name, Qt.TextElideMode.ElideMiddle, place.width())
    painter.drawText(place.left(), place.top() + metrics.ascent(), name)
    painter.setFont(font(TYPE.caption, has_even_digits=True))
    small = painter.fontMetrics()
    baseline = place.top() + metrics.height() + 2 + small.ascent()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(condition_colour(condition)))
    painter.drawEllipse(QPointF(place.left() + 4, baseline - small.ascent() / 2 + 1), 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QColor(c.muted))
    text = small.elidedText(row_line(run), Qt.TextElideMode.ElideRight, place.width() - 14)
    painter.drawText(place.left() + 14, baseline, text)
    facts = small.elidedText(facts_line(run.facts), Qt.TextElideMode.ElideRight, place.width() - 14)
    painter.drawText(place.left() + 14, baseline + small.height(), facts)


def _paint_bar(painter: QPainter, place: QRect, run: RunSummary) -> None:
    standing, c = run.standing, colours()
    if not standing.condition.is_live or not standing.num_steps:
        return
    bar = QRectF(place.left() + 14, place.bottom() + 2, place.width() - 14, 3)
    painter.fillRect(bar, QColor(c.pressed))
    bar.setWidth(bar.width() * min(1.0, standing.step / standing.num_steps))
    painter.fillRect(bar, QColor(c.accent_text))


def row_line(run: RunSummary) -> str:
    """State and steps."""
    standing = run.standing
    title = condition_title(standing.condition)
    if not standing.num_steps:
        return title
    return f"{title} · {steps_text(standing.step, standing.num_steps)}"


def condition_colour(condition: RunCondition) -> str:
    """The colour of the dot; the words say the same."""
    c = colours()
    if condition in (RunCondition.FAILED, RunCondition.INTERRUPTED):
        return c.error
    if condition.is_live or condition is RunCondition.FINISHED:
        return c.good if condition is not RunCondition.STARTING else c.warning
    return c.warning if condition is RunCondition.PAUSED else c.field_line
