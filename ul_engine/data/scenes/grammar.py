"""The closed language of the scenes: word lists and phrases. Standard library only.

The tuples are the only source of the words; labels are indices into them, so their order is part of the data format.
"""

from collections.abc import Collection, Mapping
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


_SURROUNDINGS = "on a {floor_color} {floor_pattern} floor under a {sky} sky"
_OBJECT = "a {size} {color} {material} {shape}"
_PAIRS = (
    "a large red metal sphere left of a small green matte torus on a blue checkered floor",
    "a small yellow matte cone on top of a large purple metal cube under a pink sky",
    "a large cyan matte pyramid behind a small orange metal sphere on a gray dotted floor",
)
_SINGLES = {
    "a large yellow metal sphere on a blue striped floor under a pink sky": "bounce",
    "a large red matte cube on a plain gray floor under a blue sky": "roll",
    "a small purple metal torus on a green checkered floor under an orange sky": "spin left",
    "a small cyan matte cone on a purple dotted floor under a gray sky": "grow",
    "a green octahedron under a purple sky": "spin right",
    "an orange capsule on a checkered floor": "orbit",
}
"""Prompts for one object, each with a motion that it can do; the first ones are the easiest to see."""


def example_prompts(*, num_objects_max: int = 1, motions: Collection[str] = ()) -> list[str]:
    """A few prompts that show the range of the grammar, scenes of two objects first where there may be two.

    Those of a model of clips name a motion, as far as it is among `motions`, the words of what its clips show.
    """
    pairs = [_moving(prompt, "orbit", motions) for prompt in _PAIRS] if num_objects_max > 1 else []
    return [*pairs, *(_moving(prompt, motion, motions) for prompt, motion in _SINGLES.items())]


def _moving(text: str, motion: str, motions: Collection[str]) -> str:
    return f"{text}, {MOTION_PHRASES[motion]}" if motion in motions else text


def grammar_description(*, num_objects_max: int = 1, motions: Collection[str] = ()) -> dict[str, Any]:
    """Describe the grammar for a model's `config.json`: slots with their words, templates, examples. JSON-able.

    `motions` are the words of what its clips show; none: it draws pictures.
    """
    slots = {slot: list(words) for slot, words in ATTRIBUTE_WORDS.items()}
    phrases = [MOTION_PHRASES[motion] for motion in motions if MOTION_PHRASES[motion]]
    templates = [f"{_OBJECT} {_SURROUNDINGS}{', {motion}' if phrases else ''}"]
    if num_objects_max > 1:
        slots["relation"] = list(RELATIONS)
        templates.append(_moving(f"{_OBJECT} {{relation}} {_OBJECT} {_SURROUNDINGS}", "orbit", motions))
    if phrases:
        slots["motion"] = phrases
    return {
        "name": "scenes",
        "templates": templates,
        "slots": slots,
        "examples": example_prompts(num_objects_max=num_objects_max, motions=motions),
    }
