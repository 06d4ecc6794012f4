"""Where objects stand, how they are turned, and from where they are seen. Standard library only.

Objects are laid out in the camera's own axes (x right, y away), where the relations are meant, and then turned about
the vertical with the camera.
"""

import math
from dataclasses import replace

from ul_engine.data.scenes.framing import screen_box
from ul_engine.data.scenes.motion import at_rest
from ul_engine.data.scenes.solids import (
    CONE_CORE_HALF,
    CONE_CORE_RADIUS,
    Vector,
    horizontal_reach,
    standing_rotation,
    support,
)
from ul_engine.data.scenes.spec import CameraSpec, Draws, MotionSpec, ObjectSpec

SCALES = {"small": 0.65, "large": 1.0}
TAN_HALF_VIEW = 0.42
HALF_WIDTH_SINGLE = 2.05
"""Half of the picture's width at the object, in world units: a large sphere then spans 45 % of the picture."""
HALF_WIDTH_PAIR = 2.45
_ROOM = 0.94
"""How far from the middle to the edge of the picture two objects may reach."""
_LYING_TILTS = {
    "cylinder": math.pi / 2,
    "capsule": math.pi / 2,
    "cone": math.pi / 2 + math.atan2(CONE_CORE_RADIUS, 2.0 * CONE_CORE_HALF),
    "torus": 0.0,
}
_LYING_SHARE = {"cylinder": 0.4, "capsule": 0.5, "cone": 0.2, "torus": 0.18}


def pose(draws: Draws, shape: str, motion: MotionSpec, prefix: str = "") -> tuple[float, float]:
    """Tilt and yaw in the camera's axes such that the shape can be told at a glance and, if it moves, shows that."""
    is_lying = draws.uniform(prefix + "lying") < _LYING_SHARE.get(shape, 0.0)
    turn = draws.uniform(prefix + "yaw")
    if motion.name == "roll":
        return _rolling_pose(shape, motion)
    if motion.name.startswith("spin") and shape in ("cylinder", "capsule", "cone"):
        is_lying = True
    if shape == "torus":
        is_flat = is_lying and not motion.name.startswith("spin")
        return (0.0, turn) if is_flat else (math.pi / 2, math.pi * (0.25 + turn / 2))
    if is_lying:  # the axis at least 35 degrees away from the line of sight: end-on, a cone is a disc
        side = math.pi if draws.uniform(prefix + "yaw side") < 0.5 else 0.0
        return _LYING_TILTS[shape], side + math.radians(-55.0 + 110.0 * turn)
    return 0.0, math.radians(15.0 + 60.0 * turn)


def _rolling_pose(shape: str, motion: MotionSpec) -> tuple[float, float]:
    if shape in ("sphere", "cube"):
        return 0.0, motion.heading_rad
    return math.pi / 2, motion.heading_rad + math.pi / 2


def _resting(item: ObjectSpec, x: float, y: float, floor: float = 0.0) -> ObjectSpec:
    """The object with its lowest point on the height `floor`."""
    rotation = standing_rotation(tilt_rad=item.tilt_rad, yaw_rad=item.yaw_rad)
    height = item.scale * support(item.shape, rotation, (0.0, 0.0, -1.0))
    return replace(item, center=(x, y, floor + height))


def placed_alone(draws: Draws, item: ObjectSpec, motion: MotionSpec) -> ObjectSpec:
    """One object on the floor, anywhere in the picture unless its motion needs the middle."""
    room = 0.0 if motion.name in ("roll", "orbit") else HALF_WIDTH_SINGLE * (0.92 - 0.62 * item.scale)
    return _resting(item, draws.uniform("x", -0.75, 0.75) * room, draws.uniform("y", -0.2, 0.2))


def placed_pair(draws: Draws, first: ObjectSpec, second: ObjectSpec, relation: str) -> tuple[ObjectSpec, ObjectSpec]:
    """Two objects such that the first stands in `relation` to the second as the camera sees them."""
    if relation == "on top of":
        below = _resting(second, draws.uniform("x", -0.6, 0.6), draws.uniform("y", -0.2, 0.2))
        return _resting(first, below.center[0], below.center[1], 2.0 * below.center[2]), below
    step_x, step_y = _pair_step(draws, first, second, relation)
    x, y = draws.uniform("x", -0.1, 0.1), draws.uniform("y", -0.1, 0.1)
    return (
        _resting(first, x + step_x / 2, y + step_y / 2),
        _resting(second, x - step_x / 2, y - step_y / 2),
    )


def _pair_step(draws: Draws, first: ObjectSpec, second: ObjectSpec, relation: str) -> tuple[float, float]:
    """From the second object to the first on the floor, in the camera's axes."""
    reach, second_reach = (
        item.scale * horizontal_reach(item.shape, standing_rotation(tilt_rad=item.tilt_rad, yaw_rad=item.yaw_rad))
        for item in (first, second)
    )
    apart = reach + second_reach + 0.15
    if relation in ("left of", "right of"):
        return apart * (-1.0 if relation == "left of" else 1.0), draws.uniform("pair depth", -0.3, 0.3)
    front, back = (reach, second_reach) if relation == "in front of" else (second_reach, reach)
    aside = 1.05 * front + 0.45 * back
    depth = max(math.sqrt(max(apart * apart - aside * aside, 0.0)), 1.1 * aside)
    return aside * draws.sign("pair side"), depth * (-1.0 if relation == "in front of" else 1.0)


def camera_for(draws: Draws, azimuth: float, objects: tuple[ObjectSpec, ...]) -> CameraSpec:
    """Horizon between 32 and 52 % of the half height above the middle, objects a little below the middle."""
    half_width = HALF_WIDTH_SINGLE if len(objects) == 1 else HALF_WIDTH_PAIR
    pitch = math.atan(TAN_HALF_VIEW * draws.uniform("horizon", 0.32, 0.52))
    highest = 9.0 if all(item.size == "small" for item in objects) else 6.5
    return CameraSpec(
        azimuth_rad=azimuth,
        elevation_rad=pitch + math.radians(draws.uniform("elevation", 2.0, highest)),
        distance=half_width / TAN_HALF_VIEW * draws.uniform("distance", 0.96, 1.05),
        pitch_rad=pitch,
        tan_half_view=TAN_HALF_VIEW,
        target=(0.0, 0.0, max(item.scale for item in objects) * 0.75),
    )


def with_room(camera: CameraSpec, objects: tuple[ObjectSpec, ...], *, is_orbiting: bool) -> CameraSpec:
    """The camera moved back as far as two objects need to stay inside the picture, from all sides if it orbits."""
    turns = [step * math.pi / 6.0 for step in range(12)] if is_orbiting else [0.0]
    for _ in range(3):
        boxes = [
            screen_box(at_rest(item), replace(camera, azimuth_rad=camera.azimuth_rad + turn))
            for turn in turns
            for item in objects
        ]
        furthest = max(max(-box.left, box.right, -box.bottom, box.top) for box in boxes)
        if furthest <= _ROOM:
            break
        camera = replace(camera, distance=camera.distance * furthest / _ROOM)
    return camera


def turned(item: ObjectSpec, azimuth: float) -> ObjectSpec:
    """From the camera's axes to the world's."""
    cos, sin = math.cos(azimuth), math.sin(azimuth)
    x, y, z = item.center
    center: Vector = (cos * x - sin * y, sin * x + cos * y, z)
    return replace(item, center=center, yaw_rad=item.yaw_rad + azimuth)
