"""Finding what a person means by a few letters: every word of the query must be found, its best place counts."""

from dataclasses import dataclass

_WHOLE_BEGIN, _WORD_BEGIN, _INSIDE, _SCATTERED = 100.0, 80.0, 50.0, 20.0
_ELSEWHERE = 0.4
"""What a word found only in the synonyms is worth against one in the title."""


@dataclass(frozen=True)
class Match:
    """How well something fits, and which letters of its title fitted."""

    score: float
    letters: tuple[int, ...] = ()


def match(query: str, title: str, others: str = "") -> Match | None:
    """How well `title`, or the synonyms in `others`, fit `query`; None: not at all. An empty query fits everything."""
    score, letters = 0.0, set[int]()
    folded, folded_others = title.casefold(), others.casefold()
    for word in query.casefold().split():
        worth, found = _find(word, folded)
        elsewhere = _ELSEWHERE * _find(word, folded_others)[0]
        if max(worth, elsewhere) <= 0.0:
            return None
        if worth >= elsewhere:
            letters.update(found)
        score += max(worth, elsewhere)
    usable = len(folded) == len(title)  # folding can change the length of a word; then no letter is marked
    return Match(score + (folded == query.strip().casefold()), tuple(sorted(letters)) if usable else ())


def _find(word: str, text: str) -> tuple[float, tuple[int, ...]]:
    """Worth and place of `word` in `text`; a worth of 0 means that it is not there."""
    begins = _word_begins(text)
    places = [place for place in range(len(text)) if text.startswith(word, place)]
    if places:
        best = next((place for place in places if place in begins), places[0])
        worth = _WHOLE_BEGIN if best == 0 else _WORD_BEGIN if best in begins else _INSIDE
        return worth + len(word), tuple(range(best, best + len(word)))
    return _scattered(word, text, begins)


def _scattered(word: str, text: str, begins: frozenset[int]) -> tuple[float, tuple[int, ...]]:
    """The letters in their order, each at the beginning of a word or right behind the one before, so that "pim" finds
    "preview images" and not everything long."""
    found: list[int] = []
    if len(word) < 2 or not _walk(word, text, begins, 0, found):
        return 0.0, ()
    spread = found[-1] - found[0] + 1 - len(word)
    return max(1.0, _SCATTERED - 0.2 * spread), tuple(found)


def _walk(word: str, text: str, begins: frozenset[int], start: int, found: list[int]) -> bool:
    if not word:
        return True
    for place in range(start, len(text)):
        follows = bool(found) and place == found[-1] + 1
        if text[place] == word[0] and (place in begins or follows):
            found.append(place)
            if _walk(word[1:], text, begins, place + 1, found):
                return True
            found.pop()
    return False


def _word_begins(text: str) -> frozenset[int]:
    return frozenset(
        place for place in range(len(text)) if text[place].isalnum() and (place == 0 or not text[place - 1].isalnum())
    )
