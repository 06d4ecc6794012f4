"""Size and extent of the eight solids, as plain numbers. Standard library only.

Every solid is a convex core (or a torus) blown up by a rounding radius; its local z axis is its axis of symmetry and
its origin is half-way between its lowest and its highest point. One unit is about half the width of a large object.
"""

import math
from collections.abc import Callable

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
"""Three rows; column k is the solid's k-th local axis in world coordinates."""

SPHERE_RADIUS = 0.92
CUBE_CORE, CUBE_ROUNDING = 0.66, 0.05
CYLINDER_CORE_RADIUS, CYLINDER_CORE_HALF, CYLINDER_ROUNDING = 0.68, 0.68, 0.05
CONE_CORE_RADIUS, CONE_CORE_HALF, CONE_ROUNDING = 0.84, 0.80, 0.04
TORUS_RING, TORUS_TUBE = 0.70, 0.27
CAPSULE_HALF, CAPSULE_RADIUS = 0.55, 0.50
PYRAMID_CORE_BASE, PYRAMID_CORE_HALF, PYRAMID_ROUNDING = 0.72, 0.66, 0.04
OCTAHEDRON_CORE, OCTAHEDRON_ROUNDING = 1.02, 0.04

CONVEX_SHAPES = frozenset({"sphere", "cube", "cylinder", "cone", "capsule", "pyramid", "octahedron"})

BOUNDING_RADIUS = {
    "sphere": SPHERE_RADIUS,
    "cube": math.sqrt(3.0) * CUBE_CORE + CUBE_ROUNDING,
    "cylinder": math.hypot(CYLINDER_CORE_RADIUS, CYLINDER_CORE_HALF) + CYLINDER_ROUNDING,
    "cone": math.hypot(CONE_CORE_RADIUS, CONE_CORE_HALF) + CONE_ROUNDING,
    "torus": TORUS_RING + TORUS_TUBE,
    "capsule": CAPSULE_HALF + CAPSULE_RADIUS,
    "pyramid": math.hypot(math.sqrt(2.0) * PYRAMID_CORE_BASE, PYRAMID_CORE_HALF) + PYRAMID_ROUNDING,
    "octahedron": OCTAHEDRON_CORE + OCTAHEDRON_ROUNDING,
}
"""Radius of the sphere around the local origin that holds the whole solid."""


def _cone_support(x: float, y: float, z: float) -> float:
    return max(CONE_CORE_HALF * z, CONE_CORE_RADIUS * math.hypot(x, y) - CONE_CORE_HALF * z) + CONE_ROUNDING


def _pyramid_support(x: float, y: float, z: float) -> float:
    base = PYRAMID_CORE_BASE * (abs(x) + abs(y)) - PYRAMID_CORE_HALF * z
    return max(PYRAMID_CORE_HALF * z, base) + PYRAMID_ROUNDING


_SUPPORTS: dict[str, Callable[[float, float, float], float]] = {
    "sphere": lambda x, y, z: SPHERE_RADIUS,
    "cube": lambda x, y, z: CUBE_CORE * (abs(x) + abs(y) + abs(z)) + CUBE_ROUNDING,
    "cylinder": lambda x, y, z: (
        CYLINDER_CORE_RADIUS * math.hypot(x, y) + CYLINDER_CORE_HALF * abs(z) + CYLINDER_ROUNDING
    ),
    "cone": _cone_support,
    "torus": lambda x, y, z: TORUS_RING * math.hypot(x, y) + TORUS_TUBE,
    "capsule": lambda x, y, z: CAPSULE_HALF * abs(z) + CAPSULE_RADIUS,
    "pyramid": _pyramid_support,
    "octahedron": lambda x, y, z: OCTAHEDRON_CORE * max(abs(x), abs(y), abs(z)) + OCTAHEDRON_ROUNDING,
}


def support(shape: str, rotation: Matrix, direction: Vector) -> float:
    """How far a turned solid of scale 1 reaches along a world direction: `max over its points p of dot(p, direction)`.

    The direction need not have length 1; the result scales with it.
    """
    length = math.sqrt(sum(component * component for component in direction))
    x, y, z = (sum(rotation[row][axis] * direction[row] for row in range(3)) / length for axis in range(3))
    return _SUPPORTS[shape](x, y, z) * length


def axis_rotation(axis: Vector, angle_rad: float) -> Matrix:
    """Rotation about a unit axis, counter-clockwise when the axis points at the viewer (Rodrigues' formula)."""
    x, y, z = axis
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    rest = 1.0 - cos
    return (
        (cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin),
        (y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin),
        (z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest),
    )


def multiply(left: Matrix, right: Matrix) -> Matrix:
    """Matrix product: turn by `right` first, then by `left`."""
    columns = tuple(zip(*right, strict=True))
    first, second, third = (
        tuple(sum(a * b for a, b in zip(row, column, strict=True)) for column in columns) for row in left
    )
    return _vector(first), _vector(second), _vector(third)


def standing_rotation(*, tilt_rad: float, yaw_rad: float) -> Matrix:
    """Tilt the solid's axis away from the vertical, then turn it about the vertical."""
    return multiply(axis_rotation((0.0, 0.0, 1.0), yaw_rad), axis_rotation((0.0, 1.0, 0.0), tilt_rad))


def horizontal_reach(shape: str, rotation: Matrix) -> float:
    """The furthest that a turned solid of scale 1 reaches sideways, over sixteen directions."""
    angles = (math.pi * step / 8.0 for step in range(16))
    return max(support(shape, rotation, (math.cos(angle), math.sin(angle), 0.0)) for angle in angles)


def _vector(values: tuple[float, ...]) -> Vector:
    return values[0], values[1], values[2]
