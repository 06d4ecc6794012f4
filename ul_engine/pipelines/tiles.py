"""Large pictures in overlapping tiles near the training size.

Every denoising step runs the network on tiles and blends their clean estimates into one; the noise belongs to the whole
picture and is shared. Finished tiles are never blended, so that no seam is left and each cell's bits count once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ul_engine.config import ModelConfig
from ul_engine.requests import TilingSettings

Denoise = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Region:
    """Part of a latent, in cells; the same part of the picture is `scale` times that."""

    top: int
    left: int
    height: int
    width: int

    def of(self, x: Tensor, scale: int = 1) -> Tensor:
        """This part of `[..., H, W]`."""
        rows = slice(self.top * scale, (self.top + self.height) * scale)
        columns = slice(self.left * scale, (self.left + self.width) * scale)
        return x[..., rows, columns]


@dataclass(frozen=True)
class Tiles:
    """How a latent of `height` x `width` cells is covered."""

    height: int
    width: int
    tile: int
    overlap: int
    per_batch: int

    @property
    def regions(self) -> tuple[Region, ...]:
        """All tiles, row by row; equal in size, spread evenly, the outer ones at the edges."""
        rows, columns = (self._starts(length) for length in (self.height, self.width))
        height, width = min(self.tile, self.height), min(self.tile, self.width)
        return tuple(Region(top, left, height, width) for top in rows for left in columns)

    def _starts(self, length: int) -> tuple[int, ...]:
        if length <= self.tile:
            return (0,)
        count = -(-(length - self.overlap) // (self.tile - self.overlap))
        return tuple(round(index * (length - self.tile) / (count - 1)) for index in range(count))

    def window(self, region: Region, scale: int) -> Tensor:
        """Weight of a tile's estimate at each pixel, `[h, w]`: 1 inside, falling to 0 where another tile takes over."""
        rows = _ramp(region.height, self.overlap, region.top > 0, region.top + region.height < self.height, scale)
        columns = _ramp(region.width, self.overlap, region.left > 0, region.left + region.width < self.width, scale)
        return rows[:, None] * columns[None, :]


def _ramp(length: int, overlap: int, falls_before: bool, falls_after: bool, scale: int) -> Tensor:
    """Weights of one axis: linear over the overlap, at the sides where there is a neighbour."""
    weights = torch.ones(length * scale)
    width = overlap * scale
    rise = (torch.arange(width) + 0.5) / max(width, 1)
    if falls_before and width:
        weights[:width] = rise
    if falls_after and width:
        weights[-width:] *= rise.flip(0)
    return weights


def plan_tiles(config: ModelConfig, settings: TilingSettings, latent_size: tuple[int, int]) -> Tiles | None:
    """Tiles for a latent of (height, width) cells; None where the network takes it whole.

    `auto` tiles what is longer than twice the training size: beyond that attention over the whole is both outside its
    training and quadratic in the area.
    """
    trained = config.image_px // config.downsampling
    if settings.mode == "off" or (settings.mode == "auto" and max(latent_size) <= 2 * trained):
        return None
    tile = trained if settings.tile_px is None else max(2, settings.tile_px // config.downsampling)
    tile += tile % 2  # the base model joins 2 x 2 cells
    if max(latent_size) <= tile:
        return None
    overlap = min(tile - 1, max(1, round(tile * settings.overlap_share)))
    return Tiles(*latent_size, tile=tile, overlap=overlap, per_batch=settings.tiles_per_batch)


def tiled(network: Callable[[Tensor, Tensor, Callable[[Tensor], Tensor]], Tensor], tiles: Tiles, scale: int) -> Denoise:
    """A denoiser of whole pictures from one of tiles.

    `network(x, logsnr, crop)` estimates tiles `x` [n * B, C, T, h, w]; `crop` cuts anything that goes with the whole
    (a latent [B, C, T, H, W] in cells) into the same tiles. `scale` is pixels per cell of what is denoised.
    """
    regions = tiles.regions

    def denoise(x_t: Tensor, logsnr: Tensor) -> Tensor:
        total = torch.zeros(x_t.shape, dtype=torch.float32, device=x_t.device)
        weight = torch.zeros(x_t.shape[-2:], dtype=torch.float32, device=x_t.device)
        for group in _groups(regions, tiles.per_batch):
            stacked = torch.cat([region.of(x_t, scale) for region in group])
            crop = _cropper(group)
            estimates = network(stacked, logsnr.repeat(len(group)), crop).float().chunk(len(group))
            for region, estimate in zip(group, estimates, strict=True):
                window = tiles.window(region, scale).to(x_t.device)
                region.of(total, scale).add_(estimate * window)
                region.of(weight, scale).add_(window)
        return total / weight

    return denoise


def _cropper(group: tuple[Region, ...]) -> Callable[[Tensor], Tensor]:
    def crop(whole: Tensor) -> Tensor:
        return torch.cat([region.of(whole) for region in group])

    return crop


def _groups(regions: tuple[Region, ...], size: int) -> Iterator[tuple[Region, ...]]:
    for start in range(0, len(regions), size):
        yield regions[start : start + size]


def encoder_margin_px(config: ModelConfig) -> int:
    """Pixels around a place that its latent depends on, rounded up to whole cells: two 3x3 convolutions per block."""
    encoder = config.encoder
    last = len(encoder.channels) - 1
    blocks = [encoder.blocks_per_stage] * last + [encoder.blocks_last_stage]
    reach = sum(2 * count * config.patch_px * 2**stage for stage, count in enumerate(blocks))
    return int(-(-reach // config.downsampling)) * config.downsampling
