"""A column of words a little above the middle of a page that has nothing else to show."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING


def middle_column(page: QWidget, width_px: int) -> QVBoxLayout:
    """Lay out `page`, which has no layout yet; what is added to the result stands in the column, at the left."""
    column = QWidget(page)
    column.setFixedWidth(width_px)
    words = QVBoxLayout(column)
    words.setContentsMargins(0, 0, 0, 0)
    words.setSpacing(SPACING.s)
    middle = QHBoxLayout()
    middle.addStretch(1)
    middle.addWidget(column)
    middle.addStretch(1)
    outer = QVBoxLayout(page)
    outer.addStretch(2)
    outer.addLayout(middle)
    outer.addStretch(3)
    return words
