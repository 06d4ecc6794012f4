"""The field for the prompt: plain text that wraps, with completion and marks below unknown words."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMimeData, QPoint, QStringListModel, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QCompleter, QListView, QMenu, QPlainTextEdit, QToolTip, QWidget

from app.models.prompt_words import Token, UnknownWord, completions, replace_token, token_at
from app.ui.widgets.prompt_underline import UnknownWordUnderline, character_index, utf16_units

HEIGHT_PX = 96
_HISTORY = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptEditor(QPlainTextEdit):
    """Enter inserts nothing, Tab moves on; line breaks in pasted text become spaces."""

    prompt_edited = Signal(object)  # str
    cursor_moved = Signal()
    focus_left = Signal()
    history_wished = Signal(object)  # int: 1 older, -1 newer
    image_pasted = Signal(object)  # QImage

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vocabulary: tuple[str, ...] = ()
        self._unknown: tuple[UnknownWord, ...] = ()
        self._is_setting = False
        self._underline = UnknownWordUnderline(self.document())
        self.setTabChangesFocus(True)
        self.setFixedHeight(HEIGHT_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._completer = self._make_completer()
        self.textChanged.connect(self._on_text_changed)
        self.cursorPositionChanged.connect(self.cursor_moved)

    def _make_completer(self) -> QCompleter:
        completer = QCompleter(QStringListModel(self), self)
        completer.setWidget(self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        popup = QListView()
        popup.setProperty("role", "completions")
        completer.setPopup(popup)
        completer.activated.connect(self._on_completion_chosen)
        return completer

    # ---- what it shows --------------------------------------------------------------------------------------------

    @property
    def prompt(self) -> str:
        """The text."""
        return self.toPlainText()

    @property
    def cursor_index(self) -> int:
        """Where the cursor stands, in characters."""
        return character_index(self.prompt, self.textCursor().position())

    def set_vocabulary(self, words: Sequence[str]) -> None:
        """Words and phrases to complete."""
        self._vocabulary = tuple(words)

    def set_unknown_words(self, words: Sequence[UnknownWord]) -> None:
        """Words to mark."""
        self._unknown = tuple(words)
        self._underline.set_words(words)

    def set_prompt(self, text: str, cursor_index: int | None = None) -> None:
        """Replace the text, undoably; the cursor goes to `cursor_index` or the end."""
        if text != self.prompt:
            self._is_setting = True
            cursor = QTextCursor(self.document())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.insertText(text)
            self._is_setting = False
            self.prompt_edited.emit(self.prompt)
        cursor = self.textCursor()
        cursor.setPosition(utf16_units(text if cursor_index is None else text[:cursor_index]))
        self.setTextCursor(cursor)

    def replace_word(self, token: Token, word: str) -> None:
        """Put a word in another's place."""
        text = replace_token(self.prompt, token, word)
        self.set_prompt(text, len(text) - len(self.prompt) + token.end)

    # ---- typing ---------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Tab take an open completion; Enter alone does nothing else."""
        popup = self._completer.popup()
        is_open = popup is not None and popup.isVisible()
        if is_open and event.key() in (*_ENTER, Qt.Key.Key_Tab, Qt.Key.Key_Escape):
            event.ignore()  # the completer takes them
            return
        if event.key() in _ENTER:
            event.accept()
            return
        if event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in _HISTORY:
            self.history_wished.emit(_HISTORY[Qt.Key(event.key())])
            return
        super().keyPressEvent(event)
        if (event.text().isprintable() and event.text()) or (event.key() == Qt.Key.Key_Backspace and is_open):
            self._offer_completions()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Only text, in one paragraph; a picture is for whoever can start from it."""
        if source.hasImage() and not source.hasText():
            self.image_pasted.emit(source.imageData())
            return
        self.textCursor().insertText(" ".join(source.text().split()))

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Files are for the window, not for the text."""
        return (source.hasText() or source.hasImage()) and not source.hasUrls()

    def _on_text_changed(self) -> None:
        if not self._is_setting:
            self.prompt_edited.emit(self.prompt)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The word at the cursor is no longer being typed."""
        super().focusOutEvent(event)
        self.focus_left.emit()

    def is_being_typed(self, word: Token) -> bool:
        """Whether the cursor stands behind a beginning of a known word, which may still become one."""
        popup = self._completer.popup()
        is_typing = self.hasFocus() or (popup is not None and popup.isVisible())
        return is_typing and self.cursor_index == word.end and bool(completions(word.word, self._vocabulary))

    # ---- completion -----------------------------------------------------------------------------------------------

    def _offer_completions(self) -> None:
        token, index = token_at(self.prompt, self.cursor_index), self.cursor_index
        words = completions(token.word, self._vocabulary) if token and token.end == index else []
        popup = self._completer.popup()
        if not words or popup is None:
            if popup is not None:
                popup.hide()
            return
        model = self._completer.model()
        assert isinstance(model, QStringListModel)
        model.setStringList(words)
        self._completer.setCurrentRow(0)
        rect = self.cursorRect()
        rect.setWidth(180)
        rect.translate(self.viewport().pos() + QPoint(0, 4))
        self._completer.complete(rect)
        popup.setCurrentIndex(model.index(0))

    def _on_completion_chosen(self, word: str) -> None:
        token = token_at(self.prompt, self.cursor_index)
        if token is not None:
            self.replace_word(token, word)

    # ---- help for unknown words -----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """The tool tip over a marked word says what is near."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            word = self._unknown_at(event.pos())
            QToolTip.showText(event.globalPos(), self._tip(word) if word else "", self)
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Near words on top of the usual menu."""
        menu = self.make_menu(event.pos())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def make_menu(self, position: QPoint) -> QMenu:
        """The context menu for a place in the text."""
        menu = self.createStandardContextMenu()
        word = self._unknown_at(position)
        first = menu.actions()[0] if menu.actions() else None
        if word is not None and first is not None:
            for suggestion in word.suggestions:
                action = QAction(suggestion, menu)
                action.setData((word, suggestion))
                menu.insertAction(first, action)
            menu.insertSeparator(first)
            menu.triggered.connect(self._on_menu_triggered)
        return menu

    def _on_menu_triggered(self, action: QAction) -> None:
        data = action.data()
        if isinstance(data, tuple):
            self.replace_word(*data)

    def _unknown_at(self, position: QPoint) -> UnknownWord | None:
        index = character_index(self.prompt, self.cursorForPosition(position).position())
        return next((word for word in self._unknown if word.start <= index <= word.end), None)

    def _tip(self, word: UnknownWord) -> str:
        if word.suggestions:
            return self.tr("This model does not know this word. Near: {words}").format(
                words=", ".join(word.suggestions)
            )
        return self.tr("This model does not know this word, and knows none that looks like it.")
