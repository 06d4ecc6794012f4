"""Large pictures in tiles: regions cover, weights are shares, noise is shared, seams do not show, bits count once."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.helpers.ideal import Gaussian
from tests.helpers.tiny import randomised, text_conditioning, tiny_config, tiny_model
from tests.helpers.tiny_clips import clip_config, drawn
from ul_engine.config import ModelConfig
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.pipelines import Pipeline
from ul_engine.pipelines.tiles import (
    Region,
    Tiles,
    in_tiles,
    plan_tiles,
    tiled,
)
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings, TilingSettings

CPU = torch.device("cpu")
CONFIG = tiny_config()  # 4 x 4 cells of 4 pixels in training
STEPS = SamplerSettings(name=SamplerName.DPMPP_2M_SDE, num_steps=3)
NO_GUIDANCE = GuidanceSettings(weight=1.0)
OFF, ON = TilingSettings(mode="off"), TilingSettings(mode="on")


def untrained(config: ModelConfig = CONFIG, **options: Any) -> Pipeline:
    """Networks that predict v = 0 and so look at each value alone."""
    torch.manual_seed(0)
    return Pipeline(UnifiedLatents(config).eval().requires_grad_(False), CPU, **options)


def tiles_of(height: int, width: int, tile: int, overlap: int, per_batch: int = 8) -> Tiles:
    return Tiles(height, width, tile=tile, overlap=overlap, per_batch=per_batch)


# ---- regions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tile", "overlap"), [(4, 1), (4, 3), (8, 2), (6, 3), (10, 5)])
def test_regions_cover_everything_evenly(tile: int, overlap: int) -> None:
    for length in range(1, 60):
        regions = tiles_of(3, length, tile, overlap).regions
        starts = [region.left for region in regions]
        assert {(region.top, region.height, region.width) for region in regions} == {(0, 3, min(tile, length))}
        assert starts[0] == 0
        assert starts[-1] + regions[-1].width == length
        steps = [after - before for before, after in pairwise(starts)]
        assert all(0 < step <= tile - overlap for step in steps)  # at least the overlap is shared
        assert not steps or max(steps) - min(steps) <= 1
        count = 1 if length <= tile else -(-(length - overlap) // (tile - overlap))
        assert len(regions) == count


def test_regions_go_row_by_row_over_both_axes() -> None:
    regions = tiles_of(6, 9, 4, 1).regions
    assert [(region.top, region.left) for region in regions] == [(t, left) for t in (0, 2) for left in (0, 2, 5)]
    x = torch.arange(24.0 * 36).view(1, 1, 1, 24, 36)
    assert torch.equal(regions[4].of(x, 4), x[..., 8:24, 8:24])


def test_parts_grow_only_to_the_edge() -> None:
    assert Region(2, 5, 3, 4).grown(2, (10, 20)) == Region(0, 3, 7, 8)
    assert Region(2, 5, 3, 4).grown(3, (6, 10)) == Region(0, 2, 6, 8)


# ---- weights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize(
    ("size", "tile", "overlap"), [((9, 14), 4, 1), ((12, 5), 6, 5), ((3, 20), 4, 3), ((17, 17), 8, 2)]
)
def test_weights_are_positive_shares_of_one_everywhere(
    size: tuple[int, int], tile: int, overlap: int, scale: int
) -> None:
    """An estimate of ones comes out as ones, corners and overlaps of four tiles included; each alone weighs more than
    nothing and at most 1."""
    tiles = tiles_of(*size, tile, overlap)
    x = drawn(2, 3, 1, size[0] * scale, size[1] * scale)
    made = tiled(lambda x_t, logsnr, crop: torch.ones_like(x_t), tiles, scale)(x, torch.zeros(2))
    torch.testing.assert_close(made, torch.ones_like(x))
    for region in tiles.regions:
        window = tiles.window(region, scale)
        assert window.shape == (region.height * scale, region.width * scale)
        assert float(window.min()) > 0
        assert float(window.max()) <= 1
        outer = {
            "top": region.top == 0,
            "left": region.left == 0,
            "bottom": region.top + region.height == size[0],
            "right": region.left + region.width == size[1],
        }
        middle = window.shape[0] // 2, window.shape[1] // 2
        if outer["left"] and outer["right"]:
            assert (window == window[:, :1]).all()
        if outer["top"] and outer["left"] and 2 * overlap <= tile:
            assert float(window[0, 0]) == 1.0  # nothing falls towards the picture's own edge
        assert float(window[middle]) > 0


def test_between_two_tiles_the_weight_passes_over_in_equal_steps() -> None:
    """Two tiles of 8 cells that share 2, at 4 pixels a cell: one sees 0, the other 1."""
    tiles = tiles_of(8, 14, 8, 2)

    def network(x_t: Tensor, logsnr: Tensor, crop: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.arange(2.0).view(2, 1, 1, 1, 1).expand_as(x_t)

    made = tiled(network, tiles, 4)(torch.zeros(1, 3, 1, 32, 56), torch.zeros(1))[0, 0, 0, 0]
    ramp = (torch.arange(8) + 0.5) / 8
    torch.testing.assert_close(made, torch.cat((torch.zeros(24), ramp, torch.ones(24))))


# ---- exactness ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_batch", [1, 3, 64])
def test_a_denoiser_of_single_places_is_the_same_in_tiles(per_batch: int) -> None:
    """What goes with the whole is cut to the same places, and every sample keeps its own level."""
    latent, logsnr = drawn(3, 4, 2, 9, 13, seed=1), torch.tensor([-2.0, 0.0, 3.0])

    def network(x_t: Tensor, levels: Tensor, crop: Callable[[Tensor], Tensor]) -> Tensor:
        cells = crop(latent)[:, :1].repeat_interleave(4, dim=-1).repeat_interleave(4, dim=-2)
        return x_t * levels.view(-1, 1, 1, 1, 1) + x_t.square() * cells

    x = drawn(3, 3, 2, 36, 52)
    whole = network(x, logsnr, lambda z: z)
    made = tiled(network, tiles_of(9, 13, 4, 1, per_batch), 4)(x, logsnr)
    torch.testing.assert_close(made, whole, rtol=1e-5, atol=1e-5)


def test_a_denoiser_of_neighbourhoods_is_exact_where_no_tile_ends() -> None:
    kernel = drawn(1, 1, 3, 3, seed=2)

    def network(x_t: Tensor, logsnr: Tensor, crop: object) -> Tensor:
        return F.conv2d(x_t[:, :, 0], kernel, padding=1)[:, :, None]

    tiles = tiles_of(8, 20, 8, 4)
    x = drawn(2, 1, 1, 8, 20)
    made, whole = tiled(network, tiles, 1)(x, torch.zeros(2)), network(x, torch.zeros(2), None)
    ends = {place for region in tiles.regions for place in (region.left, region.left + region.width - 1)}
    inside = [place for place in range(20) if place in (0, 19) or place not in ends]
    torch.testing.assert_close(made[..., inside], whole[..., inside], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(made, whole, atol=1e-3)


@pytest.mark.parametrize("name", list(SamplerName))
@pytest.mark.parametrize("config", [CONFIG, clip_config(2)], ids=["pictures", "clips"])
def test_whole_loops_are_the_same_in_tiles(name: SamplerName, config: ModelConfig) -> None:
    """Fresh networks look at each value alone; noise is of the whole. So every loop gives the same, and so do bits."""
    steps = SamplerSettings(name=name, num_steps=3)
    whole, parts = untrained(config, tiling=OFF), untrained(config, tiling=ON)
    frames = 2 if config.video is not None else 1
    results = []
    for pipeline in (whole, parts):
        z_0 = pipeline.sample_latents([1, 2], (frames, 9, 11), None, steps, NO_GUIDANCE)
        back = pipeline.bring_back(z_0, 1.0, [1, 2], steps)
        x = pipeline.decode(z_0, [1, 2], steps, crop_to=(33, 42))
        bits = pipeline.bitrate(z_0, [1, 2], num_times=3)
        results.append((z_0, back, x, pipeline.glimpse(z_0, [1, 2]), bits.cell_nats, bits.nats, bits.band_nats))
    for first, second in zip(*results, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


def test_tiles_of_a_batch_change_nothing_but_memory() -> None:
    model = tiny_model()
    z_0 = drawn(2, 4, 1, 6, 10)
    made = [
        Pipeline(model, CPU, tiling=TilingSettings(mode="on", tiles_per_batch=count)).decode(z_0, [1, 2], STEPS)
        for count in (1, 4, 100)
    ]
    torch.testing.assert_close(made[0], made[1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(made[0], made[2], rtol=1e-4, atol=1e-4)


# ---- what a tile is told ------------------------------------------------------------------------------------------


def test_tiles_are_told_their_samples_words_and_their_own_part_of_the_frames() -> None:
    config = clip_config(2, context_frames=2, conditioning=text_conditioning())
    model = randomised(UnifiedLatents(config), gain=1.0).eval().requires_grad_(False)
    pipeline = Pipeline(model, CPU, tiling=TilingSettings(mode="on", tile_px=32, tiles_per_batch=3))
    words = model.condition_from_prompts(["red cube", "green"])
    frames = drawn(2, 4, 1, 5, 9, seed=1)
    told = Condition(words.indices, frames, torch.tensor([True, False]))
    seen: list[tuple[Tensor, ...]] = []
    hook = model.base.register_forward_pre_hook(lambda _, given: seen.append(given))
    one = SamplerSettings(name=SamplerName.DDIM, num_steps=1)
    z_0 = pipeline.sample_latents([1, 2], (2, 5, 9), told, one, NO_GUIDANCE)
    hook.remove()
    regions = tiles_of(5, 9, 4, 1).regions
    assert [len(given[0]) for given in seen] == [6, 6]
    for index, region in enumerate(regions):
        given = seen[index // 3]
        rows = slice(2 * (index % 3), 2 * (index % 3) + 2)
        assert torch.equal(given[2].indices[rows], words.indices)
        torch.testing.assert_close(given[2].frames[rows], region.of(frames))  # their scale is 1 for a latent of scale 1
        assert given[2].has_frames[rows].tolist() == [True, False]
    for row in range(2):
        alone = pipeline.sample_latents([row + 1], (2, 5, 9), told.rows(row, row + 1), one, NO_GUIDANCE)
        torch.testing.assert_close(alone[0], z_0[row], rtol=1e-3, atol=1e-3)


def test_the_decoder_of_the_squared_error_runs_in_tiles_too() -> None:
    model = tiny_model(tiny_config(decoder_loss={"kind": "mse"}))
    sizes: list[tuple[int, ...]] = []
    hook = model.decoder.register_forward_pre_hook(lambda _, given: sizes.append(tuple(given[0].shape)))
    made = Pipeline(model, CPU, tiling=ON).decode(drawn(1, 4, 1, 9, 9), [1], STEPS)
    hook.remove()
    assert made.shape == (1, 3, 1, 36, 36)
    assert sizes == [(8, 3, 1, 16, 16), (1, 3, 1, 16, 16)]


# ---- when -----------------------------------------------------------------------------------------------------------


def test_modes() -> None:
    auto = TilingSettings()
    assert plan_tiles(CONFIG, auto, (8, 8)) is None  # up to twice the training size
    assert plan_tiles(CONFIG, auto, (4, 9)) == tiles_of(4, 9, 4, 1)
    assert plan_tiles(CONFIG, OFF, (50, 50)) is None
    assert plan_tiles(CONFIG, ON, (4, 4)) is None
    assert plan_tiles(CONFIG, ON, (5, 3)) == tiles_of(5, 3, 4, 1)


@pytest.mark.parametrize(
    ("settings", "tile", "overlap"),
    [
        ({"tile_px": 32}, 8, 2),
        ({"tile_px": 30}, 8, 2),  # 7 cells, made even: the base model joins 2 x 2 of them
        ({"tile_px": 32, "overlap_share": 0.5}, 8, 4),
        ({"tile_px": 32, "overlap_share": 0.0}, 8, 1),
        ({"overlap_share": 0.75}, 4, 3),
        ({"tile_px": 16, "tiles_per_batch": 2}, 4, 1),
    ],
)
def test_settings_of_tiles(settings: dict[str, Any], tile: int, overlap: int) -> None:
    plan = plan_tiles(CONFIG, TilingSettings(mode="on", **settings), (20, 30))
    assert plan == tiles_of(20, 30, tile, overlap, settings.get("tiles_per_batch", 8))


@pytest.mark.parametrize(("settings", "wanted"), [(TilingSettings(), (4, 4)), (OFF, (4, 9)), (ON, (4, 4))])
def test_networks_are_given_tiles_or_the_whole(settings: TilingSettings, wanted: tuple[int, int]) -> None:
    pipeline = untrained(tiling=settings)
    sizes: dict[str, set[tuple[int, int]]] = {}
    for part in ("prior", "base", "decoder"):
        sizes[part] = set()
        getattr(pipeline.model, part).register_forward_pre_hook(
            lambda _, given, part=part: sizes[part].add(tuple(given[0].shape[-2:]))
        )
    z_0 = pipeline.sample_latents([1], (1, 4, 9), None, STEPS, NO_GUIDANCE)
    pipeline.bitrate(z_0, [1], num_times=1)
    pipeline.decode(z_0, [1], STEPS)
    assert sizes == {"prior": {wanted}, "base": {wanted}, "decoder": {(4 * wanted[0], 4 * wanted[1])}}


def test_sizes_are_looked_at_as_they_come() -> None:
    sizes: list[int] = []

    def network(x_t: Tensor, logsnr: Tensor, crop: object) -> Tensor:
        sizes.append(x_t.shape[-1])
        return x_t

    denoise = in_tiles(network, CONFIG, TilingSettings(), 1)
    for width in (8, 9):
        denoise(torch.zeros(1, 4, 1, 4, width), torch.zeros(1))
    assert sizes == [8, 4]


@pytest.mark.parametrize("restorer", ["prior", "base"])
def test_bits_are_counted_once_per_cell(restorer: Any) -> None:
    """Ideal denoisers of unit Gaussian data: the closed form, although cells lie in up to four tiles."""
    z = drawn(1, 4, 1, 16, 28)
    bits = untrained(tiling=TilingSettings(mode="on", overlap_share=0.5)).bitrate(
        z, [1], num_times=12, restorer=restorer
    )
    data = Gaussian(0.0, 1.0)
    assert bits.cell_nats.shape == (1, 1, 16, 28)
    assert float(bits.nats) / z.numel() == pytest.approx(data.nats(-10, 5) + data.terminal_nats(-10.0), rel=0.04)
    torch.testing.assert_close(bits.cell_nats.sum(), bits.nats[0])
