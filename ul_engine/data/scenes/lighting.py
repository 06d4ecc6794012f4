"""The light that comes back along rays: objects, floor and sky, with one bounce for metal.

Colours are linear light `[3, N]`, about 1 for a white surface in full light.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.data.scenes.background import AMBIENT, SUN, floor_albedo, floor_widths, hazed, sky_light
from ul_engine.data.scenes.grammar import SHAPES
from ul_engine.data.scenes.occlusion import occlusion
from ul_engine.data.scenes.sdf import SIGNED_DISTANCES, outward_normal
from ul_engine.data.scenes.tables import SceneTables
from ul_engine.data.scenes.trace import Hits, by_shape, dot, nearest_hits, to_local, to_world

_FLOOR_EDGE = -2e-3
_METAL_BODY = 0.36
_FILL = 0.14
"""A faint light from the eye, which keeps the hue of faces that the sun leaves out."""
_METAL_SHARPNESS = 160.0
_METAL_HIGHLIGHT = 2.4
_SURFACE_OFFSET = 4e-3
_FLAT = 0.25
_CURVATURE = {"sphere": 1.0, "cylinder": 0.8, "cone": 0.9, "torus": 1.6, "capsule": 1.4}
"""Rough curvature at scale 1, by which a reflected pixel spreads; the other shapes are flat."""
_CAPPED = ("cylinder", "cone")


@dataclass(frozen=True)
class Rays:
    """A bundle of N rays: view index `[N]`, origin and unit direction `[3, N]`, full angle of each ray's cone `[N]`."""

    index: Tensor
    origin: Tensor
    direction: Tensor
    spread: Tensor


@dataclass(frozen=True)
class Seen:
    """What rays see: linear colour `[3, N]`, object key `[N]` (-1: none), clearance `[N]`, and the floor's shadow `[N]`
    (1 where lit or where it is not floor)."""

    color: Tensor
    key: Tensor
    clearance: Tensor
    shadow: Tensor


def look(tables: SceneTables, rays: Rays, *, skipped: Tensor | None = None, bounces: int = 1) -> Seen:
    """Follow rays into the scene. `skipped` `[N]` is the object that a reflected ray leaves; None for camera rays.

    With `bounces` 0 metal reflects the bare sky and floor colour only through its body colour.
    """
    if skipped is not None and tables.num_slots == 1:
        hits = _no_hits(rays)
    else:
        hits = nearest_hits(tables, rays.index, rays.origin, rays.direction, skipped=skipped)
    color = torch.empty_like(rays.direction)
    shadow = torch.ones_like(rays.spread)
    is_object, is_down = hits.key >= 0, rays.direction[2] < _FLOOR_EDGE
    up = (~is_object & ~is_down).nonzero()[:, 0]
    index = rays.index[up]
    color[:, up] = sky_light(tables, index, rays.direction[2, up])
    down = (~is_object & is_down).nonzero()[:, 0]
    if down.numel():
        color[:, down], shadow[down] = _floor_light(tables, _subset(rays, down))
    on = is_object.nonzero()[:, 0]
    if on.numel():
        color[:, on] = _object_light(tables, _subset(rays, on), hits.distance[on], hits.key[on], bounces)
    return Seen(color=color, key=hits.key, clearance=hits.clearance, shadow=shadow)


def _subset(rays: Rays, part: Tensor) -> Rays:
    return Rays(
        index=rays.index[part],
        origin=rays.origin.index_select(1, part),
        direction=rays.direction.index_select(1, part),
        spread=rays.spread[part],
    )


def _no_hits(rays: Rays) -> Hits:
    nowhere = torch.full_like(rays.spread, torch.inf)
    return Hits(distance=nowhere, key=torch.full_like(rays.index, -1), clearance=nowhere)


def _floor_light(tables: SceneTables, rays: Rays) -> tuple[Tensor, Tensor]:
    """Colour of the floor at the end of downward rays, and the share of direct light there."""
    distance = rays.origin[2] / -rays.direction[2]
    point = torch.addcmul(rays.origin, rays.direction, distance)
    point[2] = 0.0
    light = tables.view("light", rays.index)
    shadow, ambient = occlusion(tables, rays.index, point, light)
    albedo = floor_albedo(tables, rays.index, point, floor_widths(rays.direction, distance, rays.spread))
    irradiance = tables.view("ambient", rays.index) * (AMBIENT * ambient) + SUN * light[2] * shadow
    return hazed(tables, rays.index, albedo * irradiance, distance), shadow


