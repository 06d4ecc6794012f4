"""On or off, in words as well as in colour."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING

_TRACK = QSize(36, 20)


class Switch(QAbstractButton):
    """A sliding switch with its state beside it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Room for the longer of the two words."""
        metrics = self.fontMetrics()
        words = max(metrics.horizontalAdvance(word) for word in (self._word(True), self._word(False)))
        return QSize(_TRACK.width() + SPACING.s + words + 8, max(_TRACK.height(), metrics.height()) + 8)

    def _word(self, is_on: bool) -> str:
        return self.tr("On") if is_on else self.tr("Off")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, knob, word, and a frame when it has the keyboard."""
        c, is_on = colours(), self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.5)
        top = (self.height() - _TRACK.height()) / 2
        track = QRectF(4, top, _TRACK.width(), _TRACK.height())
        painter.setPen(QPen(QColor(c.accent if is_on else c.field_line), 1.0))
        painter.setBrush(QColor(c.accent if is_on else c.field))
        painter.drawRoundedRect(track, _TRACK.height() / 2, _TRACK.height() / 2)
        side = _TRACK.height() - 8
        left = track.right() - side - 4 if is_on else track.left() + 4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c.on_accent if is_on else c.muted))
        painter.drawEllipse(QRectF(left, top + 4, side, side))
        painter.setPen(QColor(c.text))
        painter.setFont(font())
        room = QRectF(track.right() + SPACING.s, 0, self.width(), self.height())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self._word(is_on))
        if self.hasFocus():
            painter.setPen(QPen(QColor(c.focus), 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def changeEvent(self, event: QEvent) -> None:
        """Another palette."""
        super().changeEvent(event)
        self.update()
