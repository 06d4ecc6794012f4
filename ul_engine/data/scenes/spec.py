"""What one scene is: frozen numbers and words, a pure function of (seed, index). Standard library only.

World coordinates: z up, floor at z = 0, the camera circles the origin; at azimuth 0 it stands at negative y, looks
along positive y and has x to its right.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ul_engine.data.scenes import grammar
from ul_engine.data.scenes.solids import Vector
from ul_engine.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """Which scenes are drawn.

    num_objects_max: 1 or 2. two_object_fraction: share of scenes with two objects, in [0, 1], used when
    num_objects_max is 2. motions: words of `grammar.MOTIONS`; each scene draws one of those that its objects can do.
    """

    num_objects_max: int = 1
    two_object_fraction: float = 0.4
    motions: tuple[str, ...] = ("still",)

    def __post_init__(self) -> None:
        if self.num_objects_max not in (1, 2):
            raise ConfigError("must be 1 or 2", field="scenes.num_objects_max")
        if not 0.0 <= self.two_object_fraction <= 1.0:
            raise ConfigError("must lie in [0, 1]", field="scenes.two_object_fraction")
        unknown = [motion for motion in self.motions if motion not in grammar.MOTIONS]
        if unknown or not self.motions:
            raise ConfigError(f"must name some of {', '.join(grammar.MOTIONS)}", field="scenes.motions")


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """One object at rest. `center` is the world position of its local origin; `scale` multiplies the solid."""

    shape: str
    color: str
    material: str
    size: str
    scale: float
    tilt_rad: float
    yaw_rad: float
    center: Vector


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """A camera on a sphere around `target`, pitched down by `pitch_rad`; the horizon lies above the picture's middle.

    `tan_half_view` is the tangent of half the angle of view along the shorter side of the picture.
    """

    azimuth_rad: float
    elevation_rad: float
    distance: float
    pitch_rad: float
    tan_half_view: float
    target: Vector


@dataclass(frozen=True, slots=True)
class FloorSpec:
    """Colour word, pattern word, and how the pattern lies: size of a cell in world units, turn, offset in cells."""

    color: str
    pattern: str
    cell: float
    turn_rad: float
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True)
class MotionSpec:
    """Motion word and its free number: the direction of travel or turn (+1 or -1) and the heading on the floor."""

    name: str
    sign: float
    heading_rad: float


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """One scene. `relation` says how the first object stands to the second; None where there is one object."""

    seed: int
    index: int
    objects: tuple[ObjectSpec, ...]
    relation: str | None
    floor: FloorSpec
    sky: str
    light_azimuth_rad: float
    light_elevation_rad: float
    camera: CameraSpec
    motion: MotionSpec


class Draws:
    """Named random numbers of one scene: `uniform(name)` depends on (seed, index, name) and on nothing else.

    Each is the BLAKE2b hash of the three, so a new or a pinned attribute never moves another one.
    """

    def __init__(self, seed: int, index: int) -> None:
        self._key = f"{seed}/{index}/"

    def uniform(self, name: str, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        digest = hashlib.blake2b((self._key + name).encode(), digest_size=8).digest()
        return low + (high - low) * (int.from_bytes(digest, "little") >> 11) / 2.0**53

    def choice(self, name: str, words: Sequence[str]) -> str:
        """One of the words, each as likely as the others."""
        return words[int(self.uniform(name) * len(words))]

    def sign(self, name: str) -> float:
        """+1 or -1."""
        return 1.0 if self.uniform(name) < 0.5 else -1.0


PINNABLE: Mapping[str, tuple[str, ...]] = {
    **grammar.ATTRIBUTE_WORDS,
    "second_shape": grammar.SHAPES,
    "second_color": grammar.COLORS,
    "second_material": grammar.MATERIALS,
    "second_size": grammar.SIZES,
    "relation": grammar.RELATIONS,
    "motion": grammar.MOTIONS,
}
"""Attributes that `scene_spec(..., pinned=...)` can fix, with their words."""
