"""Signed distances of the eight solids in their own coordinates, in torch.

Each function takes points `[3, N]` and returns `[N]`: the exact distance outside the solid, negative inside. Distances
to convex solids are convex along any ray, which the ray marching makes use of. Derived here from the closest point of
each core; the sizes stand in `solids`.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ul_engine.data.scenes import solids
from ul_engine.data.scenes.grammar import SHAPES

_NORMAL_STEP = 1.5e-3


def _length(*parts: Tensor) -> Tensor:
    total = parts[0] * parts[0]
    for part in parts[1:]:
        total = torch.addcmul(total, part, part)
    return total.sqrt_()


def _sphere(p: Tensor) -> Tensor:
    return _length(p[0], p[1], p[2]) - solids.SPHERE_RADIUS


def _cube(p: Tensor) -> Tensor:
    q = p.abs().sub_(solids.CUBE_CORE)
    inside = q.amax(0).clamp_(max=0.0)
    q = q.clamp_(min=0.0)
    return _length(q[0], q[1], q[2]).add_(inside).sub_(solids.CUBE_ROUNDING)


def _cylinder(p: Tensor) -> Tensor:
    side = _length(p[0], p[1]).sub_(solids.CYLINDER_CORE_RADIUS)
    top = p[2].abs().sub_(solids.CYLINDER_CORE_HALF)
    inside = torch.maximum(side, top).clamp_(max=0.0)
    return _length(side.clamp_(min=0.0), top.clamp_(min=0.0)).add_(inside).sub_(solids.CYLINDER_ROUNDING)


def _cone(p: Tensor) -> Tensor:
    """A triangle in (distance from the axis, height): slanted side from the rim to the apex, and the base."""
    radius, half = solids.CONE_CORE_RADIUS, solids.CONE_CORE_HALF
    slant = math.hypot(radius, 2.0 * half)
    out_x, out_z = 2.0 * half / slant, radius / slant  # outward normal of the side; (-out_z, out_x) points to the apex
    rho = _length(p[0], p[1])
    dx, dz = rho - radius, p[2] + half
    plane = dx * out_x + dz * out_z
    along = (dz * out_x - dx * out_z).clamp_(0.0, slant)
    side = _length(dx + along * out_z, dz - along * out_x)
    base = _length(dx.clamp(min=0.0), dz)
    inside = torch.maximum(plane, -dz)
    return torch.where(inside > 0.0, torch.minimum(side, base), inside).sub_(solids.CONE_ROUNDING)


def _torus(p: Tensor) -> Tensor:
    return _length(_length(p[0], p[1]) - solids.TORUS_RING, p[2]) - solids.TORUS_TUBE


def _capsule(p: Tensor) -> Tensor:
    past = p[2].abs().sub_(solids.CAPSULE_HALF).clamp_(min=0.0)
    return _length(p[0], p[1], past).sub_(solids.CAPSULE_RADIUS)


def _pyramid(p: Tensor) -> Tensor:
    """Folded into the eighth where x >= y >= 0: one slanted face, one slanted edge, one base edge, the base."""
    base, half = solids.PYRAMID_CORE_BASE, solids.PYRAMID_CORE_HALF
    slant = math.hypot(base, 2.0 * half)
    out_x, out_z = 2.0 * half / slant, base / slant
    folded = p[:2].abs()
    x, y = folded.amax(0), folded.amin(0)
    dx, dz = x - base, p[2] + half
    plane = dx * out_x + dz * out_z
    along = dz * out_x - dx * out_z  # from the middle of the base edge towards the apex
    is_over_face = (along >= 0.0) & (along <= slant) & (y * slant <= base * (slant - along))
    # slanted edge from (base, base, 0) to (0, 0, 2 half), both relative to the base
    edge_squared = 2.0 * base * base + 4.0 * half * half
    part = ((dz * (2.0 * half) - (dx + (y - base)) * base) / edge_squared).clamp_(0.0, 1.0)
    edge = _length(dx + part * base, y - base + part * base, dz - part * (2.0 * half))
    below = _length(dx.clamp(min=0.0), (y - base).clamp_(min=0.0), dz)
    inside = torch.maximum(plane, -dz)
    outside = torch.where(is_over_face & (plane > 0.0), plane, torch.minimum(edge, below))
    return torch.where(inside > 0.0, outside, inside).sub_(solids.PYRAMID_ROUNDING)


def _octahedron(p: Tensor) -> Tensor:
    """Folded into the octant of positive coordinates in falling order: one face, and its edge where the last is 0."""
    size = solids.OCTAHEDRON_CORE
    q = p.abs()
    total, low, high = q.sum(0), q.amin(0), q.amax(0)
    plane = (total - size).mul_(1.0 / math.sqrt(3.0))
    middle = total - low - high
    along = ((high - middle + size) * 0.5).clamp_(max=size)
    edge = _length(high - along, middle - (size - along), low)
    is_over_face = low * math.sqrt(3.0) >= plane
    return torch.where(is_over_face, plane, edge).sub_(solids.OCTAHEDRON_ROUNDING)


_BY_NAME: dict[str, Callable[[Tensor], Tensor]] = {
    "sphere": _sphere,
    "cube": _cube,
    "cylinder": _cylinder,
    "cone": _cone,
    "torus": _torus,
    "capsule": _capsule,
    "pyramid": _pyramid,
    "octahedron": _octahedron,
}
SIGNED_DISTANCES: tuple[Callable[[Tensor], Tensor], ...] = tuple(_BY_NAME[shape] for shape in SHAPES)
"""In the order of `grammar.SHAPES`."""
IS_CONVEX: tuple[bool, ...] = tuple(shape in solids.CONVEX_SHAPES for shape in SHAPES)


def outward_normal(distance: Callable[[Tensor], Tensor], p: Tensor) -> Tensor:
    """Unit gradient of a signed distance at points `[3, N]`, from four samples at the corners of a tetrahedron."""
    total = torch.zeros_like(p)
    for corner in ((1.0, -1.0, -1.0), (-1.0, -1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, 1.0, 1.0)):
        offset = torch.tensor(corner, dtype=p.dtype, device=p.device)[:, None]
        total = torch.addcmul(total, offset, distance(p + _NORMAL_STEP * offset)[None])
    return torch.nn.functional.normalize(total, dim=0)
