"""Wavy underlines below the words a model does not know."""

from collections.abc import Sequence

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from app.models.prompt_words import UnknownWord
from app.ui.theme.theme import colours


class UnknownWordUnderline(QSyntaxHighlighter):
    """Marks given words of a one-paragraph text."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._words: tuple[UnknownWord, ...] = ()

    def set_words(self, words: Sequence[UnknownWord]) -> None:
        """The words to mark."""
        if tuple(words) != self._words:
            self._words = tuple(words)
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """Qt asks for the formats of a paragraph."""
        style = QTextCharFormat()
        style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        style.setUnderlineColor(QColor(colours().error))
        for word in self._words:
            start, end = utf16_units(text[: word.start]), utf16_units(text[: word.end])
            self.setFormat(start, end - start, style)


def utf16_units(text: str) -> int:
    """Length of `text` as Qt counts it: characters beyond the first plane count twice."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def character_index(text: str, units: int) -> int:
    """The character of `text` at a position that Qt counted."""
    for index, character in enumerate(text):
        if units <= 0:
            return index
        units -= 2 if ord(character) > 0xFFFF else 1
    return len(text)
