"""A column of settings that is no wider than can be read, in an area that scrolls."""

from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.scrolling import scrolling

WIDTH_PX = 880


def scrolling_column(content: QWidget, parent: QWidget) -> QScrollArea:
    """The area; `content` stands in it at the left."""
    body = QWidget()
    body.setProperty("role", "plain")
    row = QHBoxLayout(body)
    row.setContentsMargins(SPACING.xl, SPACING.s, SPACING.xl, SPACING.xl)
    content.setMaximumWidth(WIDTH_PX)
    row.addWidget(content, 1)
    row.addStretch(0)
    return scrolling(body, parent)
