"""The notices on top of a page."""

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget

from app.errors import Notice
from app.models.notices import NoticeBoard
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label
from app.ui.widgets.notice_cards import MAX_CARDS, NoticeCards


class NoticesBar(NoticeCards):
    """The newest few; closing one brings up the next. `is_shown` picks those that belong here."""

    def __init__(
        self, board: NoticeBoard, parent: QWidget | None = None, *, is_shown: Callable[[Notice], bool] | None = None
    ) -> None:
        super().__init__(board, parent)
        self._is_shown = is_shown
        self._more = label("", "caption")
        self._layout.setSpacing(1)
        self._layout.addWidget(self._more)
        self._more.setContentsMargins(SPACING.l, SPACING.xs, SPACING.l, SPACING.xs)
        board.notices_changed.connect(self._on_notices_changed)
        self._on_notices_changed(board.notices)

    def _on_notices_changed(self, notices: Any) -> None:
        own = tuple(notice for notice in notices if self._is_shown is None or self._is_shown(notice))
        self._set_notices(own)
        more = len(own) - MAX_CARDS
        self._more.setVisible(more > 0)
        self._more.setText(self.tr("{count} older notices below these").format(count=more))
        self.setVisible(bool(own))
