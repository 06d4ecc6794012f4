"""Clips: physics of the motions, as numbers."""

import math

import pytest

from ul_engine.data.scenes.layout import ROLLING_SHAPES, scene_spec
from ul_engine.data.scenes.motion import GRAVITY, PlacedObject, frame_at
from ul_engine.data.scenes.solids import support


def _lowest(placed: PlacedObject) -> float:
    return placed.center[2] - placed.scale * support(placed.item.shape, placed.rotation, (0.0, 0.0, -1.0))


def test_still_scenes_stay() -> None:
    spec = scene_spec(0, 0)
    assert frame_at(spec, 0.0) == frame_at(spec, 1.7)


def test_bounce_falls_with_gravity_and_touches_the_floor() -> None:
    spec = scene_spec(0, 1, pinned={"motion": "bounce"})
    step_s = 1e-3
    heights = [_lowest(frame_at(spec, number * step_s).objects[0]) for number in range(2000)]
    assert min(heights) == pytest.approx(0.0, abs=1e-2)
    assert max(heights) > 0.5
    accelerations = [(heights[k + 1] - 2 * heights[k] + heights[k - 1]) / step_s**2 for k in range(1, 400)]
    assert accelerations == pytest.approx([-GRAVITY] * len(accelerations), rel=1e-4)


@pytest.mark.parametrize("shape", ROLLING_SHAPES)
def test_rolling_solids_stay_on_the_floor_without_slipping(shape: str) -> None:
    spec = scene_spec(0, 2, pinned={"motion": "roll", "shape": shape})
    before, after = (frame_at(spec, time_s).objects[0] for time_s in (0.8, 0.80001))
    for number in range(20):
        lowest = _lowest(frame_at(spec, number / 10.0).objects[0])
        assert lowest == pytest.approx(0.0, abs=0.03 if shape == "cube" else 1e-9)
    way = math.dist(before.center[:2], after.center[:2])
    cosine = sum(a * b for x, y in zip(before.rotation, after.rotation, strict=True) for a, b in zip(x, y, strict=True))
    angle = math.acos(min(1.0, (cosine - 1.0) / 2.0))
    if shape != "cube":
        assert way == pytest.approx(angle * before.center[2], rel=1e-2)


@pytest.mark.parametrize(("motion", "sign"), [("spin left", -1.0), ("spin right", 1.0)])
def test_spin_moves_the_near_side_as_said(motion: str, sign: float) -> None:
    spec = scene_spec(0, 3, pinned={"motion": motion})
    placed, later = (frame_at(spec, time_s).objects[0] for time_s in (0.0, 0.01))
    azimuth = spec.camera.azimuth_rad
    right, near = (math.cos(azimuth), math.sin(azimuth), 0.0), (math.sin(azimuth), -math.cos(azimuth), 0.0)
    local = [sum(placed.rotation[row][axis] * near[row] for row in range(3)) for axis in range(3)]
    moved = [sum(later.rotation[row][axis] * local[axis] for axis in range(3)) for row in range(3)]
    assert sum(a * b for a, b in zip(moved, right, strict=True)) * sign > 0.0


def test_grow_ends_at_full_size_on_the_floor() -> None:
    spec = scene_spec(0, 4, pinned={"motion": "grow"})
    scales = [frame_at(spec, number / 8.0).objects[0].scale for number in range(17)]
    assert scales == sorted(scales)
    assert scales[-1] == pytest.approx(spec.objects[0].scale)
    assert all(_lowest(frame_at(spec, number / 8.0).objects[0]) == pytest.approx(0.0, abs=1e-9) for number in range(17))


def test_orbit_moves_the_camera_only() -> None:
    spec = scene_spec(0, 5, pinned={"motion": "orbit"})
    start, later = frame_at(spec, 0.0), frame_at(spec, 1.0)
    assert start.objects == later.objects
    assert start.camera.azimuth_rad != later.camera.azimuth_rad
