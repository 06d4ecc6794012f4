"""A few noise levels are enough for the bitrate: the estimate hardly depends on how many there are."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tests.helpers.ideal import Gaussian
from ul_engine.diffusion.bitrate import latent_bitrate
from ul_engine.diffusion.schedules import latent_schedule

SHAPE = (2, 3, 1, 2, 2)


def estimated(data: Gaussian, native: float, num_times: int) -> float:
    """Nats per value of the diffusion part for an estimate that is off by exactly the ideal error, without any
    chance."""

    def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
        error = (data.std**2 / (1 + data.std**2 * logsnr.exp())).sqrt()
        return error.view(-1, 1, 1, 1, 1).expand(SHAPE)

    bits = latent_bitrate(
        denoise, torch.zeros(SHAPE), latent_schedule(native), num_times=num_times, draw_noise=lambda: torch.zeros(SHAPE)
    )
    return float(bits.band_nats.sum(1)[0]) / 12


@pytest.mark.parametrize("native", [5.0, 10.0])
@pytest.mark.parametrize("std", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("num_times", [16, 64])
def test_sixteen_levels_are_as_good_as_many(native: float, std: float, num_times: int) -> None:
    """Where log-SNR 10 is the native level too, at which the cosine schedule is steepest."""
    data = Gaussian(0.0, std)
    assert estimated(data, native, num_times) == pytest.approx(data.nats(-10.0, native), rel=2e-3)


def test_bands_share_the_levels_evenly() -> None:
    """15 bands and 30 levels: every band is looked at twice, none is empty."""
    levels: list[float] = []

    def denoise(z_t: Tensor, logsnr: Tensor) -> Tensor:
        levels.append(float(logsnr[0]))
        return torch.ones_like(z_t)

    bits = latent_bitrate(
        denoise, torch.zeros(SHAPE), latent_schedule(), num_times=30, draw_noise=lambda: torch.zeros(SHAPE)
    )
    edges = bits.band_edges.tolist()
    counts = [sum(low < level < high for level in levels) for low, high in pairwise(edges)]
    assert counts == [2] * 15
    assert (bits.band_nats > 0).all()
