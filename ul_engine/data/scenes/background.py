"""Floor and sky as light: analytic, with the floor's pattern averaged over the width of a ray."""

import math

import torch
from torch import Tensor

from ul_engine.data.scenes.grammar import FLOOR_PATTERNS
from ul_engine.data.scenes.tables import SceneTables

SUN = 0.98
AMBIENT = 0.46
_HAZE_DISTANCE = 36.0
_SKY_RISE = 0.09
_ZENITH_RISE = 0.75
_DOT_RADIUS = 0.34
_STRIPE_STRETCH = 1.4


def sky_light(tables: SceneTables, index: Tensor, height: Tensor) -> Tensor:
    """Linear colour `[3, N]` of the sky in directions with the z component `height` `[N]`; below 0 as at 0."""
    height = height.clamp(min=0.0)
    low = torch.exp(height * (-1.0 / _SKY_RISE))
    high = (height * (1.0 / _ZENITH_RISE)).clamp_(max=1.0)
    high = (1.0 - low) * high * high * (3.0 - 2.0 * high)
    middle = tables.view("middle", index)
    color = torch.addcmul(middle, low, tables.view("horizon", index) - middle)
    return color.addcmul_(high, tables.view("zenith", index) - middle)


def floor_albedo(tables: SceneTables, index: Tensor, point: Tensor, width: Tensor) -> Tensor:
    """Linear colour `[3, N]` of the floor at points `[>= 2, N]`, averaged over `width` `[2, N]` along world x and y."""
    main = tables.view("floor_main", index)
    kinds = tables.patterns.index_select(0, index)
    for kind, name in enumerate(FLOOR_PATTERNS):
        if name == "plain":
            continue
        part = (kinds == kind).nonzero()[:, 0]
        if part.numel():
            cos, sin, shift_x, shift_y = tables.view("pattern", index[part])
            x, y = point[0].index_select(0, part), point[1].index_select(0, part)
            width_x, width_y = width[0].index_select(0, part), width[1].index_select(0, part)
            u, v = cos * x + sin * y + shift_x, cos * y - sin * x + shift_y
            width_u = cos.abs() * width_x + sin.abs() * width_y
            width_v = cos.abs() * width_y + sin.abs() * width_x
            pale = _pale_share(name, u, v, width_u, width_v)
            mixed = main.index_select(1, part)
            second = tables.view("floor_second", index[part])
            main = main.index_copy(1, part, torch.addcmul(mixed, pale, second - mixed))
    return main


def _pale_share(pattern: str, u: Tensor, v: Tensor, width_u: Tensor, width_v: Tensor) -> Tensor:
    """Share of the second colour in a cell-sized box filter around (u, v), in [0, 1]."""
    if pattern == "dotted":
        return _dot_share(u, v, width_u, width_v)
    if pattern == "striped":
        return 0.5 - 0.5 * _square_wave(u * _STRIPE_STRETCH, width_u * _STRIPE_STRETCH)
    return 0.5 - 0.5 * _square_wave(u, width_u) * _square_wave(v, width_v)


def _square_wave(x: Tensor, width: Tensor) -> Tensor:
    """Mean over [x - width/2, x + width/2] of the wave that is +1 on [0, 1), -1 on [1, 2) and so on."""
    width = width.clamp(min=1e-3)
    half = 0.5 * width
    return ((x - half).remainder(2.0).sub_(1.0).abs_() - (x + half).remainder(2.0).sub_(1.0).abs_()) / width


def _dot_share(u: Tensor, v: Tensor, width_u: Tensor, width_v: Tensor) -> Tensor:
    """Discs in the middle of unit cells; they fade into their mean where a ray is wider than a cell."""
    u, v = u.remainder(1.0).sub_(0.5), v.remainder(1.0).sub_(0.5)
    radius = torch.hypot(u, v)
    across = (u.abs() * width_u + v.abs() * width_v) / radius.clamp(min=1e-3)
    sharp = ((_DOT_RADIUS - radius) / across.clamp(min=1e-3) + 0.5).clamp_(0.0, 1.0)
    mean = math.pi * _DOT_RADIUS * _DOT_RADIUS
    fade = (torch.maximum(width_u, width_v) - 0.5).clamp_(0.0, 1.0)
    return sharp + (mean - sharp) * fade


def hazed(tables: SceneTables, index: Tensor, color: Tensor, distance: Tensor) -> Tensor:
    """Fade the floor's light into the horizon's: share `1 - exp(-(distance / 36)^1.5)` of the latter."""
    ratio = distance * (1.0 / _HAZE_DISTANCE)
    share = 1.0 - torch.exp(-ratio * ratio.sqrt())
    return torch.addcmul(color, share, tables.view("horizon", index) - color)


def floor_widths(direction: Tensor, distance: Tensor, spread: Tensor) -> Tensor:
    """How far a cone of rays with a full angle `spread` `[N]` reaches on the floor along world x and y, `[2, N]`."""
    level_squared = direction[0] * direction[0] + direction[1] * direction[1]
    x, y = direction[:2].abs() / level_squared.sqrt().clamp(min=1e-6)
    across = distance * spread
    along = across / (-direction[2]).clamp(min=1e-4)
    return torch.stack((across * y + along * x, across * x + along * y))
