"""Colour spaces at known colours, there and back."""

import pytest
import torch
from torch import Tensor

from ul_engine.metrics.colour import (
    achromatic,
    hunt_adjusted,
    hyab,
    lab_from_rgb,
    linear_from_srgb,
    linear_rgb_from_opponent,
    opponent_from_rgb,
)


def colour(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("rgb", "lab"),  # widely published values of the corners of sRGB
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_the_corners(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    assert lab_from_rgb(colour(*rgb)).flatten().tolist() == pytest.approx(lab, abs=0.02)


def test_srgb_to_light() -> None:
    levels = torch.tensor([0.0, 0.04045, 0.5, 1.0], dtype=torch.float64)
    assert linear_from_srgb(levels).tolist() == pytest.approx([0.0, 0.04045 / 12.92, 0.214041, 1.0], abs=1e-6)
    assert linear_from_srgb(torch.linspace(0, 1, 500)).diff().min() > 0


def test_opponent_channels_there_and_back() -> None:
    rgb = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(linear_rgb_from_opponent(opponent_from_rgb(rgb)), linear_from_srgb(rgb))
    grey = opponent_from_rgb(colour(0.5, 0.5, 0.5))
    assert grey[:, 1:].abs().max() < 1e-12
    assert achromatic(grey).item() == pytest.approx(0.214041, abs=1e-6)  # linear in light


def test_hunt_and_hyab() -> None:
    assert hunt_adjusted(colour(50, 20, -10)).flatten().tolist() == [50, 10, -5]
    assert hyab(colour(50, 3, 0), colour(40, 0, 4)).flatten().tolist() == [10 + 5]