def _object_light(tables: SceneTables, rays: Rays, distance: Tensor, key: Tensor, bounces: int) -> Tensor:
    """Colour of objects at known distances along the rays."""
    point = torch.addcmul(rays.origin, rays.direction, distance)
    normal = _normals(tables, key, point)
    light = tables.view("light", rays.index)
    outside = torch.add(point, normal, alpha=_SURFACE_OFFSET)
    outside[2].clamp_(min=_SURFACE_OFFSET)  # a rounded edge on the floor must not look from below it
    shadow, ambient = occlusion(tables, rays.index, outside, light, receiver=key)
    albedo = tables.object("color", key)
    lit = dot(normal, light).clamp_(min=0.0) * shadow
    up = 0.5 + 0.5 * normal[2]
    near_floor = torch.exp(point[2].clamp(min=0.0) * -2.5) * (1.0 - up)
    ambient = ambient * (1.0 - 0.55 * near_floor)
    sky = tables.view("ambient", rays.index)
    floor = tables.view("floor_main", rays.index)
    around = torch.addcmul(floor, up, sky - floor)
    facing = dot(rays.direction, normal).clamp_(max=0.0)
    color = albedo * (SUN * lit + AMBIENT * ambient * around - _FILL * facing)
    metal = tables.is_metal[key].nonzero()[:, 0]
    if metal.numel():
        shine = _metal_light(
            tables,
            Rays(rays.index[metal], outside[:, metal], rays.direction[:, metal], rays.spread[metal] * distance[metal]),
            key[metal],
            normal[:, metal],
            shadow=shadow[metal],
            bounces=bounces,
        )
        color[:, metal] = _METAL_BODY * color[:, metal] + shine
    return color


def _metal_light(
    tables: SceneTables, rays: Rays, key: Tensor, normal: Tensor, *, shadow: Tensor, bounces: int
) -> Tensor:
    """Reflection of surroundings and light. Here `rays.origin` lies on the object and `rays.spread` is a width."""
    against = dot(rays.direction, normal).clamp_(max=0.0)
    mirrored = torch.addcmul(rays.direction, normal, -2.0 * against)
    curvature = _curvature(tables, key, normal)
    bending = curvature / tables.object("bound", key)[1]
    spread = 2.0 * bending * rays.spread / (-against).clamp(min=0.15) + 0.02
    if bounces:
        seen = look(tables, Rays(rays.index, rays.origin, mirrored, spread), skipped=key, bounces=bounces - 1).color
    else:
        seen = tables.view("middle", rays.index)
    light = tables.view("light", rays.index)
    strength = _METAL_HIGHLIGHT * (1.4 * curvature - 0.2).clamp_(max=1.0)  # a flat face would flash as a whole
    glint = strength * shadow * dot(mirrored, light).clamp_(min=0.0) ** _METAL_SHARPNESS
    fresnel = (1.0 + against) ** 5 * 0.45
    tint = tables.object("color", key)
    gray = seen.mean(0)
    seen = torch.lerp(seen, gray.expand_as(seen), 0.45)
    reflectance = torch.addcmul(tint, fresnel, 1.0 - tint)
    return reflectance * seen * 1.2 + (0.35 * tint + 0.65) * glint


def _curvature(tables: SceneTables, key: Tensor, normal: Tensor) -> Tensor:
    """Curvature `[N]` at points with world normals `[3, N]`; the caps of cylinders and cones are flat."""
    shapes = tables.shapes[key]
    curvature = normal.new_tensor([_CURVATURE.get(shape, _FLAT) for shape in SHAPES])[shapes]
    has_cap = torch.tensor([shape in _CAPPED for shape in SHAPES], device=key.device)[shapes]
    rotation = tables.object("rotation", key)
    along_axis = dot(torch.stack((rotation[2], rotation[5], rotation[8])), normal).abs_()
    return curvature.masked_fill_(has_cap & (along_axis > 0.97), _FLAT)


def _normals(tables: SceneTables, key: Tensor, point: Tensor) -> Tensor:
    normal = torch.empty_like(point)
    for shape, part in by_shape(tables, key):
        column = key[part]
        relative = point.index_select(1, part) - tables.object("center", column)
        local = to_local(tables, column, relative) / tables.object("bound", column)[1]
        normal[:, part] = to_world(tables, column, outward_normal(SIGNED_DISTANCES[shape], local))
    return normal
