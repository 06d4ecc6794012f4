"""The closed language of the scenes: word lists, phrases, and a parser. Standard library only.

The tuples are the only source of the words; labels are indices into them, so their order is part of the data format.
"""

from collections.abc import Mapping
from typing import Any

SHAPES = ("sphere", "cube", "cylinder", "cone", "torus", "capsule", "pyramid", "octahedron")
COLORS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
MATERIALS = ("matte", "metal")
SIZES = ("small", "large")
FLOOR_COLORS = ("red", "yellow", "green", "blue", "purple", "gray")
FLOOR_PATTERNS = ("plain", "checkered", "striped", "dotted")
SKIES = ("blue", "orange", "pink", "purple", "green", "gray")
RELATIONS = ("left of", "right of", "in front of", "behind", "on top of")
MOTIONS = ("still", "spin left", "spin right", "bounce", "roll", "orbit", "grow")

MOTION_PHRASES: Mapping[str, str] = {
    "still": "",
    "spin left": "spinning left",
    "spin right": "spinning right",
    "bounce": "bouncing",
    "roll": "rolling",
    "orbit": "seen by an orbiting camera",
    "grow": "growing",
}
"""What the camera sees of a motion; put behind a comma at the end of a caption."""

ATTRIBUTE_WORDS: Mapping[str, tuple[str, ...]] = {
    "shape": SHAPES,
    "color": COLORS,
    "material": MATERIALS,
    "size": SIZES,
    "floor_color": FLOOR_COLORS,
    "floor_pattern": FLOOR_PATTERNS,
    "sky": SKIES,
}
"""The attributes of a scene with one object, in the order of the labels."""

_SPELLINGS = {"grey": "gray", "checked": "checkered", "striped,": "striped", "metallic": "metal"}


def with_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase of the grammar, by the sound of its first letter."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def object_phrase(*, shape: str, color: str | None = None, material: str | None = None, size: str | None = None) -> str:
    """Name an object, for example "a small purple metal torus". Attributes that are None stay unsaid."""
    return with_article(" ".join(word for word in (size, color, material, shape) if word))


def floor_phrase(*, color: str | None = None, pattern: str | None = None) -> str:
    """Name the floor, for example "a green checkered floor" or "a plain green floor"."""
    words = (pattern, color) if pattern == "plain" else (color, pattern)
    return with_article(" ".join(word for word in (*words, "floor") if word))


def sky_phrase(sky: str) -> str:
    """Name the sky, for example "an orange sky"."""
    return with_article(f"{sky} sky")


def sentence(subject: str, *, second: str = "", floor: str = "", sky: str = "", motion: str = "") -> str:
    """Join clauses: `subject [second] [on floor] [under sky][, motion]`. An empty clause is left out.

    `second` includes its relation ("left of a red cube"); the others are bare phrases.
    """
    clauses = (subject, second, f"on {floor}" if floor else "", f"under {sky}" if sky else "")
    text = " ".join(clause for clause in clauses if clause)
    return f"{text}, {motion}" if motion else text


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
    for motion, phrase in MOTION_PHRASES.items():
        if phrase and phrase in text:
            return motion
    return None


_SURROUNDINGS = "on a {floor_color} {floor_pattern} floor under a {sky} sky"
_OBJECT = "a {size} {color} {material} {shape}"


def example_prompts(*, num_objects_max: int = 1) -> list[str]:
    """A few prompts that show the range of the grammar, scenes of two objects first where there may be two."""
    pairs = [
        "a large red metal sphere left of a small green matte torus on a blue checkered floor",
        "a small yellow matte cone on top of a large purple metal cube under a pink sky",
        "a large cyan matte pyramid behind a small orange metal sphere on a gray dotted floor",
    ]
    single = [
        "a small purple metal torus on a green checkered floor under an orange sky",
        "a large red matte cube on a plain gray floor under a blue sky",
        "a large yellow metal sphere on a blue striped floor under a pink sky",
        "a small cyan matte cone on a purple dotted floor under a gray sky",
        "a green octahedron under a purple sky",
        "an orange capsule on a checkered floor",
    ]
    return [*pairs, *single] if num_objects_max > 1 else single


def grammar_description(*, num_objects_max: int = 1) -> dict[str, Any]:
    """Describe the grammar for a model's `config.json`: slots with their words, templates, examples. JSON-able."""
    slots = {slot: list(words) for slot, words in ATTRIBUTE_WORDS.items()}
    templates = [f"{_OBJECT} {_SURROUNDINGS}"]
    if num_objects_max > 1:
        slots["relation"] = list(RELATIONS)
        templates.append(f"{_OBJECT} {{relation}} {_OBJECT} {_SURROUNDINGS}")
    return {
        "name": "scenes",
        "templates": templates,
        "slots": slots,
        "motions": [phrase for phrase in MOTION_PHRASES.values() if phrase],
        "examples": example_prompts(num_objects_max=num_objects_max),
    }
