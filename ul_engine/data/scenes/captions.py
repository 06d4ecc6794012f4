"""What is said of a scene: the full caption, and shorter true ones to train on. Standard library only."""

from ul_engine.data.scenes import grammar
from ul_engine.data.scenes.spec import Draws, ObjectSpec, SceneSpec

CAPTIONS_VERSION = 2
"""Counts changes of what is said of a scene."""
FULL_SHARE = 0.5
"""Share of training captions that leave nothing out."""
_SAID_SHARE = 0.55
_WITHOUT_ARTICLES_SHARE = 0.3
"""Share of training captions without "a" and "an": people write "red cube on checkered floor"."""


def caption(spec: SceneSpec, *, has_motion: bool = True) -> str:
    """Everything the grammar can say of a scene; `has_motion` False leaves the motion out (for a single picture)."""
    second = f"{spec.relation} {_full_phrase(spec.objects[1])}" if spec.relation else ""
    return grammar.sentence(
        _full_phrase(spec.objects[0]),
        second=second,
        floor=grammar.floor_phrase(color=spec.floor.color, pattern=spec.floor.pattern),
        sky=grammar.sky_phrase(spec.sky),
        motion=grammar.MOTION_PHRASES[spec.motion.name] if has_motion else "",
    )


def training_caption(spec: SceneSpec, *, has_motion: bool = True) -> str:
    """The full caption for half of the scenes, else one with words and clauses left out; some have no articles. Pure in
    (seed, index).

    At least the shape of every object is named, for whoever names one wants one; whatever is said is true.
    """
    draws = Draws(spec.seed, spec.index)
    is_full = draws.uniform("caption full") < FULL_SHARE
    text = caption(spec, has_motion=has_motion) if is_full else _short_caption(draws, spec, has_motion=has_motion)
    return _without_articles(text) if draws.uniform("caption articles") < _WITHOUT_ARTICLES_SHARE else text


def _without_articles(text: str) -> str:
    return " ".join(word for word in text.split(" ") if word not in ("a", "an"))


def _short_caption(draws: Draws, spec: SceneSpec, *, has_motion: bool) -> str:
    def is_said(name: str) -> bool:
        return draws.uniform("caption " + name) < _SAID_SHARE

    second = floor = sky = ""
    if spec.relation:
        second = f"{spec.relation} {_short_phrase(draws, spec.objects[1], 'second ')}"
    if is_said("floor"):
        floor = _short_floor(draws, spec)
    if is_said("sky"):
        sky = grammar.sky_phrase(spec.sky)
    motion = grammar.MOTION_PHRASES[spec.motion.name] if has_motion and is_said("motion") else ""
    return grammar.sentence(_short_phrase(draws, spec.objects[0]), second=second, floor=floor, sky=sky, motion=motion)


def _full_phrase(item: ObjectSpec) -> str:
    return grammar.object_phrase(shape=item.shape, color=item.color, material=item.material, size=item.size)


def _short_phrase(draws: Draws, item: ObjectSpec, prefix: str = "") -> str:
    color, material, size = (
        word if draws.uniform(f"caption {prefix}{name}") < _SAID_SHARE else None
        for name, word in (("color", item.color), ("material", item.material), ("size", item.size))
    )
    return grammar.object_phrase(shape=item.shape, color=color, material=material, size=size)


def _short_floor(draws: Draws, spec: SceneSpec) -> str:
    """Colour and pattern, or one of them: "a floor" alone would say nothing."""
    part = draws.uniform("caption floor words")
    color = spec.floor.color if part < 0.7 else None
    pattern = spec.floor.pattern if part >= 0.35 else None
    return grammar.floor_phrase(color=color, pattern=pattern)
