"""One notice as a card."""

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

DETAILS_HEIGHT_PX = 140
SIGN_PX = 20


class NoticeCard(QFrame):
    """One notice: sign, words, deeds, and details on demand."""

    def __init__(
        self, notice: Notice, board: NoticeBoard, parent: QWidget | None = None, *, is_narrow: bool = False
    ) -> None:
        super().__init__(parent)
        self.notice = notice
        self._board = board
        self.setProperty("notice", notice.severity.value)
        self._sign = QLabel(self)
        self._sign.setFixedSize(SIGN_PX, SIGN_PX)
        self._title = label(notice.title, "emphasis", is_wrapped=is_narrow, parent=self)
        self._sentence = label(notice.sentence, is_wrapped=True, parent=self)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sentence.setVisible(bool(notice.sentence))
        self._build(is_narrow)
        self._tint()

    def reword(self, notice: Notice) -> bool:
        """Say another notice that differs in its words only; False if it needs another card."""
        if replace(notice, title="", sentence="") != replace(self.notice, title="", sentence=""):
            return False
        self.notice = notice
        self._title.setText(notice.title)
        self._sentence.setText(notice.sentence)
        self._sentence.setVisible(bool(notice.sentence))
        self.setAccessibleName(f"{notice.title}. {notice.sentence}")
        return True

    def _build(self, is_narrow: bool) -> None:
        """Where there is little width, the deeds stand below the words."""
        top = Qt.AlignmentFlag.AlignTop
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._sentence)
        details = self._make_details() if self.notice.details else None
        deeds = self._make_deeds(details)
        row = QHBoxLayout()
        row.setSpacing(SPACING.m)
        row.addWidget(self._sign, 0, top)
        row.addLayout(words, 1)
        if is_narrow and deeds.count():
            words.addSpacing(SPACING.s)
            deeds.addStretch(1)
            words.addLayout(deeds)
        else:
            row.addLayout(deeds)
        close = IconButton("close", self.tr("Close this notice"), "small", self)
        close.clicked.connect(self._on_close_clicked)
        row.addWidget(close, 0, top if is_narrow else Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING.l, SPACING.m, SPACING.m, SPACING.m)
        layout.setSpacing(SPACING.s)
        layout.addLayout(row)
        if details is not None:
            layout.addWidget(details)
        self.setAccessibleName(f"{self.notice.title}. {self.notice.sentence}")

    def _make_deeds(self, details: QPlainTextEdit | None) -> QHBoxLayout:
        deeds = QHBoxLayout()
        deeds.setSpacing(SPACING.m)
        for action in self.notice.actions:
            deeds.addWidget(self._deed(action), 0, Qt.AlignmentFlag.AlignVCenter)
        if details is not None:
            fold = TextButton(self.tr("Details"), "link", parent=self)
            fold.setCheckable(True)
            fold.toggled.connect(details.setVisible)
            deeds.addWidget(fold, 0, Qt.AlignmentFlag.AlignVCenter)
        return deeds

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
        self._sign.setPixmap(pixmap(name, tints[name], SIGN_PX))

    def changeEvent(self, event: Any) -> None:
        """The sign follows the palette."""
        super().changeEvent(event)
        if event.type() == event.Type.StyleChange and hasattr(self, "_sign"):
            self._tint()
