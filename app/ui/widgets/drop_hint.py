"""Covers the window while a file hangs over it, and says what dropping will do."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.theme.fonts import font
from app.ui.theme.theme import colours
from app.ui.theme.tokens import RADIUS_LARGE, SPACING, TYPE


class DropHint(QWidget):
    """Only paint; the window handles the drop."""

    def __init__(self, parent: QWidget, title: str = "", words: str = "") -> None:
        super().__init__(parent)
        self._title = title or self.tr("Drop to see its settings")
        self._words = words or self.tr("You choose what to take over. What holds none can be begun with.")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self) -> None:
        """Show over the whole parent."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A veil, a frame, a sentence."""
        c = colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(c.window)
        veil.setAlpha(225)
        painter.fillRect(self.rect(), veil)
        frame = QRectF(self.rect()).adjusted(SPACING.xl, SPACING.xl, -SPACING.xl, -SPACING.xl)
        painter.setPen(QPen(QColor(c.accent_text), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(frame, RADIUS_LARGE, RADIUS_LARGE)
        painter.setPen(QColor(c.text))
        painter.setFont(font(TYPE.title, font().Weight.DemiBold))
        middle = self.rect().center().y()
        whole = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRect(0, middle - 30, self.width(), 30), whole, self._title)
        painter.setPen(QColor(c.muted))
        painter.setFont(font())
        painter.drawText(QRect(0, middle + 4, self.width(), 24), whole, self._words)
        painter.end()
