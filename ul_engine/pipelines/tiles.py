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
Crop = Callable[[Tensor], Tensor]
"""Cuts anything that goes with the whole, `[B, C, T, H, W]` in cells, into the tiles that are worked on: `[n * B, C, T,
h, w]`."""
TileNetwork = Callable[[Tensor, Tensor, Crop], Tensor]
"""`(x_t of n tiles [n * B, C, T, h, w], logsnr [n * B], crop) -> x_hat` alike."""
Distribution = Callable[[Tensor], tuple[Tensor, Tensor | None]]


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

    def grown(self, margin: int, size: tuple[int, int]) -> "Region":
        """This part with `margin` cells around it, as far as a latent of (height, width) cells goes."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        bottom, right = min(size[0], self.top + self.height + margin), min(size[1], self.left + self.width + margin)
        return Region(top, left, bottom - top, right - left)


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


def in_tiles(network: TileNetwork, config: ModelConfig, settings: TilingSettings, scale: int) -> Denoise:
    """A denoiser of pictures or latents of any size; `scale` is what is denoised per latent cell and side: pixels, or
    1."""

    def denoise(x_t: Tensor, logsnr: Tensor) -> Tensor:
        tiles = plan_tiles(config, settings, (x_t.shape[-2] // scale, x_t.shape[-1] // scale))
        return network(x_t, logsnr, _whole) if tiles is None else tiled(network, tiles, scale)(x_t, logsnr)

    return denoise


def _whole(x: Tensor) -> Tensor:
    return x


def tiled(network: TileNetwork, tiles: Tiles, scale: int) -> Denoise:
    """A denoiser of whole pictures from one of tiles; `scale` as above."""
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


def _cropper(group: tuple[Region, ...]) -> Crop:
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


def distribution_in_parts(
    distribution: Distribution, x: Tensor, config: ModelConfig, *, part_px: int, margin_px: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """What the encoder's `distribution` makes of `x` [B, C, T, H, W], part by part; sides are multiples of the
    down-sampling.

    Squares of about `part_px`, each encoded with `margin_px` of what surrounds it and cut back, so that memory stays
    bounded. `margin_px` None takes the encoder's whole reach, with which the result is the same as in one piece.
    """
    scale = config.downsampling
    margin = (encoder_margin_px(config) if margin_px is None else margin_px) // scale
    size = x.shape[-2] // scale, x.shape[-1] // scale
    side = max(1, part_px // scale)
    if max(size) <= side + 2 * margin:
        return distribution(x)

    def encoded(part: Region) -> list[Tensor]:
        around = part.grown(margin, size)
        inside = Region(part.top - around.top, part.left - around.left, part.height, part.width)
        return [inside.of(z) for z in distribution(around.of(x, scale)) if z is not None]

    rows = [[encoded(part) for part in row] for row in _squares(size, side)]
    mean, *variance = (
        torch.cat([torch.cat(pieces, dim=-1) for pieces in ([part[index] for part in row] for row in rows)], dim=-2)
        for index in range(len(rows[0][0]))
    )
    return mean, variance[0] if variance else None


def _squares(size: tuple[int, int], side: int) -> Iterator[list[Region]]:
    """Rows of squares that cover (height, width) without overlap; the last ones may be smaller."""
    height, width = size
    for top in range(0, height, side):
        yield [Region(top, left, min(side, height - top), min(side, width - left)) for left in range(0, width, side)]
