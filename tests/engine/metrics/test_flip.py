"""FLIP against the numbers of its authors' program, and what must hold for every picture."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ul_engine.errors import ConfigError, ShapeError
from ul_engine.metrics import flip as metric
from ul_engine.metrics.flip import SENSITIVITY, _filtered, flip

# Mean, two places and the maximum of the error map, from flip-evaluator 1.7 (its maps' means taken in float64):
#   m, _, _ = flip_evaluator.evaluate(
#       pictures["original"], pictures[name], "LDR", applyMagma=False, parameters={"ppd": pixels_per_degree})
#   m = m.squeeze(); print(m.mean(dtype=np.float64), m[20, 30], m[3, 50], m.max())
# with the pictures below as contiguous float32 [H, W, 3] in [0, 1].
GOLDEN = {
    ("original", 67.0): (0.0, 0.0, 0.0, 0.0),
    ("striped", 67.0): (0.039321, 0.022266, 0.043736, 0.178031),
    ("striped", 25.0): (0.223248, 0.200495, 0.225891, 0.358707),
    ("without the disc", 67.0): (0.146795, 0.979018, 0.0, 0.980225),
    ("without the disc", 25.0): (0.116026, 0.972954, 0.0, 0.984490),
    ("mirrored", 67.0): (0.748223, 0.403398, 0.768622, 0.978549),
    ("mirrored", 25.0): (0.747790, 0.010593, 0.806094, 0.986752),
    ("darker", 67.0): (0.567232, 0.552862, 0.655537, 0.804598),
    ("darker", 25.0): (0.547319, 0.541293, 0.626574, 0.800580),
}


def pictures() -> dict[str, np.ndarray]:
    row, column = np.mgrid[0:40, 0:56]
    waves = np.stack([np.sin(column / 3 + row / 5), np.cos(row / 4), np.sin(column / 7 - row / 9)], -1)
    ground = 0.5 + 0.4 * waves
    disc = (np.hypot(row - 20, column - 30) < 9)[..., None]
    stripes = 0.04 * np.where((row + column) % 4 < 2, 1, -1)[..., None]
    original = np.where(disc, (0.9, 0.2, 0.1), ground)
    return {
        "original": original,
        "striped": original + stripes,
        "without the disc": ground,
        "mirrored": original[:, ::-1],
        "darker": original * 0.8,
    }


def clip_of(*names: str) -> Tensor:
    """`[1, 3, T, H, W]` in [-1, 1]."""
    frames = np.stack([pictures()[name].clip(0, 1) for name in names])
    return torch.from_numpy(frames).float().permute(3, 0, 1, 2)[None] * 2 - 1


@pytest.mark.parametrize(("name", "pixels_per_degree"), GOLDEN)
def test_as_its_authors_have_it(name: str, pixels_per_degree: float) -> None:
    result = flip(clip_of("original"), clip_of(name), pixels_per_degree)
    errors = result.map[0, 0, 0]
    found = (errors.double().mean(), errors[20, 30], errors[3, 50], errors.max())
    assert [float(value) for value in found] == pytest.approx(GOLDEN[name, pixels_per_degree], abs=5e-5)
    assert float(result.mean) == pytest.approx(GOLDEN[name, pixels_per_degree][0], abs=5e-5)


def test_green_against_blue_is_the_whole_scale() -> None:
    green, blue = (
        torch.tensor(rgb).view(1, 3, 1, 1, 1).expand(1, 3, 1, 6, 9) for rgb in ([-1.0, 1, -1], [-1.0, -1, 1])
    )
    result = flip(green, blue)
    assert result.map.shape == (1, 1, 1, 6, 9)
    torch.testing.assert_close(result.map, torch.ones(1, 1, 1, 6, 9))


def test_symmetric() -> None:
    x, y = clip_of("original"), clip_of("mirrored")
    torch.testing.assert_close(flip(x, y).map, flip(y, x).map)


def test_less_is_seen_from_further_away() -> None:
    means = [float(flip(clip_of("original"), clip_of("striped"), each).mean) for each in (15.0, 30.0, 60.0, 120.0)]
    assert means == sorted(means, reverse=True)
    assert means[0] > 5 * means[-1]


def test_each_frame_by_itself() -> None:
    x, x_hat = clip_of("original", "darker"), clip_of("striped", "mirrored")
    result = flip(x, x_hat)
    assert result.map.shape == (1, 1, 2, 40, 56)
    for t in range(2):
        alone = flip(x[:, :, t : t + 1], x_hat[:, :, t : t + 1])
        torch.testing.assert_close(result.map[:, :, t], alone.map[:, :, 0])
    assert float(result.mean) == pytest.approx(float(result.map.mean()), abs=1e-6)


def test_clipped_to_what_a_screen_shows() -> None:
    x = clip_of("original")
    beyond = torch.where(x > 0.5, 3.0, x)
    assert torch.equal(flip(x, beyond).map, flip(x, beyond.clamp(-1, 1)).map)


@pytest.mark.parametrize("name", SENSITIVITY)
def test_filters_are_the_papers_in_two_dimensions(name: str) -> None:
    """`sum_i a_i sqrt(pi / b_i) exp(-pi^2 (x^2 + y^2) / b_i)`, scaled to sum 1, as one two-dimensional kernel."""
    degrees = [offset / 40 for offset in range(-6, 7)]
    squared = torch.tensor([[x * x + y * y for x in degrees] for y in degrees], dtype=torch.float64)
    kernel = sum(a * math.sqrt(math.pi / b) * torch.exp(-(math.pi**2) * squared / b) for a, b in SENSITIVITY[name])
    assert isinstance(kernel, Tensor)
    x = torch.randn(1, 1, 20, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = F.conv2d(x, (kernel / kernel.sum()).view(1, 1, 13, 13))
    torch.testing.assert_close(_filtered(x, SENSITIVITY[name], degrees), expected)


def test_smaller_than_the_filters() -> None:
    x = torch.zeros(1, 3, 1, 1, 2)
    assert flip(x, x + 0.1).map.shape == (1, 1, 1, 1, 2)
    assert flip(x, x).map.tolist() == [[[[[0.0, 0.0]]]]]


@pytest.mark.parametrize("value", [0.0, -3.0, 0.5, 2000.0, math.nan])
def test_impossible_distances(value: float) -> None:
    with pytest.raises(ConfigError) as caught:
        flip(clip_of("original"), clip_of("original"), value)
    assert caught.value.field == "pixels_per_degree"


def test_other_shapes() -> None:
    with pytest.raises(ShapeError):
        flip(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize("pixels_per_degree", [25.0, 67.0])
def test_strips_show_no_seams(monkeypatch: pytest.MonkeyPatch, pixels_per_degree: float) -> None:
    """Large pictures are measured in strips; every pixel of them is what it is in the whole."""
    x, x_hat = clip_of("original", "darker"), clip_of("without the disc", "striped")
    whole = flip(x, x_hat, pixels_per_degree)
    seen: list[int] = []
    monkeypatch.setattr("ul_engine.metrics.flip.STRIP_PIXELS", 12 * 56)
    errors = metric._errors
    monkeypatch.setattr(metric, "_errors", lambda a, b, ppd: seen.append(a.shape[-2]) or errors(a, b, ppd))
    parts = flip(x, x_hat, pixels_per_degree)
    assert len(seen) == 2 * math.ceil(40 / 12)
    torch.testing.assert_close(parts.map, whole.map, atol=1e-5, rtol=0)
    torch.testing.assert_close(parts.mean, whole.mean, atol=1e-6, rtol=0)
