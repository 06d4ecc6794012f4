"""Where the objects of a scene appear in the picture: to frame them, and to judge pictures. Standard library only."""

import math
from dataclasses import dataclass

from ul_engine.data.scenes.motion import Frame, PlacedObject
from ul_engine.data.scenes.solids import Vector, support
from ul_engine.data.scenes.spec import CameraSpec


@dataclass(frozen=True, slots=True)
class CameraAxes:
    """World position of the eye and the unit vectors right, up and forward of the picture."""

    eye: Vector
    right: Vector
    up: Vector
    forward: Vector


@dataclass(frozen=True, slots=True)
class ScreenBox:
    """Extent in the picture: -1 to 1 from left to right and from bottom to top of a square one; depth of the centre."""

    left: float
    right: float
    bottom: float
    top: float
    depth: float

    @property
    def middle(self) -> tuple[float, float]:
        """Centre of the box."""
        return (self.left + self.right) / 2.0, (self.bottom + self.top) / 2.0


def camera_axes(camera: CameraSpec) -> CameraAxes:
    """Eye and axes of a camera; the picture's horizontal axis stays parallel to the floor."""
    cos, sin = math.cos(camera.azimuth_rad), math.sin(camera.azimuth_rad)
    back = camera.distance * math.cos(camera.elevation_rad)
    rise = camera.distance * math.sin(camera.elevation_rad)
    x, y, z = camera.target
    level, drop = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    return CameraAxes(
        eye=(x + sin * back, y - cos * back, z + rise),
        right=(cos, sin, 0.0),
        up=(-sin * drop, cos * drop, level),
        forward=(-sin * level, cos * level, -drop),
    )


def screen_boxes(frame: Frame) -> list[ScreenBox]:
    """The exact extent of each object in the picture, occlusion aside."""
    return [screen_box(placed, frame.camera) for placed in frame.objects]


def screen_box(placed: PlacedObject, camera: CameraSpec) -> ScreenBox:
    """The exact extent of one object seen by a camera, to 0.001."""
    axes = camera_axes(camera)
    relative = _minus(placed.center, axes.eye)

    def furthest(side: Vector) -> float:
        """Largest u with a point on or beyond the plane through the eye where the coordinate is u (bisection)."""
        low, high = -3.0, 3.0
        for _ in range(13):
            middle = (low + high) / 2.0
            normal = _minus(side, tuple(middle * camera.tan_half_view * part for part in axes.forward))
            reach = placed.scale * support(placed.item.shape, placed.rotation, normal)
            low, high = (middle, high) if reach + _dot(normal, relative) > 0.0 else (low, middle)
        return (low + high) / 2.0

    return ScreenBox(
        left=-furthest(_times(axes.right, -1.0)),
        right=furthest(axes.right),
        bottom=-furthest(_times(axes.up, -1.0)),
        top=furthest(axes.up),
        depth=_dot(axes.forward, relative),
    )


def _minus(a: Vector, b: tuple[float, ...]) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _times(a: Vector, factor: float) -> Vector:
    return a[0] * factor, a[1] * factor, a[2] * factor


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
