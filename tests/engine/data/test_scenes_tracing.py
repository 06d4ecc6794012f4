"""Signed distances, ray marching and shadows against closed forms."""

import math

import pytest
import torch

from ul_engine.data.scenes import solids
from ul_engine.data.scenes.grammar import SHAPES
from ul_engine.data.scenes.layout import scene_spec
from ul_engine.data.scenes.motion import frame_at
from ul_engine.data.scenes.occlusion import occlusion
from ul_engine.data.scenes.sdf import SIGNED_DISTANCES, outward_normal
from ul_engine.data.scenes.tables import SceneTables, scene_tables
from ul_engine.data.scenes.trace import nearest_hits

UPRIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def _points(count: int, spread: float) -> torch.Tensor:
    return (torch.rand(3, count, generator=torch.Generator().manual_seed(0)) - 0.5) * 2.0 * spread


@pytest.mark.parametrize("shape", SHAPES)
def test_distance_is_the_gap_to_the_supporting_plane(shape: str) -> None:
    """Outside a convex solid `d(p) = dot(n, p) - h(n)` with n the gradient of d and h the support function."""
    distance = SIGNED_DISTANCES[SHAPES.index(shape)]
    points = _points(400, 2.0)
    if shape == "torus":  # convex only from where the hole is not nearer
        points = points[:, torch.hypot(points[0], points[1]) > solids.TORUS_RING]
    points = points[:, distance(points) > 0.05]
    normals = outward_normal(distance, points)
    wanted = [
        sum(a * b for a, b in zip(normal, point, strict=True))
        - solids.support(shape, UPRIGHT, (normal[0], normal[1], normal[2]))
        for normal, point in zip(normals.T.tolist(), points.T.tolist(), strict=True)
    ]
    torch.testing.assert_close(distance(points), torch.tensor(wanted), atol=1e-2, rtol=0.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_distance_never_changes_faster_than_the_way_and_is_negative_inside(shape: str) -> None:
    distance = SIGNED_DISTANCES[SHAPES.index(shape)]
    first, second = _points(800, 2.0).chunk(2, dim=1)
    for part in (0.01, 0.1, 1.0):
        moved = torch.lerp(first, second, part)
        assert ((distance(first) - distance(moved)).abs() <= (first - moved).norm(dim=0) + 1e-5).all()
    inside = torch.tensor([[solids.TORUS_RING if shape == "torus" else 1e-3], [1e-3], [1e-3]])
    assert distance(inside).item() < -0.2


def _tables(shape: str, **pinned: str) -> tuple[SceneTables, tuple[float, float, float], float]:
    frame = frame_at(scene_spec(0, 0, pinned={"shape": shape, **pinned}))
    placed = frame.objects[0]
    return scene_tables([frame], torch.device("cpu")), placed.center, placed.scale


def _rays_at(center: tuple[float, float, float], count: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Origins 5 units away and directions that pass near the centre."""
    middle = torch.tensor(center)[:, None]
    away = torch.nn.functional.normalize(_points(count, 1.0), dim=0)
    origin = middle + 5.0 * away
    aim = middle + _points(count, 1.2).flip(1)
    return origin, torch.nn.functional.normalize(aim - origin, dim=0)


def test_marched_sphere_equals_the_closed_form() -> None:
    tables, center, scale = _tables("sphere")
    origin, direction = _rays_at(center)
    hits = nearest_hits(tables, torch.zeros(400, dtype=torch.long), origin, direction)
    relative = torch.tensor(center)[:, None] - origin
    along = (relative * direction).sum(0)
    inside = (scale * solids.SPHERE_RADIUS) ** 2 - (relative**2).sum(0) + along**2
    is_clear = inside.abs() > 5e-3  # rays that graze the surface may go either way
    assert torch.equal((hits.key >= 0)[is_clear], (inside > 0)[is_clear])
    is_hit = is_clear & (inside > 0)
    torch.testing.assert_close(hits.distance[is_hit], (along - inside.clamp(min=0).sqrt())[is_hit], atol=8e-3, rtol=0.0)
    assert 100 < int(is_hit.sum()) < 390


@pytest.mark.parametrize("shape", SHAPES)
def test_secant_marching_finds_what_small_steps_find(shape: str) -> None:
    tables, center, scale = _tables(shape)
    origin, direction = _rays_at(center, 200)
    hits = nearest_hits(tables, torch.zeros(200, dtype=torch.long), origin, direction)
    rotation = tables.objects[3:12, 0].reshape(3, 3)
    ways = torch.linspace(3.0, 7.0, 1500)
    points = origin[:, :, None] + direction[:, :, None] * ways - torch.tensor(center)[:, None, None]
    local = torch.einsum("rk,rnw->knw", rotation, points).reshape(3, -1) / scale
    gaps = SIGNED_DISTANCES[SHAPES.index(shape)](local).reshape(200, -1)
    is_clear = gaps.amin(1).abs() > 0.01
    assert torch.equal((hits.key >= 0)[is_clear], (gaps.amin(1) < 0)[is_clear])
    is_hit = is_clear & (hits.key >= 0)
    first = ways[(gaps < 0).int().argmax(1)]
    torch.testing.assert_close(hits.distance[is_hit], first[is_hit], atol=0.02, rtol=0.0)
    assert is_hit.any()


@pytest.mark.parametrize("shape", SHAPES)
def test_shadow_lies_behind_the_object_as_seen_from_the_light(shape: str) -> None:
    tables, center, _ = _tables(shape)
    light = tables.view("light", torch.zeros(1, dtype=torch.long))
    inside = torch.tensor(center)[:, None].clone()
    if shape == "torus":
        inside += solids.TORUS_RING * tables.objects[3:12, 0].reshape(3, 3)[:, :1]
    under = inside - light * (inside[2] / light[2])
    far = under + torch.tensor([[6.0], [6.0], [0.0]])
    point = torch.cat((under, far), dim=1)
    shadow, ambient = occlusion(tables, torch.zeros(2, dtype=torch.long), point, light.expand(3, 2))
    assert shadow[0] < 0.1
    assert shadow[1].item() == 1.0
    assert ambient[1].item() == 1.0
    assert math.isfinite(ambient[0])
