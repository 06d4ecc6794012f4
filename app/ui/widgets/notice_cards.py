"""A column of notices as cards."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import Notice
from app.models.notices import NoticeBoard
from app.ui.widgets.notice_card import NoticeCard

MAX_CARDS = 2


class NoticeCards(QWidget):
    """The newest few, newest on top. Subclasses say which notices, and where the column stands."""

    def __init__(self, board: NoticeBoard, parent: QWidget | None = None, *, is_narrow: bool = False) -> None:
        super().__init__(parent)
        self._board = board
        self._is_narrow = is_narrow
        self._cards: list[NoticeCard] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    @property
    def cards(self) -> list[NoticeCard]:
        """What is on show."""
        return self._cards

    def _set_notices(self, notices: tuple[Notice, ...]) -> None:
        """A card stays where only words are others: a new one would have everything around it laid out anew."""
        kept, old = [self._card(notice) for notice in notices[:MAX_CARDS]], self._cards
        self._cards = [card or self._make(notice) for card, notice in zip(kept, notices, strict=False)]
        for card in old:
            if card not in self._cards:
                card.hide()
                self._layout.removeWidget(card)
                card.deleteLater()
        for place, card in enumerate(self._cards):
            if self._layout.indexOf(card) != place:
                self._layout.insertWidget(place, card)

    def _make(self, notice: Notice) -> NoticeCard:
        return NoticeCard(notice, self._board, self, is_narrow=self._is_narrow)

    def _card(self, notice: Notice) -> NoticeCard | None:
        """The card on show that can say this."""
        same = (card for card in self._cards if card.notice == notice or (notice.key and card.notice.key == notice.key))
        card = next(same, None)
        return card if card is not None and card.reword(notice) else None
