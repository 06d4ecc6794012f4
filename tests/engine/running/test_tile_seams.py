"""Seams: tiles that are blended at every step do not show where they meet; finished tiles side by side do."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.helpers.tiny import tiny_config
from ul_engine.diffusion.losses import decoder_nats
from ul_engine.diffusion.parameterization import add_noise
from ul_engine.diffusion.time_sampling import stratified_times
from ul_engine.metrics.distortion import psnr_db
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import estimate_with_decoder, picture_schedule_of
from ul_engine.pipelines import Pipeline
from ul_engine.pipelines.tiles import plan_tiles
from ul_engine.requests import SamplerName, SamplerSettings, TilingSettings

CPU = torch.device("cpu")
CONFIG = tiny_config()  # 4 x 4 cells of 4 pixels in training
OFF = TilingSettings(mode="off")


def waves(count: int, height: int, width: int, seed: int) -> Tensor:
    """Smooth pictures: one slow wave per colour, in [-0.9, 0.9]."""
    phase, across, along = torch.rand(3, count, 3, 1, 1, generator=torch.Generator().manual_seed(seed))
    rows, columns = torch.arange(height).view(-1, 1) / 16, torch.arange(width).view(1, -1) / 16
    angle = 2 * math.pi * phase + 5 * (across - 0.5) * columns + 5 * (along - 0.5) * rows
    return 0.9 * angle.sin().unsqueeze(2)


def pooled(x: Tensor) -> Tensor:
    """Colours of each cell, and the first one again: a latent that needs no encoder."""
    z = F.avg_pool3d(x, (1, 4, 4))
    return 2 * torch.cat((z, z[:, :1]), dim=1)


@pytest.fixture(scope="module")
def trained() -> UnifiedLatents:
    """A decoder that was shown smooth pictures of 16 pixels for two seconds."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = UnifiedLatents(CONFIG, networks=frozenset(("decoder",)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-3, betas=(0.9, 0.99), weight_decay=0.0)
    generator, schedule = torch.Generator().manual_seed(0), picture_schedule_of(CONFIG)
    for step in range(250):
        x = waves(8, 16, 16, step)
        z_0 = add_noise(pooled(x), torch.randn(8, 4, 1, 4, 4, generator=generator), torch.tensor(5.0))
        t = stratified_times(8, generator=generator)
        logsnr = schedule.logsnr(t)
        x_t = add_noise(x, torch.randn(x.shape, generator=generator), logsnr)
        x_hat = estimate_with_decoder(model.decoder, x_t, logsnr, z_0, config=CONFIG, latent_std=model.latent_std)
        bias = CONFIG.decoder_sigmoid_bias
        decoder_nats(x, x_hat, t, schedule, sigmoid_bias=bias, loss_factor=1e-3).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return model.eval().requires_grad_(False)


def seam(x: Tensor, borders: list[int]) -> float:
    """Mean step in brightness over the edges between cells where a tile ends, against that over all other such
    edges."""
    steps = (x[..., 1:] - x[..., :-1]).abs().mean(dim=(0, 1, 2, 3))[3::4]
    others = [index for index in range(len(steps)) if index not in borders]
    return float(steps[borders].mean() / steps[others].mean())


def test_no_seam_shows_where_tiles_meet(trained: UnifiedLatents) -> None:
    """Tiles blended at every step leave no more of an edge than there is elsewhere; finished tiles side by side do."""
    x, seeds = waves(12, 16, 96, 999), range(12)
    decoder = SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=6)
    whole = Pipeline(trained, CPU, tiling=OFF)
    z_0 = whole.native_latent(pooled(x), seeds)
    settings = TilingSettings(mode="on", tile_px=32)
    plan = plan_tiles(trained.config, settings, (4, 24))
    assert plan is not None
    borders = sorted(
        {region.left - 1 for region in plan.regions if region.left}
        | {region.left + region.width - 1 for region in plan.regions if region.left + region.width < 24}
    )
    blended = Pipeline(trained, CPU, tiling=settings).decode(z_0, seeds, decoder)
    columns = range(0, 24, 8)
    finished = [whole.decode(z_0[..., i : i + 8], [100 * i + s for s in seeds], decoder) for i in columns]
    ends = [i - 1 for i in columns if i]
    assert seam(blended, borders) < 1.05 * seam(x, borders)
    assert seam(torch.cat(finished, dim=-1), ends) > 1.15 * seam(x, ends)
    quality = psnr_db(x, whole.decode(z_0, seeds, decoder)).mean()
    assert float(psnr_db(x, blended).mean()) > float(quality) - 0.2
    assert float(quality) > 20.0
