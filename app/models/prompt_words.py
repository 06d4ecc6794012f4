"""The words of a prompt against those a model knows: unknown ones, near ones, and the slot each word fills."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ul_engine.model_folder import PromptGrammar

_TOKEN = re.compile(r"\w+|[^\w\s]+")  # as the engine splits a prompt
_PLACEHOLDER = re.compile(r"\{(\w+)\}|\w+|[^\w\s]+")
_VOWELS = "aeiou"


@dataclass(frozen=True)
class Token:
    """One word of a prompt; `start` and `end` count characters."""

    start: int
    end: int
    word: str


@dataclass(frozen=True)
class UnknownWord(Token):
    """A word the model was never shown, with the nearest ones it knows."""

    suggestions: tuple[str, ...]

    @property
    def is_sign(self) -> bool:
        """Whether it is punctuation rather than a word."""
        return not any(character.isalnum() for character in self.word)


def tokens(prompt: str) -> list[Token]:
    """The words and signs of a prompt, split as the engine splits them."""
    return [Token(match.start(), match.end(), match.group()) for match in _TOKEN.finditer(prompt)]


def unknown_words(prompt: str, vocabulary: Sequence[str]) -> list[UnknownWord]:
    """The words of `prompt` that are not in `vocabulary` (lower case), in order."""
    known = frozenset(vocabulary)
    return [
        UnknownWord(token.start, token.end, token.word, nearest(token.word.lower(), tuple(vocabulary)))
        for token in tokens(prompt)
        if token.word.lower() not in known
    ]


@lru_cache(maxsize=512)
def nearest(word: str, vocabulary: tuple[str, ...]) -> tuple[str, ...]:
    """Up to three known words that look like `word`, best first."""
    return tuple(difflib.get_close_matches(word[:40], vocabulary, n=3, cutoff=0.6))


def completions(prefix: str, vocabulary: Sequence[str]) -> list[str]:
    """Known words and phrases that begin with `prefix` and go on."""
    low = prefix.lower()
    return [word for word in vocabulary if low and word.startswith(low) and word != low and word[:1].isalnum()]


def token_at(prompt: str, position: int) -> Token | None:
    """The word that the cursor at `position` touches."""
    return next((token for token in tokens(prompt) if token.start <= position <= token.end), None)


def replace_token(prompt: str, token: Token, word: str) -> str:
    """`prompt` with `word` in the token's place; "a" or "an" before it follows its sound."""
    before, after = prompt[: token.start], prompt[token.end :]
    article = re.search(r"\b(an?)(\s+)$", before, re.IGNORECASE)
    if article and word[:1].isalpha():
        right = "an" if word[0].lower() in _VOWELS else "a"
        before = before[: article.start(1)] + right + article.group(2)
    return before + word + after


def insert_word(prompt: str, position: int, word: str) -> str:
    """`prompt` with `word` at `position`, spaced from its neighbours."""
    before, after = prompt[:position], prompt[position:]
    gap_before = " " if before and not before[-1].isspace() else ""
    gap_after = "" if after[:1] in ("", " ", ",", ".") else " "
    return f"{before}{gap_before}{word}{gap_after}{after}"


def is_clause(slot: str, grammar: PromptGrammar) -> bool:
    """Whether a slot stands behind a comma at the end of a sentence, as a motion does."""
    return any(template.endswith(f", {{{slot}}}") for template in grammar.templates)


def append_clause(prompt: str, words: str) -> str:
    """`prompt` with `words` behind a comma at its end."""
    said = prompt.rstrip(" ,.")
    return f"{said}, {words}" if said else words


def phrases_of(grammar: PromptGrammar) -> list[str]:
    """What slots hold of several words, such as "left of" and "spinning left"."""
    return [word for slot in grammar.slots for word in slot.words if " " in word]


def slot_tokens(prompt: str, grammar: PromptGrammar) -> list[Token]:
    """The words of a prompt, those that make a phrase of a slot together ("left of") as one, in lower case."""
    phrases = {tuple(part.word for part in tokens(phrase)) for phrase in phrases_of(grammar)}
    words, found = tokens(prompt), []
    while words:
        fitting = (len(each) for each in phrases if tuple(word.word.lower() for word in words[: len(each)]) == each)
        count = max(fitting, default=1)
        phrase = " ".join(word.word.lower() for word in words[:count])
        found.append(Token(words[0].start, words[count - 1].end, phrase))
        words = words[count:]
    return found


def slots_of(prompt: str, grammar: PromptGrammar) -> dict[int, str]:
    """Start of each word or phrase that fills a slot -> the slot's name.

    The same word may stand in several slots ("blue" for an object, a floor, a sky): the sentence is aligned with each
    template, and the alignment with most matches decides.
    """
    words = slot_tokens(prompt, grammar)
    best: dict[int, str] = {}
    best_score = -1
    for template in grammar.templates:
        score, slots = _align(words, template, grammar)
        if score > best_score:
            best, best_score = slots, score
    for token in words:
        owners = [slot.name for slot in grammar.slots if token.word in slot.words]
        if token.start not in best and len(owners) == 1:
            best[token.start] = owners[0]
    return best


def _align(words: Sequence[Token], template: str, grammar: PromptGrammar) -> tuple[int, dict[int, str]]:
    """Longest common subsequence of prompt and template, where a place holder equals every word of its slot."""
    slot_words = {slot.name: frozenset(slot.words) for slot in grammar.slots}
    parts = [(match.group(1), match.group().lower()) for match in _PLACEHOLDER.finditer(template)]
    rows, columns = len(words), len(parts)
    lengths = [[0] * (columns + 1) for _ in range(rows + 1)]

    def matches(row: int, column: int) -> bool:
        slot, literal = parts[column]
        word = words[row].word
        return word in slot_words.get(slot, ()) if slot else word == literal

    for row in reversed(range(rows)):
        for column in reversed(range(columns)):
            skip = max(lengths[row + 1][column], lengths[row][column + 1])
            lengths[row][column] = max(skip, lengths[row + 1][column + 1] + 1) if matches(row, column) else skip
    slots: dict[int, str] = {}
    row = column = 0
    while row < rows and column < columns:
        if matches(row, column) and lengths[row][column] == lengths[row + 1][column + 1] + 1:
            if parts[column][0]:
                slots[words[row].start] = parts[column][0]
            row, column = row + 1, column + 1
        elif lengths[row + 1][column] >= lengths[row][column + 1]:
            row += 1
        else:
            column += 1
    return lengths[0][0], slots
