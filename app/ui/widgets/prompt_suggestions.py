"""Words and examples of the model's grammar, to click instead of guessing what it understands."""

from dataclasses import dataclass
from html import escape

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.ui.theme.tokens import SPACING
from app.ui.widgets.buttons import Chip
from app.ui.widgets.flow_layout import FlowLayout
from ul_engine.model_folder import PromptGrammar, PromptSlot

EXAMPLES = ""
NARROWEST_PX = 290


@dataclass(frozen=True)
class WordChoice:
    """A word of a slot was clicked."""

    slot: str
    word: str


class PromptSuggestions(QWidget):
    """A row of slots, and the words of the one chosen; examples come first."""

    word_chosen = Signal(object)  # WordChoice
    example_chosen = Signal(object)  # str

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grammar = PromptGrammar()
        self._slot = EXAMPLES
        self._current_word = ""
        self._tabs: list[Chip] = []
        self._chips: list[Chip] = []
        self._tab_row = _Flow(SPACING.xs // 2, self)
        self._chip_area = _Flow(6, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._tab_row)
        layout.addWidget(self._chip_area)

    def set_grammar(self, grammar: PromptGrammar | None) -> None:
        """Offer another model's words."""
        self._grammar = grammar or PromptGrammar()
        longest = max(self._grammar.slots, key=_num_words, default=None)
        self._slot = longest.name if longest else EXAMPLES
        self._current_word = ""
        for tab in self._tabs:
            _discard(tab)
        names = [EXAMPLES, *(slot.name for slot in self._grammar.slots)]
        self._tabs = [self._make_tab(name) for name in names if name or self._grammar.examples]
        for tab in self._tabs:
            self._tab_row.flow.addWidget(tab)
        self.setVisible(bool(self._tabs))
        self._fill()

    @property
    def slot(self) -> str:
        """The open slot."""
        return self._slot

    def show_slot(self, slot: str, word: str = "") -> None:
        """Open a slot and mark the word that now fills it; examples are the slot without a name."""
        if (slot, word) != (self._slot, self._current_word):
            self._slot, self._current_word = slot, word
            self._fill()

    def _make_tab(self, name: str) -> Chip:
        title = self.tr("Examples") if name == EXAMPLES else name.replace("_", " ").capitalize()
        tab = Chip(title, name, "tab", self)
        tab.value = name
        tab.setCheckable(True)
        tab.clicked.connect(self._on_tab_clicked)
        return tab

    def _fill(self) -> None:
        for tab in self._tabs:
            tab.setChecked(tab.value == self._slot)
        for chip in self._chips:
            _discard(chip)
        self._chips = [self._make_chip(text) for text in self._texts()]
        last: QWidget | None = self._tabs[-1] if self._tabs else None
        for chip in self._chips:
            self._chip_area.flow.addWidget(chip)
            chip.show()
            if last is not None:
                QWidget.setTabOrder(last, chip)
            last = chip
        self.updateGeometry()

    def _texts(self) -> tuple[str, ...]:
        if self._slot == EXAMPLES:
            return self._grammar.examples[:3]
        return next((slot.words for slot in self._grammar.slots if slot.name == self._slot), ())

    def _make_chip(self, text: str) -> Chip:
        is_example = self._slot == EXAMPLES
        chip = Chip(text, text, "chip", self._chip_area)
        chip.setToolTip(f"<qt>{escape(text)}</qt>" if is_example else "")
        chip.setCheckable(not is_example)
        chip.setChecked(not is_example and text == self._current_word)
        if is_example:
            chip.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        chip.clicked.connect(self._on_chip_clicked)
        return chip

    def _on_tab_clicked(self) -> None:
        tab = self.sender()
        if isinstance(tab, Chip):
            self._slot, self._current_word = tab.value, ""
            self._fill()

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if not isinstance(chip, Chip):
            return
        if self._slot == EXAMPLES:
            self.example_chosen.emit(chip.value)
        else:
            self.word_chosen.emit(WordChoice(self._slot, chip.value))


class _Flow(QWidget):
    """A widget whose children flow."""

    def __init__(self, spacing_px: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.flow = FlowLayout(spacing_px, self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        """As high as its rows are at the present width."""
        width = max(self.width(), NARROWEST_PX)
        return QSize(width, self.flow.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """A width at which the rows do not tower; Qt asks for their height at this width."""
        return QSize(NARROWEST_PX, self.flow.minimumSize().height())


def _num_words(slot: PromptSlot) -> int:
    return len(slot.words)


def _discard(chip: Chip) -> None:
    chip.hide()
    chip.deleteLater()
