"""Reads captions of Scenes back into what they say."""

from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS, MOTION_PHRASES, SHAPES

_SPELLINGS = {"grey": "gray", "checked": "checkered", "striped,": "striped", "metallic": "metal"}


def parse_prompt(text: str) -> dict[str, str | None]:
    """Read a prompt about one object back into attributes; None where an attribute is not named.

    Keys are those of `ATTRIBUTE_WORDS` plus "motion". Words that the grammar does not know are skipped. Adjectives
    belong to the next noun. Where two objects are named, the first is meant.
    """
    found: dict[str, str | None] = dict.fromkeys((*ATTRIBUTE_WORDS, "motion"))
    waiting: list[str] = []
    for raw in text.lower().replace(",", " ").replace(".", " ").split():
        word = _SPELLINGS.get(raw, raw)
        if word in SHAPES:
            if found["shape"] is None:
                found["shape"] = word
                _assign(found, waiting, ("color", "material", "size"))
        elif word == "floor":
            _assign(found, waiting, ("floor_color", "floor_pattern"))
        elif word == "sky":
            _assign(found, waiting, ("sky",))
        else:
            waiting.append(word)
            continue
        waiting = []
    found["motion"] = _motion_in(text.lower())
    return found


def _assign(found: dict[str, str | None], words: list[str], slots: tuple[str, ...]) -> None:
    for slot in slots:
        for word in words:
            if word in ATTRIBUTE_WORDS[slot]:
                found[slot] = word


def _motion_in(text: str) -> str | None:
    """Phrases of motions are known with their articles and without."""
    bare = _bare(text)
    for motion, phrase in MOTION_PHRASES.items():
        if phrase and _bare(phrase) in bare:
            return motion
    return None


def _bare(text: str) -> str:
    return " ".join(word for word in text.split() if word not in ("a", "an"))
