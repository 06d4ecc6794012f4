"""Counted things as bars side by side with their names and numbers."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.models.progress import grouped
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING, TYPE
from app.ui.widgets.labels import label

ROW_PX, MOST_ROWS = 20, 9
NAME_SHARE, COUNT_PX = 0.4, 52


class Bars(QFrame):
    """Hidden where there is nothing to count; rows at the ends that count nothing are left out."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._title = title
        self._rows = _Rows(self)
        self._more = label("", "caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.m, SPACING.s, SPACING.m, SPACING.s)
        layout.setSpacing(SPACING.xs)
        layout.addWidget(label(title, "field", is_wrapped=True))
        layout.addWidget(self._rows)
        layout.addWidget(self._more)

    @property
    def rows(self) -> Sequence[tuple[str, int]]:
        """What is on show."""
        return self._rows.counts

    def show_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Show these, from top to bottom."""
        filled = [place for place, (_, count) in enumerate(counts) if count]
        kept = list(counts[filled[0] : filled[-1] + 1]) if filled else []
        self.setVisible(bool(kept))
        self._rows.show_counts(kept[:MOST_ROWS])
        left = len(kept) - MOST_ROWS
        self._more.setVisible(left > 0)
        self._more.setText(self.tr("and {count} more").format(count=left))
        said = ", ".join(f"{name}: {count}" for name, count in kept[:MOST_ROWS])
        self._rows.setAccessibleName(f"{self._title}. {said}")


class _Rows(QWidget):
    """Only paint."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.counts: Sequence[tuple[str, int]] = ()

    def show_counts(self, counts: Sequence[tuple[str, int]]) -> None:
        """Show these."""
        self.counts = counts
        self.setFixedHeight(ROW_PX * len(counts))
        self.setToolTip("\n".join(f"{name}: {grouped(count)}" for name, count in counts))
        self.update()

    def sizeHint(self) -> QSize:
        """Wide enough for a name, a bar and a number."""
        return QSize(150, ROW_PX * len(self.counts))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Name, bar, number."""
        c = colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = self.font()
        small.setPixelSize(TYPE.caption)
        painter.setFont(small)
        name_px = round(self.width() * NAME_SHARE)
        room = max(0, self.width() - name_px - COUNT_PX - SPACING.s)
        most = max((count for _, count in self.counts), default=1)
        for row, (name, count) in enumerate(self.counts):
            top = row * ROW_PX
            painter.setPen(QColor(c.text))
            shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, name_px - SPACING.s)
            level = int(Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(QRectF(0, top, name_px, ROW_PX), level | int(Qt.AlignmentFlag.AlignLeft), shown)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.accent_text))
            width = max(1.0 if count else 0.0, room * count / most)
            painter.drawRoundedRect(QRectF(name_px, top + 6, width, ROW_PX - 12), 2, 2)
            painter.setPen(QColor(c.muted))
            right = QRectF(self.width() - COUNT_PX, top, COUNT_PX, ROW_PX)
            painter.drawText(right, level | int(Qt.AlignmentFlag.AlignRight), grouped(count))
        painter.end()
