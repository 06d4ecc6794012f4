"""The line below the prompt that names unknown words and offers the nearest known ones."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.models.prompt_words import UnknownWord
from app.ui.theme.theme import colours
from app.ui.widgets.labels import WrappedLabel

MAX_WORDS = 3


class UnknownWordsLine(WrappedLabel):
    """Hidden while all words are known. Each near word is a link, reachable with Tab."""

    replacement_requested = Signal(object)  # tuple[UnknownWord, str]

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._words: tuple[UnknownWord, ...] = ()
        self._num_cut = 0
        self.setProperty("role", "warning")
        self.setTextFormat(Qt.TextFormat.RichText)
        flags = Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        self.setTextInteractionFlags(flags)
        self.linkActivated.connect(self._on_link_activated)
        self.hide()

    def set_words(self, words: Sequence[UnknownWord], num_cut: int = 0) -> None:
        """The words to name, and how many words are beyond what the model reads."""
        self._words, self._num_cut = tuple(words), num_cut
        lines = [self._line(number, word) for number, word in enumerate(self._words[:MAX_WORDS])]
        more = len(self._words) - MAX_WORDS
        if more == 1:
            lines.append(self.tr("One more word is unknown too."))
        elif more > 1:
            lines.append(self.tr("{count} more words are unknown too.").format(count=more))
        if num_cut:
            lines.append(self.tr("Too long: the last {count} words will not be read.").format(count=num_cut))
        self.setText("<br>".join(lines))
        self.setVisible(bool(lines))

    def _line(self, number: int, word: UnknownWord) -> str:
        name = f"“{escape(word.word)}”"
        if word.is_sign:
            return self.tr("{word} means nothing to this model; leave it out.").format(word=name)
        if not word.suggestions:
            return self.tr("{word} is not a word this model knows.").format(word=name)
        style = f"color:{colours().accent_text}"
        links = ", ".join(
            f'<a style="{style}" href="{number}/{place}">{escape(suggestion)}</a>'
            for place, suggestion in enumerate(word.suggestions)
        )
        return self.tr("{word} is not a word this model knows: {suggestions}?").format(word=name, suggestions=links)

    def _on_link_activated(self, target: str) -> None:
        number, place = (int(part) for part in target.split("/"))
        word = self._words[number]
        self.replacement_requested.emit((word, word.suggestions[place]))
