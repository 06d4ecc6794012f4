"""From (seed, index) to a scene: draws the words and hands them to `placement`. Standard library only.

`scene_spec` is the entry.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from ul_engine.data.scenes import grammar, placement
from ul_engine.data.scenes.spec import PINNABLE, Draws, FloorSpec, MotionSpec, ObjectSpec, SceneOptions, SceneSpec
from ul_engine.errors import ConfigError

SPINNING_SHAPES = tuple(shape for shape in grammar.SHAPES if shape != "sphere")
"""A spinning sphere of one colour shows nothing."""
ROLLING_SHAPES = ("sphere", "cube", "cylinder", "torus", "capsule")
FLAT_TOPPED_SHAPES = ("cube", "cylinder")
_PAIR_MOTIONS = ("still", "orbit")


def scene_spec(
    seed: int,
    index: int,
    options: SceneOptions | None = None,
    *,
    pinned: Mapping[str, str] | None = None,
) -> SceneSpec:
    """Scene number `index` of the endless series `seed`. Pure: no other state, the same on every machine.

    `pinned` fixes words by attribute (keys of `PINNABLE`); the other attributes stay as they were unless they would
    contradict the pins. Pinning a relation or an attribute of the second object gives a scene with two objects.
    None means the default options, and nothing pinned.

    Raises ConfigError for an unknown pin and for pins that contradict each other.
    """
    options = options or SceneOptions()
    pins = dict(pinned or {})
    _check_pins(pins)
    draws = Draws(seed, index)
    wants_pair = "relation" in pins or any(name.startswith("second_") for name in pins)
    is_pair = wants_pair or (options.num_objects_max == 2 and draws.uniform("pair") < options.two_object_fraction)
    motion_name = _draw_motion(draws, pins, options, is_pair=is_pair)
    azimuth = draws.uniform("azimuth", -math.pi, math.pi)
    motion = _motion(draws, motion_name)
    objects, relation = _draw_objects(draws, pins, motion=motion, is_pair=is_pair)
    light_side = draws.sign("light side")
    objects = tuple(placement.turned(placed, azimuth) for placed in objects)
    motion = replace(motion, heading_rad=motion.heading_rad + azimuth)
    camera = placement.camera_for(draws, azimuth, objects)
    if is_pair:
        camera = placement.with_room(camera, objects, is_orbiting=motion.name == "orbit")
    return SceneSpec(
        seed=seed,
        index=index,
        objects=objects,
        relation=relation,
        floor=_floor(draws, pins),
        sky=pins.get("sky") or draws.choice("sky", grammar.SKIES),
        light_azimuth_rad=azimuth - math.pi / 2 + light_side * draws.uniform("light azimuth", 0.4, 1.25),
        light_elevation_rad=draws.uniform("light elevation", 0.65, 1.0),
        camera=camera,
        motion=motion,
    )


def _check_pins(pins: Mapping[str, str]) -> None:
    for name, word in pins.items():
        if name not in PINNABLE:
            raise ConfigError(f"unknown attribute; known are {', '.join(PINNABLE)}", field=f"pinned.{name}")
        if word not in PINNABLE[name]:
            raise ConfigError(f"{word!r} is none of {', '.join(PINNABLE[name])}", field=f"pinned.{name}")
    motion = pins.get("motion", "still")
    if "shape" in pins and pins["shape"] not in _shapes_for(motion):
        raise ConfigError(f"a {pins['shape']} cannot {motion} visibly", field="pinned.motion")
    if pins.get("relation") == "on top of" and pins.get("second_shape", "cube") not in FLAT_TOPPED_SHAPES:
        raise ConfigError("nothing stands on top of this shape", field="pinned.second_shape")


def _shapes_for(motion: str) -> tuple[str, ...]:
    if motion.startswith("spin"):
        return SPINNING_SHAPES
    return ROLLING_SHAPES if motion == "roll" else grammar.SHAPES


def _draw_motion(draws: Draws, pins: Mapping[str, str], options: SceneOptions, *, is_pair: bool) -> str:
    if "motion" in pins:
        if is_pair and pins["motion"] not in _PAIR_MOTIONS:
            raise ConfigError(f"two objects can only be {' or '.join(_PAIR_MOTIONS)}", field="pinned.motion")
        return pins["motion"]
    possible = [
        motion
        for motion in options.motions
        if (not is_pair or motion in _PAIR_MOTIONS) and pins.get("shape", "cube") in _shapes_for(motion)
    ]
    return draws.choice("motion", possible) if possible else "still"


def _motion(draws: Draws, name: str) -> MotionSpec:
    sign = {"spin left": -1.0, "spin right": 1.0}.get(name, draws.sign("motion sign"))
    return MotionSpec(name=name, sign=sign, heading_rad=draws.uniform("motion heading", -0.35, 0.35))


def _floor(draws: Draws, pins: Mapping[str, str]) -> FloorSpec:
    return FloorSpec(
        color=pins.get("floor_color") or draws.choice("floor color", grammar.FLOOR_COLORS),
        pattern=pins.get("floor_pattern") or draws.choice("floor pattern", grammar.FLOOR_PATTERNS),
        cell=draws.uniform("floor cell", 0.85, 1.15),
        turn_rad=draws.uniform("floor turn", -math.pi, math.pi),
        offset=(draws.uniform("floor offset x"), draws.uniform("floor offset y")),
    )


def _draw_objects(
    draws: Draws, pins: Mapping[str, str], *, motion: MotionSpec, is_pair: bool
) -> tuple[tuple[ObjectSpec, ...], str | None]:
    """Objects in the camera's axes, the first one being the one that moves, and their relation."""
    shape = pins.get("shape") or draws.choice("shape", _shapes_for(motion.name))
    first = _draw_object(draws, pins, shape=shape, motion=motion)
    if not is_pair:
        return (placement.placed_alone(draws, first, motion),), None
    relation = pins.get("relation") or draws.choice("relation", _possible_relations(pins))
    shapes = FLAT_TOPPED_SHAPES if relation == "on top of" else grammar.SHAPES
    second_shape = pins.get("second_shape") or draws.choice("second shape", shapes)
    second = _draw_object(draws, pins, shape=second_shape, motion=motion, prefix="second ")
    if relation == "on top of":
        second = replace(second, tilt_rad=0.0)
        if second.size == "small" and first.size == "large" and "size" not in pins:
            first = replace(first, size="small", scale=placement.SCALES["small"])
    if (second.shape, second.color) == (first.shape, first.color):
        other = draws.choice("color again", [color for color in grammar.COLORS if color != first.color])
        if "second_color" not in pins:
            second = replace(second, color=other)
        elif "color" not in pins:
            first = replace(first, color=other)
    return placement.placed_pair(draws, first, second, relation), relation


def _possible_relations(pins: Mapping[str, str]) -> tuple[str, ...]:
    if pins.get("second_shape", "cube") in FLAT_TOPPED_SHAPES:
        return grammar.RELATIONS
    return tuple(relation for relation in grammar.RELATIONS if relation != "on top of")


def _draw_object(
    draws: Draws, pins: Mapping[str, str], *, shape: str, motion: MotionSpec, prefix: str = ""
) -> ObjectSpec:
    """Words and pose of one object; its centre is at the origin of the camera's axes for now."""

    def word(name: str, words: tuple[str, ...]) -> str:
        return pins.get((prefix + name).replace(" ", "_")) or draws.choice(prefix + name, words)

    size = word("size", grammar.SIZES)
    tilt, yaw = placement.pose(draws, shape, motion, prefix)
    return ObjectSpec(
        shape=shape,
        color=word("color", grammar.COLORS),
        material=word("material", grammar.MATERIALS),
        size=size,
        scale=placement.SCALES[size] * draws.uniform(prefix + "scale", 0.96, 1.04),
        tilt_rad=tilt,
        yaw_rad=yaw,
        center=(0.0, 0.0, 0.0),
    )
