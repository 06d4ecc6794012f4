"""Words of the text presets, which draw the program's own scenes; and how to give a preset other words."""

from collections.abc import Sequence

from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.presets.changes import changed

SCENE_WORDS = (
    *("a", "an", "on", "under", "floor", "sky", "small", "large"),
    *("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "matte", "metal"),
    *("sphere", "cube", "cylinder", "cone", "torus", "capsule", "pyramid", "octahedron"),
    *("gray", "plain", "checkered", "striped", "dotted"),
)
"""Captions of one object."""

PAIR_WORDS = (*SCENE_WORDS, "left", "right", "of", "in", "front", "behind", "top")
"""Captions of one and two objects; their order gives the bundled model's token ids and is part of its weights."""

_MOTIONS = (",", "spinning", "bouncing", "rolling", "seen", "by", "orbiting", "camera", "growing")
"""The comma before the motion is a word of its own."""

MOVING_WORDS = (*SCENE_WORDS, "left", "right", *_MOTIONS)
"""Captions of one object with a motion; their order gives token ids."""

MOTION_WORDS = (*PAIR_WORDS, *_MOTIONS)
"""Captions of two objects and of moving scenes as well."""


def with_vocabulary(config: ModelConfig, words: Sequence[str]) -> ModelConfig:
    """A text preset for captions of other words, lower case, most frequent first; raises ConfigError where the
    preset has no text encoder."""
    if config.conditioning.text is None:
        raise ConfigError(f"{config.name} reads no text", field="conditioning.text")
    return changed(config, {"conditioning.text.vocabulary": tuple(words)})
