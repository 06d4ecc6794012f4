"""Where everything is at a moment of a clip: a pure function of scene and time. Standard library only.

A still scene is the same at every time, so a picture is a clip of one frame at time 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ul_engine.data.scenes.solids import Matrix, Vector, axis_rotation, multiply, standing_rotation, support
from ul_engine.data.scenes.spec import CameraSpec, MotionSpec, ObjectSpec, SceneSpec

SPIN_RAD_PER_S = 2.0
ORBIT_RAD_PER_S = 0.7
PAIR_SWING_RAD = 0.3
"""How far the camera swings to either side of two objects: within it "left of" and "behind" stay true."""
GRAVITY = 10.0
"""World units per second squared: a bounce of 0.65 units takes 0.72 s."""
BOUNCE_HEIGHT = {"small": 1.0, "large": 0.65}
ROLL_PERIOD_S = 3.2
ROLL_HALF_WAY = {"small": 1.0, "large": 0.75}
GROW_S = 2.0
GROW_FROM = 0.5
MOTION_VERSION = 2
"""Counts changes of what moves how; those of a moment at rest count in the renderer's."""
_UP: Vector = (0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class PlacedObject:
    """A solid in the world: `world = center + scale * rotation @ local`."""

    item: ObjectSpec
    center: Vector
    rotation: Matrix
    scale: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment of a scene."""

    spec: SceneSpec
    camera: CameraSpec
    objects: tuple[PlacedObject, ...]


def frame_at(spec: SceneSpec, time_s: float = 0.0) -> Frame:
    """The scene at a time in seconds. In scenes with two objects only the camera moves, to and fro."""
    camera = spec.camera
    if spec.motion.name == "orbit":
        turn = ORBIT_RAD_PER_S * time_s
        if len(spec.objects) > 1:
            turn = PAIR_SWING_RAD * math.sin(turn / PAIR_SWING_RAD)
        camera = replace(camera, azimuth_rad=camera.azimuth_rad + spec.motion.sign * turn)
    first, *rest = (at_rest(item) for item in spec.objects)
    move = _MOVES.get(spec.motion.name)
    moved = move(first, spec.motion, time_s) if move else first
    return Frame(spec=spec, camera=camera, objects=(moved, *rest))


def at_rest(item: ObjectSpec) -> PlacedObject:
    """The object as its spec places it."""
    rotation = standing_rotation(tilt_rad=item.tilt_rad, yaw_rad=item.yaw_rad)
    return PlacedObject(item=item, center=item.center, rotation=rotation, scale=item.scale)


def _spin(rest: PlacedObject, motion: MotionSpec, time_s: float) -> PlacedObject:
    """Seen from above counter-clockwise for a positive sign: the near side then moves right."""
    turn = axis_rotation(_UP, motion.sign * SPIN_RAD_PER_S * time_s)
    return replace(rest, rotation=multiply(turn, rest.rotation))


def _bounce(rest: PlacedObject, motion: MotionSpec, time_s: float) -> PlacedObject:
    """Free fall between elastic bounces: `h = g u (T - u) / 2`, u the time since the last one, T = sqrt(8 H / g)."""
    period_s = math.sqrt(8.0 * BOUNCE_HEIGHT[rest.item.size] / GRAVITY)
    since_s = time_s % period_s
    x, y, z = rest.center
    return replace(rest, center=(x, y, z + GRAVITY * since_s * (period_s - since_s) / 2.0))


def _grow(rest: PlacedObject, motion: MotionSpec, time_s: float) -> PlacedObject:
    """From half the size to the whole size, smoothly, with the lowest point on the floor."""
    part = min(time_s / GROW_S, 1.0)
    factor = GROW_FROM + (1.0 - GROW_FROM) * part * part * (3.0 - 2.0 * part)
    x, y, z = rest.center
    return replace(rest, center=(x, y, z * factor), scale=rest.scale * factor)


def _roll(rest: PlacedObject, motion: MotionSpec, time_s: float) -> PlacedObject:
    """To and fro without slipping: round solids turn by distance / radius, a cube tumbles over its edges."""
    heading: Vector = (math.cos(motion.heading_rad), math.sin(motion.heading_rad), 0.0)
    radius = rest.scale * support(rest.item.shape, rest.rotation, (0.0, 0.0, -1.0))
    half_way = ROLL_HALF_WAY[rest.item.size]
    swing = (1.0 - math.cos(2.0 * math.pi * time_s / ROLL_PERIOD_S)) / 2.0
    if rest.item.shape == "cube":
        num_turns = max(1, round(half_way / radius))
        along, height, angle_rad = _tumble(radius, num_turns * math.pi / 2.0 * swing)
        start = -num_turns * radius
    else:
        along = 2.0 * half_way * swing
        height, angle_rad, start = radius, along / radius, -half_way
    axis: Vector = (-heading[1], heading[0], 0.0)
    way = motion.sign * (start + along)
    return replace(
        rest,
        center=(rest.center[0] + way * heading[0], rest.center[1] + way * heading[1], height),
        rotation=multiply(axis_rotation(axis, motion.sign * angle_rad), rest.rotation),
    )


def _tumble(half_edge: float, angle_rad: float) -> tuple[float, float, float]:
    """Way and height of a cube's centre after tumbling by an angle, quarter turn by quarter turn; and the angle."""
    num_quarters = math.floor(angle_rad / (math.pi / 2.0))
    rest_rad = angle_rad - num_quarters * math.pi / 2.0
    cos, sin = math.cos(rest_rad), math.sin(rest_rad)
    along = half_edge * (2.0 * num_quarters + 1.0 + sin - cos)
    return along, half_edge * (cos + sin), angle_rad


_MOVES: dict[str, Callable[[PlacedObject, MotionSpec, float], PlacedObject]] = {
    "spin left": _spin,
    "spin right": _spin,
    "bounce": _bounce,
    "roll": _roll,
    "grow": _grow,
}
