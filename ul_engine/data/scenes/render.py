"""From scenes to pictures and clips: camera rays, antialiasing, tone, and the public `render_scenes`.

Each pixel is first seen through its middle. Pixels where an object's outline, an edge, a sharp shadow or a steep
colour change passes are seen again through a grid of finer rays, whose mean replaces the first look; the patterns of
the floor are averaged analytically instead.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ul_engine.data.scenes.lighting import Rays, Seen, look
from ul_engine.data.scenes.motion import Frame, frame_at
from ul_engine.data.scenes.spec import SceneSpec
from ul_engine.data.scenes.tables import SceneTables, scene_tables
from ul_engine.errors import ShapeError

RENDERER_VERSION = 2
"""Part of every cache's fingerprint; raise it with any change that alters pixels."""

_RAYS_PER_CHUNK = 1 << 18
_FINE_GRID = 3
_STEEP_CHANGE = 0.05
_STEEP_SHADOW = 0.25
_NEAR_OUTLINE_PX = 0.8
_SHOULDER = 0.72


def render_scenes(
    specs: Sequence[SceneSpec],
    *,
    size_px: int | tuple[int, int],
    num_frames: int = 1,
    frames_per_second: float = 8.0,
    device: str | torch.device = "cpu",
) -> Tensor:
    """Render scenes to uint8 sRGB `[B, 3, T, H, W]` on `device`; a picture is a clip with T = 1.

    size_px: (H, W), or one number for both; 8 or more. The objects are framed for the shorter side. Frame k shows the
    time k / frames_per_second. A scene gives the same pixels in every batch; no random numbers are drawn here.

    Raises ShapeError for a size below 8 or no frames.
    """
    height, width = (size_px, size_px) if isinstance(size_px, int) else size_px
    if min(height, width) < 8 or num_frames < 1:
        raise ShapeError(f"cannot render {num_frames} frames of {height} x {width} px; at least 1 of 8 x 8 px")
    if not specs:
        return torch.empty((0, 3, num_frames, height, width), dtype=torch.uint8, device=device)
    moments = [frame_at(spec, number / frames_per_second) for spec in specs for number in range(num_frames)]
    chunk = max(1, _RAYS_PER_CHUNK // (height * width))
    with torch.no_grad():
        parts = [
            _render_frames(moments[start : start + chunk], (height, width), torch.device(device))
            for start in range(0, len(moments), chunk)
        ]
    pictures = torch.cat(parts)  # [B T, 3, H, W]
    return pictures.reshape(len(specs), num_frames, 3, height, width).transpose(1, 2).contiguous()


def _render_frames(frames: Sequence[Frame], size: tuple[int, int], device: torch.device) -> Tensor:
    """uint8 `[V, 3, H, W]`."""
    tables = scene_tables(frames, device)
    height, width = size
    pixels = torch.arange(tables.num_views * height * width, device=device)
    seen = look(tables, _camera_rays(tables, pixels, size))
    display = _tone_mapped(seen.color)
    unclear = _unclear_pixels(display, seen, tables, size)
    if unclear.numel():
        display[:, unclear] = _fine_look(tables, unclear, size)
    bytes_ = (_srgb_encoded(display) * 255.0).round_().to(torch.uint8)
    return bytes_.reshape(3, tables.num_views, height, width).transpose(0, 1)


def _camera_rays(tables: SceneTables, pixels: Tensor, size: tuple[int, int], grid: int = 1) -> Rays:
    """Rays through flat pixel numbers `[N]` (view, row, column): `grid^2 N`, those of a pixel side by side."""
    height, width = size
    step = 2.0 * tables.tan_half_view / min(height, width)
    index = pixels // (height * width)
    row, column = (pixels // width).remainder(height), pixels.remainder(width)
    offset = (torch.arange(grid, device=pixels.device) + 0.5) / grid
    x = (column[:, None, None] + (offset[None, :] - width / 2.0)) * step
    y = (row[:, None, None] + (offset[:, None] - height / 2.0)) * -step
    x, y = (values.expand(-1, grid, grid).reshape(-1) for values in (x, y))  # [N grid grid]
    if grid > 1:
        index = index.repeat_interleave(grid * grid)
    forward, right, up = (tables.view(name, index) for name in ("forward", "right", "up"))
    shrink = (1.0 + x * x + y * y).rsqrt_()
    direction = forward.addcmul_(right, x).addcmul_(up, y).mul_(shrink)
    return Rays(index=index, origin=tables.view("eye", index), direction=direction, spread=shrink * (step / grid))


def _unclear_pixels(display: Tensor, seen: Seen, tables: SceneTables, size: tuple[int, int]) -> Tensor:
    """Flat numbers of the pixels that need finer rays."""
    shape = (tables.num_views, *size)
    step = 2.0 * tables.tan_half_view / min(size)
    key = seen.key.reshape(shape)
    is_object = key >= 0
    change = _change(display.reshape(3, *shape)).amax(0)
    is_outline = _change(key.float()) > 0.0
    is_steep = (change > _STEEP_CHANGE) & is_object
    is_sharp_shadow = _change(seen.shadow.reshape(shape)) > _STEEP_SHADOW
    is_grazing = (seen.clearance.reshape(shape) < _NEAR_OUTLINE_PX * step) & ~is_object
    return (is_outline | is_steep | is_sharp_shadow | is_grazing).flatten().nonzero()[:, 0]


def _change(values: Tensor) -> Tensor:
    """The largest difference from one of the four neighbours, on the last two axes."""
    change = torch.zeros_like(values)
    across = (values[..., :, 1:] - values[..., :, :-1]).abs()
    down = (values[..., 1:, :] - values[..., :-1, :]).abs()
    for part, difference in (
        (change[..., :, 1:], across),
        (change[..., :, :-1], across),
        (change[..., 1:, :], down),
        (change[..., :-1, :], down),
    ):
        torch.maximum(part, difference, out=part)
    return change


def _fine_look(tables: SceneTables, pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Mean display light `[3, N]` over a grid of rays in each pixel."""
    num_rays = _FINE_GRID * _FINE_GRID
    parts = []
    for chunk in pixels.split(_RAYS_PER_CHUNK // num_rays):
        color = look(tables, _camera_rays(tables, chunk, size, _FINE_GRID)).color
        parts.append(_tone_mapped(color).reshape(3, -1, num_rays).mean(2))
    return torch.cat(parts, dim=1)


def _tone_mapped(color: Tensor) -> Tensor:
    """Linear light to display light in [0, 1]: unchanged up to 0.72, then a soft shoulder that never clips."""
    room = 1.0 - _SHOULDER
    over = (color - _SHOULDER).clamp_(min=0.0)
    return color.clamp(0.0, _SHOULDER) + room * (1.0 - torch.exp(over * (-1.0 / room)))


def _srgb_encoded(light: Tensor) -> Tensor:
    """Display light in [0, 1] to sRGB values. Source: IEC 61966-2-1."""
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=0.0031308) ** (1.0 / 2.4) - 0.055)
