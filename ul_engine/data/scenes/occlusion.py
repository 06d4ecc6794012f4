"""How much of the light a point sees: soft shadows and contact shading, from signed distances.

Only points whose way to the light passes an object's bounding sphere are looked at, shape by shape.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ul_engine.data.scenes.sdf import IS_CONVEX, SIGNED_DISTANCES
from ul_engine.data.scenes.tables import SceneTables
from ul_engine.data.scenes.trace import by_shape, dot, to_local

_LIGHT_TANGENT = 0.075
"""Tangent of the light's angular radius; it sets how soft the shadows are."""
_GOLDEN = 0.6180339887498949
_NUM_GOLDEN_STEPS = 8
_NUM_COARSE_STEPS = 9
_CONTACT_REACH = 1.1
_CONTACT_DEPTH = 0.6
_CONTACT_SHARPNESS = 3.2


def occlusion(
    tables: SceneTables, index: Tensor, point: Tensor, light: Tensor, *, receiver: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """(share of the light seen, share of the ambient light seen) at points `[3, N]`, both `[N]` in [0, 1].

    The light is a disc in direction `light` `[3, N]`; its visible share is `sigmoid(3.4 m / tan(radius))` with m the
    smallest (signed distance) / (way) along the ray to its centre. `receiver` `[N]` is the object the point lies on:
    it casts no contact shadow on itself, and a direct one only if it is not convex. None: the points lie on the floor.
    """
    shadow, ambient = torch.ones_like(point[0]), torch.ones_like(point[0])
    for slot in range(tables.num_slots):
        key = index * tables.num_slots + slot
        relative = tables.object("center", key) - point
        radius = tables.object("bound", key)[0]
        along = dot(relative, light)
        squared = dot(relative, relative)
        reach = radius + along.clamp(min=0.0) * _LIGHT_TANGENT
        is_near = squared < (radius + _CONTACT_REACH) ** 2
        is_shadowed = (along > -radius) & (squared - along * along < reach * reach)
        is_shadowed &= radius > 0.0
        is_near &= radius > 0.0
        if receiver is not None:
            convex = torch.tensor(IS_CONVEX, device=key.device)[tables.shapes[key]]
            is_shadowed &= (key != receiver) | ~convex
            is_near &= key != receiver
        _scale_by(shadow, tables, key, point, is_wanted=is_shadowed, factor=_light_seen(light, along, reach))
        _scale_by(ambient, tables, key, point, is_wanted=is_near, factor=_ambient_seen)
    return shadow, ambient


def _scale_by(
    target: Tensor,
    tables: SceneTables,
    key: Tensor,
    point: Tensor,
    *,
    is_wanted: Tensor,
    factor: Callable[[SceneTables, int, Tensor, Tensor, Tensor], Tensor],
) -> None:
    """Multiply `target` where wanted by `factor(tables, shape, key, local point, position)`, shape by shape."""
    wanted = is_wanted.nonzero()[:, 0]
    for shape, part in by_shape(tables, key[wanted]):
        position = wanted[part]
        column = key[position]
        relative = point.index_select(1, position) - tables.object("center", column)
        local = to_local(tables, column, relative) / tables.object("bound", column)[1]
        target[position] *= factor(tables, shape, column, local, position)


def _ambient_seen(tables: SceneTables, shape: int, key: Tensor, local: Tensor, position: Tensor) -> Tensor:
    gap = SIGNED_DISTANCES[shape](local).clamp_(min=0.0)
    fade = (1.0 - gap * tables.object("bound", key)[1] / _CONTACT_REACH).clamp_(min=0.0)
    return 1.0 - _CONTACT_DEPTH * torch.exp(-_CONTACT_SHARPNESS * gap) * fade


def _light_seen(
    light: Tensor, along: Tensor, reach: Tensor
) -> Callable[[SceneTables, int, Tensor, Tensor, Tensor], Tensor]:
    def seen(tables: SceneTables, shape: int, key: Tensor, local: Tensor, position: Tensor) -> Tensor:
        scale = tables.object("bound", key)[1]
        direction = to_local(tables, key, light.index_select(1, position))
        middle, half = along[position] / scale, reach[position] / scale
        low = (middle - half).clamp_(min=0.03)
        tangent = _smallest_tangent(shape, local, direction, low, torch.maximum(middle + half, low + 0.03))
        return tangent.mul_(3.4 / _LIGHT_TANGENT).sigmoid_()

    return seen


def _smallest_tangent(shape: int, point: Tensor, direction: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Minimum over the way `a` in [low, high] of `distance(point + a direction) / a`, by golden section.

    The quotient is quasi-convex for a convex solid; for the torus the interval is first narrowed down on a grid.
    """
    distance_to = SIGNED_DISTANCES[shape]

    def tangent(way: Tensor) -> Tensor:
        return distance_to(torch.addcmul(point, direction, way)) / way

    best = torch.full_like(low, torch.inf)
    if not IS_CONVEX[shape]:
        spacing = (high - low) / (_NUM_COARSE_STEPS - 1)
        best_way = low
        for number in range(_NUM_COARSE_STEPS):
            way = low + number * spacing
            value = tangent(way)
            is_better = value < best
            best, best_way = torch.where(is_better, value, best), torch.where(is_better, way, best_way)
        low, high = torch.maximum(low, best_way - spacing), torch.minimum(high, best_way + spacing)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = tangent(left), tangent(right)
    for _ in range(_NUM_GOLDEN_STEPS - 2):
        goes_left = at_left < at_right
        low, high = torch.where(goes_left, low, left), torch.where(goes_left, right, high)
        fresh = torch.where(goes_left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_fresh = tangent(fresh)
        left, right = torch.where(goes_left, fresh, right), torch.where(goes_left, left, fresh)
        at_left, at_right = (
            torch.where(goes_left, at_fresh, at_right),
            torch.where(goes_left, at_left, at_fresh),
        )
    return torch.minimum(best, torch.minimum(at_left, at_right))
