"""Ray marching through signed distances: the nearest object on a ray.

Rays are `[3, N]` with the view index `[N]` that each belongs to. Only rays that pass an object's bounding sphere are
marched, in the object's own coordinates, grouped by shape so that each step evaluates one distance function.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.data.scenes.sdf import IS_CONVEX, SIGNED_DISTANCES
from ul_engine.data.scenes.tables import SceneTables

_HIT = 4e-4
_MAX_STEPS = 64
_MAX_STRETCH = 3.0
_STEPS_PER_PACKING = 3


@dataclass(frozen=True)
class Hits:
    """distance `[N]` (inf where nothing is hit), key `[N]` of the object (-1), clearance `[N]`: the smallest
    (distance to an object) / (distance from the eye) along the ray, inf far from objects."""

    distance: Tensor
    key: Tensor
    clearance: Tensor


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar products of `[3, N]` vectors."""
    return torch.addcmul(torch.addcmul(a[0] * b[0], a[1], b[1]), a[2], b[2])


def to_local(tables: SceneTables, key: Tensor, vector: Tensor) -> Tensor:
    """Turn world vectors `[3, N]` into the axes of the objects in columns `key`."""
    rotation = tables.object("rotation", key)
    return rotation[0:3] * vector[0] + rotation[3:6] * vector[1] + rotation[6:9] * vector[2]


def to_world(tables: SceneTables, key: Tensor, vector: Tensor) -> Tensor:
    """Turn vectors `[3, N]` from the axes of the objects in columns `key` into the world's."""
    rotation = tables.object("rotation", key)
    return torch.stack([dot(rotation[3 * row : 3 * row + 3], vector) for row in range(3)])


def by_shape(tables: SceneTables, key: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield (shape index, positions in `key` with that shape) for each shape that occurs."""
    shapes = tables.shapes.index_select(0, key)
    order = torch.argsort(shapes, stable=True)
    start = 0
    for shape, count in enumerate(torch.bincount(shapes, minlength=len(SIGNED_DISTANCES)).tolist()):
        if count:
            yield shape, order[start : start + count]
        start += count


def nearest_hits(
    tables: SceneTables, index: Tensor, origin: Tensor, direction: Tensor, *, skipped: Tensor | None = None
) -> Hits:
    """The first object on each ray. Directions have length 1; rays pass through the object `skipped` `[N]`."""
    num_rays = index.shape[0]
    hits = Hits(
        distance=origin.new_full((num_rays,), torch.inf),
        key=index.new_full((num_rays,), -1),
        clearance=origin.new_full((num_rays,), torch.inf),
    )
    rays, keys, starts, ends = _candidates(tables, index, origin, direction, skipped)
    if not rays.numel():
        return hits
    distance, near = torch.empty_like(starts), torch.empty_like(starts)
    for shape, part in by_shape(tables, keys):
        ray, key = rays[part], keys[part]
        scale = tables.object("bound", key)[1]
        relative = origin.index_select(1, ray) - tables.object("center", key)
        local_origin = to_local(tables, key, relative) / scale
        local_direction = to_local(tables, key, direction.index_select(1, ray))
        found, closest = _march(shape, local_origin, local_direction, starts[part] / scale, ends[part] / scale)
        distance[part], near[part] = found * scale, closest
    hits.distance.scatter_reduce_(0, rays, distance, "amin")
    hits.clearance.scatter_reduce_(0, rays, near, "amin")
    is_first = (distance == hits.distance[rays]) & distance.isfinite()
    hits.key[rays[is_first]] = keys[is_first]
    return hits


def _candidates(
    tables: SceneTables, index: Tensor, origin: Tensor, direction: Tensor, skipped: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pairs of ray and object where the ray passes the bounding sphere: ray, key, start and end on the ray."""
    parts = []
    for slot in range(tables.num_slots):
        key = index * tables.num_slots + slot
        relative = tables.object("center", key) - origin
        radius = tables.object("bound", key)[0] * 1.03
        middle = dot(relative, direction)
        inside_squared = radius * radius - dot(relative, relative) + middle * middle
        is_candidate = (inside_squared > 0.0) & (radius > 0.0) & (middle > 0.0)
        if skipped is not None:
            is_candidate &= key != skipped
        ray = is_candidate.nonzero()[:, 0]
        half = inside_squared[ray].sqrt()
        middle = middle[ray]
        parts.append((ray, key[ray], (middle - half).clamp_(min=1e-3), middle + half))
    rays, keys, starts, ends = (torch.cat(columns) for columns in zip(*parts, strict=True))
    return rays, keys, starts, ends


def _march(shape: int, origin: Tensor, direction: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Sphere tracing in local coordinates: distance to the surface (inf: missed) and closest approach / distance.

    Along a ray the distance to a convex solid is a convex function, so the secant through the last two points never
    overshoots the surface and rising distances mean a miss: five to ten steps where plain sphere tracing takes thirty.
    """
    distance_to = SIGNED_DISTANCES[shape]
    is_convex = IS_CONVEX[shape]
    found, closest = torch.full_like(start, torch.inf), torch.full_like(start, torch.inf)
    rays = torch.arange(start.shape[0], device=start.device)
    along = start
    before, step = torch.full_like(start, torch.inf), torch.ones_like(start)
    is_done = torch.zeros_like(start, dtype=torch.bool)
    nearest = torch.full_like(start, torch.inf)
    for step_number in range(_MAX_STEPS):
        gap = distance_to(torch.addcmul(origin, direction, along))
        nearest = torch.minimum(nearest, gap / along)
        is_hit = gap < _HIT
        is_done |= is_hit | (along > end)
        if is_convex:
            slope = (before - gap) / step.clamp_(min=1e-9)
            is_done |= slope <= 0.0
            step = gap / slope.clamp_(1.0 / _MAX_STRETCH, 1.0)
        else:
            step = gap
        before = gap
        step = step.masked_fill_(is_done, 0.0).clamp_(min=0.0)
        if step_number % _STEPS_PER_PACKING == _STEPS_PER_PACKING - 1 or step_number == _MAX_STEPS - 1:
            found[rays] = along.masked_fill(~is_hit, torch.inf)
            closest[rays] = nearest
            kept = (~is_done).nonzero()[:, 0]
            if not kept.numel():
                break
            rays, along, step, before, nearest, end = (
                values[kept] for values in (rays, along, step, before, nearest, end)
            )
            is_done = torch.zeros_like(along, dtype=torch.bool)
            origin, direction = origin.index_select(1, kept), direction.index_select(1, kept)
        along = along + step
    return found, closest
