"""What a classifier of scenes is asked: every word of a scene as an index, for one object and for two.

In a picture of two objects nothing says which one a caption would name first: "a cube left of a cone" shows the same as
"a cone right of a cube". They are therefore told apart by where they are, for each `Arrangement` in its own order: the
left one, the nearer one, the upper one first. Standard library only.
"""

from collections.abc import Mapping
from enum import StrEnum

from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS, COLORS, MATERIALS, SHAPES, SIZES
from ul_engine.data.scenes.spec import ObjectSpec, SceneSpec

NOT_ASKED = -100
"""The label of a question that does not fit the scene; cross-entropies leave it out."""


class Arrangement(StrEnum):
    """How two objects lie: beside each other, one behind the other, one on the other."""

    SIDE = "side"
    DEPTH = "depth"
    STACK = "stack"


OBJECT_WORDS: Mapping[str, tuple[str, ...]] = {"shape": SHAPES, "color": COLORS, "material": MATERIALS, "size": SIZES}
SURROUNDINGS = ("floor_color", "floor_pattern", "sky")
_ARRANGEMENTS = tuple(Arrangement)
_RELATIONS: Mapping[str, tuple[Arrangement, bool]] = {
    "left of": (Arrangement.SIDE, False),
    "right of": (Arrangement.SIDE, True),
    "in front of": (Arrangement.DEPTH, False),
    "behind": (Arrangement.DEPTH, True),
    "on top of": (Arrangement.STACK, False),
}
"""How each relation arranges its objects, and whether the object that a caption names first comes second in it."""


def _pair_question(arrangement: Arrangement, place: int, name: str) -> str:
    return f"{arrangement}_{place}_{name}"


QUESTIONS: Mapping[str, int] = {
    "num_objects": 2,
    "arrangement": len(_ARRANGEMENTS),
    **{name: len(words) for name, words in ATTRIBUTE_WORDS.items()},
    **{
        _pair_question(arrangement, place, name): len(words)
        for arrangement in _ARRANGEMENTS
        for place in (0, 1)
        for name, words in OBJECT_WORDS.items()
    },
}
"""Everything that is asked of a picture, with the number of answers."""


def answers(spec: SceneSpec) -> dict[str, int]:
    """The right answer to each of `QUESTIONS`, `NOT_ASKED` where the scene has none."""
    found = dict.fromkeys(QUESTIONS, NOT_ASKED)
    found["num_objects"] = len(spec.objects) - 1
    surroundings = {"floor_color": spec.floor.color, "floor_pattern": spec.floor.pattern, "sky": spec.sky}
    found.update({name: ATTRIBUTE_WORDS[name].index(word) for name, word in surroundings.items()})
    if spec.relation is None:
        found.update(_object_answers(spec.objects[0]))
        return found
    arrangement, is_turned = _RELATIONS[spec.relation]
    found["arrangement"] = _ARRANGEMENTS.index(arrangement)
    for place, item in enumerate(reversed(spec.objects) if is_turned else spec.objects):
        for name, answer in _object_answers(item).items():
            found[_pair_question(arrangement, place, name)] = answer
    return found


def _object_answers(item: ObjectSpec) -> dict[str, int]:
    words = {"shape": item.shape, "color": item.color, "material": item.material, "size": item.size}
    return {name: OBJECT_WORDS[name].index(word) for name, word in words.items()}


def verdict(spec: SceneSpec, seen: Mapping[str, int]) -> dict[str, bool]:
    """Which words of the full caption of `spec` a picture shows, given what is `seen` in it: an answer to each of
    `QUESTIONS`. Of two objects each has its own words, `first_shape` to `second_size`, in the caption's order.

    The relation holds if the objects lie as it says and do not fit better the other way round.
    """
    wanted = answers(spec)
    words = {"num_objects": seen["num_objects"] == wanted["num_objects"]}
    if spec.relation is None:
        words.update({name: seen[name] == wanted[name] for name in OBJECT_WORDS})
    else:
        words.update(_pair_verdict(spec.relation, wanted, seen))
    words.update({name: seen[name] == wanted[name] for name in SURROUNDINGS})
    return words


def _pair_verdict(relation: str, wanted: Mapping[str, int], seen: Mapping[str, int]) -> dict[str, bool]:
    arrangement, is_turned = _RELATIONS[relation]

    def fits(place: int, seen_place: int, name: str) -> bool:
        question = _pair_question(arrangement, seen_place, name)
        return seen[question] == wanted[_pair_question(arrangement, place, name)]

    straight = sum(fits(place, place, name) for place in (0, 1) for name in OBJECT_WORDS)
    crossed = sum(fits(place, 1 - place, name) for place in (0, 1) for name in OBJECT_WORDS)
    places = {"first": int(is_turned), "second": 1 - int(is_turned)}
    words = {f"{which}_{name}": fits(place, place, name) for which, place in places.items() for name in OBJECT_WORDS}
    words["relation"] = seen["arrangement"] == wanted["arrangement"] and straight >= crossed
    return words
