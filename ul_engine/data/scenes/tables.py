"""Scenes as tensors: one column of numbers per view (a scene at one moment) and per object slot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.data.scenes import palette
from ul_engine.data.scenes.framing import camera_axes
from ul_engine.data.scenes.grammar import FLOOR_PATTERNS, SHAPES
from ul_engine.data.scenes.motion import Frame, PlacedObject
from ul_engine.data.scenes.solids import BOUNDING_RADIUS

VIEW_ROWS = {
    name: slice(start, start + 3)
    for start, name in zip(
        range(0, 27, 3),
        ("eye", "right", "up", "forward", "light", "floor_main", "floor_second", "ambient", "horizon"),
        strict=True,
    )
} | {"middle": slice(27, 30), "zenith": slice(30, 33), "pattern": slice(33, 37)}
OBJECT_ROWS = {"center": slice(0, 3), "rotation": slice(3, 12), "color": slice(12, 15), "bound": slice(15, 17)}
_AMBIENT_TINT = 0.2
"""How much of the sky's hue the ambient light has; more would make colours hard to tell apart."""


@dataclass(frozen=True)
class SceneTables:
    """Numbers of V views with K object slots each, on one device.

    views: `[37, V]`, rows by `VIEW_ROWS`. objects: `[17, V K]`, rows by `OBJECT_ROWS`, slot k of view v in column
    `v K + k`; "bound" is (bounding radius, scale), radius -1 in an empty slot. shapes and is_metal: `[V K]`.
    patterns: `[V]`, index into `FLOOR_PATTERNS`.
    """

    views: Tensor
    patterns: Tensor
    objects: Tensor
    shapes: Tensor
    is_metal: Tensor
    num_slots: int
    tan_half_view: float

    @property
    def num_views(self) -> int:
        """V."""
        return self.views.shape[1]

    def view(self, name: str, index: Tensor) -> Tensor:
        """A property of the views at `index` `[N]`, as `[rows, N]`."""
        return self.views[VIEW_ROWS[name]].index_select(1, index)

    def object(self, name: str, key: Tensor) -> Tensor:
        """A property of the objects in columns `key` `[N]`, as `[rows, N]`."""
        return self.objects[OBJECT_ROWS[name]].index_select(1, key)


def scene_tables(frames: Sequence[Frame], device: torch.device) -> SceneTables:
    """Pack frames for rendering. All have the same angle of view."""
    num_slots = max(len(frame.objects) for frame in frames)
    slots = [_slot(frame, number) for frame in frames for number in range(num_slots)]
    objects = [_object_column(placed, is_empty=is_empty) for placed, is_empty in slots]
    return SceneTables(
        views=torch.tensor([_view_column(frame) for frame in frames], dtype=torch.float32).T.contiguous().to(device),
        patterns=torch.tensor([FLOOR_PATTERNS.index(frame.spec.floor.pattern) for frame in frames], device=device),
        objects=torch.tensor(objects, dtype=torch.float32).T.contiguous().to(device),
        shapes=torch.tensor([SHAPES.index(placed.item.shape) for placed, _ in slots], device=device),
        is_metal=torch.tensor([placed.item.material == "metal" for placed, _ in slots], device=device),
        num_slots=num_slots,
        tan_half_view=frames[0].camera.tan_half_view,
    )


def _slot(frame: Frame, number: int) -> tuple[PlacedObject, bool]:
    """The object in a slot; an empty slot repeats the first one and says so."""
    is_empty = number >= len(frame.objects)
    return frame.objects[0 if is_empty else number], is_empty


def _object_column(placed: PlacedObject, *, is_empty: bool) -> list[float]:
    radius = -1.0 if is_empty else placed.scale * BOUNDING_RADIUS[placed.item.shape]
    rotation = [component for row in placed.rotation for component in row]
    color = palette.linear_light(palette.OBJECT_COLORS[placed.item.color])
    return [*placed.center, *rotation, *color, radius, placed.scale]


def _view_column(frame: Frame) -> list[float]:
    spec = frame.spec
    axes = camera_axes(frame.camera)
    level = math.cos(spec.light_elevation_rad)
    light = (
        level * math.cos(spec.light_azimuth_rad),
        level * math.sin(spec.light_azimuth_rad),
        math.sin(spec.light_elevation_rad),
    )
    main, second = (palette.linear_light(color) for color in palette.FLOOR_COLORS[spec.floor.color])
    horizon, middle, zenith = (palette.linear_light(color) for color in palette.SKY_COLORS[spec.sky])
    brightness = sum(middle) / 3.0
    ambient = [1.0 - _AMBIENT_TINT + _AMBIENT_TINT * part / brightness for part in middle]
    turn = spec.floor.turn_rad
    pattern = (math.cos(turn) / spec.floor.cell, math.sin(turn) / spec.floor.cell, *spec.floor.offset)
    vectors = (axes.eye, axes.right, axes.up, axes.forward, light, main, second, ambient, horizon, middle, zenith)
    return [component for vector in (*vectors, pattern) for component in vector]
