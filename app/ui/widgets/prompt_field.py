"""The prompt with everything around it: editor, unknown words, suggestions. Bound to a form."""

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models.generate_form import GenerateForm
from app.models.prompt_words import append_clause, insert_word, is_clause, phrases_of, slot_tokens, slots_of, tokens
from app.ui.theme.tokens import SPACING
from app.ui.widgets.labels import label
from app.ui.widgets.prompt_editor import PromptEditor
from app.ui.widgets.prompt_suggestions import EXAMPLES, PromptSuggestions, WordChoice
from app.ui.widgets.unknown_words_line import UnknownWordsLine


class PromptField(QWidget):
    """Hidden for models that take no text."""

    prompt_chosen = Signal()

    def __init__(self, form: GenerateForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.editor = PromptEditor(self)
        self.editor.setAccessibleName(self.tr("Prompt"))
        self.unknown_line = UnknownWordsLine(self)
        self.suggestions = PromptSuggestions(self)
        self._count = label("", "caption")
        self._build()
        self.editor.prompt_edited.connect(self._on_prompt_edited)
        self.editor.cursor_moved.connect(self._on_cursor_moved)
        self.editor.focus_left.connect(self._show_unknown_words)
        self.unknown_line.replacement_requested.connect(self._on_replacement_requested)
        self.suggestions.word_chosen.connect(self._on_word_chosen)
        self.suggestions.example_chosen.connect(self.show_example)
        form.form_changed.connect(self._on_form_changed)
        form.model_changed.connect(self._on_model_changed)
        self._on_model_changed()

    def _build(self) -> None:
        title = label(self.tr("Prompt"), "field")
        title.setBuddy(self.editor)
        self._head = head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING.xs)
        layout.addLayout(head)
        layout.addWidget(self.editor)
        layout.addWidget(self.unknown_line)
        layout.addSpacing(SPACING.xs)
        layout.addWidget(self.suggestions)

    def add_tools(self, tools: QWidget) -> None:
        """Put more buttons beside the title."""
        self._head.addWidget(tools)

    def show_example(self, text: str) -> None:
        """Put an example into the field."""
        self.editor.set_prompt(text)
        self.editor.setFocus()
        self.prompt_chosen.emit()

    # ---- from the form --------------------------------------------------------------------------------------------

    def _on_model_changed(self, _model: Any = None) -> None:
        text, grammar = self._form.text_config, self._form.grammar
        self.setVisible(text is not None)
        phrases = phrases_of(grammar) if grammar else ()
        self.editor.set_vocabulary((*text.vocabulary, *phrases) if text else ())
        self.suggestions.set_grammar(grammar)
        examples = grammar.examples if grammar else ()
        self.editor.setPlaceholderText(examples[0] if examples else self.tr("Say what the picture should show"))
        self._on_form_changed()

    def _on_form_changed(self, _state: Any = None) -> None:
        state = self._form.state
        if self.editor.prompt != state.prompt:
            self.editor.set_prompt(state.prompt)
        self._show_unknown_words()
        self._mark_word()
        text = self._form.text_config
        count, limit = len(tokens(state.prompt)), text.max_tokens if text else 0
        is_near_limit = limit > 0 and count > limit * 3 // 4
        self._count.setText(
            self.tr("{count} of {limit} words").format(count=count, limit=limit) if is_near_limit else ""
        )

    def _show_unknown_words(self) -> None:
        """Name them, but not the one that is still being typed.

        The cursor moves before the text is told: between the two, the form is behind the editor.
        """
        if self.editor.prompt != self._form.state.prompt:
            return
        unknown = [word for word in self._form.unknown_words() if not self.editor.is_being_typed(word)]
        self.editor.set_unknown_words(unknown)
        self.unknown_line.set_words(unknown, self._form.num_cut_words())

    def _mark_word(self) -> None:
        """Mark the word that fills the open slot, however it came there."""
        grammar, prompt, slot = self._form.grammar, self.editor.prompt, self.suggestions.slot
        if grammar is None or slot == EXAMPLES:
            return
        slots = slots_of(prompt, grammar)
        words = [token.word for token in slot_tokens(prompt, grammar) if slots.get(token.start) == slot]
        self.suggestions.show_slot(slot, words[0] if words else "")

    # ---- from the person ------------------------------------------------------------------------------------------

    def _on_prompt_edited(self, text: str) -> None:
        self._form.update(prompt=text)

    def _on_cursor_moved(self) -> None:
        """The cursor on a word of a slot opens that slot, so that a click swaps the word."""
        self._show_unknown_words()
        grammar = self._form.grammar
        if grammar is None or not self.editor.hasFocus():
            return
        prompt, index = self.editor.prompt, self.editor.cursor_index
        slots = slots_of(prompt, grammar)
        here = (token for token in slot_tokens(prompt, grammar) if token.start <= index <= token.end)
        token = next((token for token in here if token.start in slots), None)
        if token is not None:
            self.suggestions.show_slot(slots[token.start], token.word)

    def _on_replacement_requested(self, choice: Any) -> None:
        self.editor.replace_word(*choice)

    def _on_word_chosen(self, choice: WordChoice) -> None:
        """Swap the word that fills this slot now; without one, put the word in at the cursor, a motion at the end."""
        grammar, prompt, index = self._form.grammar, self.editor.prompt, self.editor.cursor_index
        if grammar is None:
            return
        slots = slots_of(prompt, grammar)
        filled = [token for token in slot_tokens(prompt, grammar) if slots.get(token.start) == choice.slot]
        here = next((token for token in filled if token.start <= index <= token.end), None)
        if here is not None or len(filled) == 1:
            self.editor.replace_word(here or filled[0], choice.word)
        elif is_clause(choice.slot, grammar):
            self.editor.set_prompt(append_clause(prompt, choice.word))
        else:
            text = insert_word(prompt, index, choice.word)
            self.editor.set_prompt(text, len(text) - len(prompt) + index)
        self.suggestions.show_slot(choice.slot, choice.word)
