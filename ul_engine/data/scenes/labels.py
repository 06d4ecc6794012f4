"""Class and attribute labels of a scene's first object and surroundings. Standard library only."""

from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS, COLORS, SHAPES
from ul_engine.data.scenes.spec import SceneSpec

CLASS_NAMES = tuple(f"{color} {shape}" for shape in SHAPES for color in COLORS)
"""64 classes: shape x colour of the first object; the colour varies fastest."""


def class_label(spec: SceneSpec) -> int:
    """Index into `CLASS_NAMES`."""
    first = spec.objects[0]
    return SHAPES.index(first.shape) * len(COLORS) + COLORS.index(first.color)


def attributes(spec: SceneSpec) -> dict[str, str]:
    """The words of `grammar.ATTRIBUTE_WORDS` that hold for the scene's first object and surroundings."""
    first = spec.objects[0]
    return {
        "shape": first.shape,
        "color": first.color,
        "material": first.material,
        "size": first.size,
        "floor_color": spec.floor.color,
        "floor_pattern": spec.floor.pattern,
        "sky": spec.sky,
    }


def attribute_labels(spec: SceneSpec) -> dict[str, int]:
    """Each attribute as an index into its words."""
    return {name: ATTRIBUTE_WORDS[name].index(word) for name, word in attributes(spec).items()}
