"""Notices that only inform, over the page's lower right corner, so that the page does not move below the pointer."""

import time
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.errors import Notice
from app.models.notices import NoticeBoard
from app.ui.theme.tokens import SPACING
from app.ui.widgets.notice_card import NoticeCard
from app.ui.widgets.notice_cards import NoticeCards

WIDEST_PX = 420
SHOWN_S = 7.0
SHOWN_WITH_DEEDS_S = 20.0
AFTER_HOLD_S = 3.0
"""How long one stays at least after the pointer or the keyboard has left it."""
_LOOK_MS = 500


class Toasts(NoticeCards):
    """They go by themselves, but not while the pointer or the keyboard is on one of them, nor while the person is in
    another program. They never take the keyboard; Tab reaches them.

    `page` is what they lie over; it must be a descendant of `parent`.
    """

    def __init__(
        self, board: NoticeBoard, page: QWidget, parent: QWidget, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(board, parent, is_narrow=True)
        self._page = page
        self._clock = clock
        self._seen_s = clock()
        self._left_s: dict[Notice, float] = {}
        self._focus_before: QWidget | None = None
        self._layout.setSpacing(SPACING.s)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        page.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]
        board.posted.connect(self._on_posted)
        board.notices_changed.connect(self._on_notices_changed)
        self._on_notices_changed(board.notices)

    # ---- what is on show ------------------------------------------------------------------------------------------

    def _make(self, notice: Notice) -> NoticeCard:
        card = super()._make(notice)
        card.setProperty("is_toast", True)
        return card

    def _on_notices_changed(self, notices: Any) -> None:
        had_focus = self._has_focus()
        self._set_notices(tuple(notice for notice in notices if notice.only_informs))
        shown = [card.notice for card in self._cards]
        self._left_s = {notice: self._left_s.get(notice, _span_s(notice)) for notice in shown}
        if self._cards and not self._timer.isActive():
            self._seen_s = self._clock()
            self._timer.start()
        elif not self._cards:
            self._timer.stop()
        for card in self._cards:
            card.show()
        self._place()  # before it is seen, so that it appears nowhere else
        self.setVisible(bool(self._cards))
        if had_focus and not self._has_focus():
            self._give_focus_back()

    # ---- time -----------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Let time pass for what is on show, and take away what has been there long enough."""
        now = self._clock()
        passed, self._seen_s = now - self._seen_s, now
        is_held = self.is_held
        for notice, left in list(self._left_s.items()):
            self._left_s[notice] = max(left, AFTER_HOLD_S) if is_held else left - passed
        for notice in [notice for notice, left in self._left_s.items() if left <= 0.0]:
            self._board.dismiss(notice)

    @property
    def is_held(self) -> bool:
        """Whether nothing may go: somebody is at it, or nobody looks."""
        is_away = QApplication.activeWindow() is None
        return self.underMouse() or self._has_focus() or is_away

    def _on_posted(self, notice: Notice) -> None:
        """Said again: from the beginning."""
        self._left_s.pop(notice, None)

    # ---- the keyboard ---------------------------------------------------------------------------------------------

    def close_focused(self) -> bool:
        """Close the card that has the keyboard; whether there was one."""
        focus = QApplication.focusWidget()
        card = next((card for card in self._cards if focus is not None and card.isAncestorOf(focus)), None)
        if card is not None:
            self._board.dismiss(card.notice)
        return card is not None

    def _has_focus(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if new is not None and self.isAncestorOf(new) and old is not None and not self.isAncestorOf(old):
            self._focus_before = old

    def _give_focus_back(self) -> None:
        before, self._focus_before = self._focus_before, None
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus()

    # ---- the place ------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        parent = self.parentWidget()
        if not self._cards or parent is None:
            return
        page = QRect(self._page.mapTo(parent, QPoint()), self._page.size())
        page.adjust(SPACING.l, SPACING.l, -SPACING.l, -SPACING.l)
        width = min(WIDEST_PX, page.width())
        height = min(self._layout.totalHeightForWidth(width), page.height())
        self.setGeometry(page.right() + 1 - width, page.bottom() + 1 - height, width, height)
        self.raise_()

    def event(self, event: QEvent) -> bool:
        """Other words or open details: another height."""
        result = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return result

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The page has another size or place."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place()
        return False


def _span_s(notice: Notice) -> float:
    return SHOWN_WITH_DEEDS_S if notice.actions or notice.details else SHOWN_S
