"""The notices on top of a page."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from app.errors import Notice, NoticeAction
from app.models.notices import NoticeBoard
from app.ui.theme.icons import pixmap
from app.ui.theme.theme import colours
from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import IconButton, TextButton
from app.ui.widgets.labels import label

MAX_CARDS = 2
DETAILS_HEIGHT_PX = 140


class NoticesBar(QWidget):
    """The newest few; closing one brings up the next."""

    def __init__(self, board: NoticeBoard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self._cards: list[NoticeCard] = []
        self._more = label("", "caption")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(1)
        self._layout.addWidget(self._more)
        self._more.setContentsMargins(SPACING.l, SPACING.xs, SPACING.l, SPACING.xs)
        board.notices_changed.connect(self._on_notices_changed)
        self._on_notices_changed(board.notices)

    @property
    def cards(self) -> list["NoticeCard"]:
        """What is on show."""
        return self._cards

    def _on_notices_changed(self, notices: Any) -> None:
        """A card stays where only words are others: a new one would have the whole page laid out anew."""
        kept, old = [self._card(notice) for notice in notices[:MAX_CARDS]], self._cards
        self._cards = [
            card or NoticeCard(notice, self._board, self) for card, notice in zip(kept, notices, strict=False)
        ]
        for card in old:
            if card not in self._cards:
                card.hide()
                card.deleteLater()
        for place, card in enumerate(self._cards):
            if self._layout.indexOf(card) != place:
                self._layout.insertWidget(place, card)
        more = len(notices) - MAX_CARDS
        self._more.setVisible(more > 0)
        self._more.setText(self.tr("{count} older notices below these").format(count=more))
        self.setVisible(bool(notices))

    def _card(self, notice: Notice) -> "NoticeCard | None":
        """The card on show that can say this."""
        same = (card for card in self._cards if card.notice == notice or (notice.key and card.notice.key == notice.key))
        card = next(same, None)
        return card if card is not None and card.reword(notice) else None


class NoticeCard(QFrame):
    """One notice: sign, words, deeds, and details on demand."""

    def __init__(self, notice: Notice, board: NoticeBoard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self._board = board
        self.setProperty("notice", notice.severity.value)
        self._sign = QLabel(self)
        self._sign.setFixedSize(20, 20)
        self._title = label(notice.title, "emphasis")
        self._sentence = label(notice.sentence, is_wrapped=True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._build()
        self._tint()

    def reword(self, notice: Notice) -> bool:
        """Say another notice that differs in its words only; False if it needs another card."""
        if replace(notice, title="", sentence="") != replace(self.notice, title="", sentence=""):
            return False
        self.notice = notice
        self._title.setText(notice.title)
        self._sentence.setText(notice.sentence)
        self.setAccessibleName(f"{notice.title}. {notice.sentence}")
        return True

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACING.m)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._sentence)
        row.addLayout(words, 1)
        for action in self.notice.actions:
            row.addWidget(self._deed(action), 0, Qt.AlignmentFlag.AlignVCenter)
        details = self._make_details() if self.notice.details else None
        if details is not None:
            fold = TextButton(self.tr("Details"), "link", parent=self)
            fold.setCheckable(True)
            fold.toggled.connect(details.setVisible)
            row.addWidget(fold, 0, Qt.AlignmentFlag.AlignVCenter)
        close = IconButton("close", self.tr("Close this notice"), "small", self)
        close.clicked.connect(self._on_close_clicked)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.m, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addLayout(row)
        if details is not None:
            layout.addWidget(details)
        self.setAccessibleName(f"{self.notice.title}. {self.notice.sentence}")

    def _make_details(self) -> QPlainTextEdit:
        details = QPlainTextEdit(self.notice.details, self)
        details.setReadOnly(True)
        details.setFixedHeight(DETAILS_HEIGHT_PX)
        details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        details.hide()
        return details

    def _deed(self, action: NoticeAction) -> TextButton:
        button = TextButton(action.label, parent=self)
        button.setProperty("action_name", action.name)
        button.setProperty("action_argument", action.argument)
        button.clicked.connect(self._on_deed_clicked)
        return button

    def _on_deed_clicked(self) -> None:
        button = self.sender()
        if button is not None:
            self._board.choose(
                self.notice, str(button.property("action_name")), str(button.property("action_argument"))
            )

    def _on_close_clicked(self) -> None:
        self._board.dismiss(self.notice)

    def _tint(self) -> None:
        c = colours()
        tints = {"info": c.accent_text, "warning": c.warning, "error": c.error}
        name = self.notice.severity.value
        self._sign.setPixmap(pixmap(name, tints[name], 20))

    def changeEvent(self, event: Any) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "_sign"):
            self._tint()
