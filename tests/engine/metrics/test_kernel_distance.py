"""KID against a double loop and torchmetrics; unbiased where the Fréchet distance is not."""

import pytest
import torch
from torch import Tensor
from torchmetrics.image.kid import poly_mmd

from ul_engine.errors import ConfigError, NumericsError, ShapeError
from ul_engine.metrics.kernel_distance import kernel_distance, unbiased_mmd2


def rows(num: int, *, seed: int, width: int = 6, shift: float = 0.0) -> Tensor:
    return torch.randn(num, width, generator=torch.Generator().manual_seed(seed)) + shift


def test_as_a_double_loop_has_it() -> None:
    x, y = rows(5, seed=0).double(), rows(7, seed=1, shift=0.5).double()

    def kernel(a: Tensor, b: Tensor) -> float:
        return float((a @ b / 6 + 1) ** 3)

    def among(z: Tensor) -> float:
        pairs = [kernel(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if i != j]
        return sum(pairs) / len(pairs)

    between = [kernel(a, b) for a in x for b in y]
    assert unbiased_mmd2(x, y) == pytest.approx(among(x) + among(y) - 2 * sum(between) / len(between), rel=1e-12)


def test_as_torchmetrics_has_it() -> None:
    x, y = rows(50, seed=0).double(), rows(50, seed=1, shift=0.3).double()
    assert unbiased_mmd2(x, y) == pytest.approx(float(poly_mmd(x, y)), rel=1e-10)


def test_without_bias_at_few_samples() -> None:
    """Equal distributions: positive and negative values, whose mean is 0 within three standard errors."""
    values = torch.tensor([unbiased_mmd2(rows(10, seed=2 * i), rows(10, seed=2 * i + 1)) for i in range(200)])
    assert float(values.min()) < 0.0
    assert abs(float(values.mean())) < 3.0 * float(values.std()) / 200**0.5


def test_subsets_their_spread_and_their_seed() -> None:
    x, y = rows(200, seed=0), rows(300, seed=1, shift=1.0)
    found = kernel_distance(x, y, num_subsets=20, subset_size=40, seed=3)
    assert found == kernel_distance(x, y, num_subsets=20, subset_size=40, seed=3)
    assert found.value != kernel_distance(x, y, num_subsets=20, subset_size=40, seed=4).value
    assert found.standard_error == pytest.approx(found.standard_deviation / 20**0.5)
    assert abs(found.value - unbiased_mmd2(x, y)) < 4.0 * found.standard_error
    assert (found.name, found.num_subsets, found.subset_size, found.num_samples) == ("KID", 20, 40, (200, 300))


def test_small_sides_make_small_subsets_and_say_so() -> None:
    few = kernel_distance(rows(30, seed=0), rows(50, seed=1), num_subsets=5)
    assert few.subset_size == 15
    assert "subsets of 15 (of 30 samples)" in few.warnings[0]
    assert not kernel_distance(rows(2000, seed=0, width=2), rows(2100, seed=1, width=2), num_subsets=2).warnings


def test_what_cannot_be_measured() -> None:
    with pytest.raises(ShapeError):
        kernel_distance(rows(5, seed=0), rows(5, seed=0, width=7))
    with pytest.raises(NumericsError):
        kernel_distance(rows(5, seed=0) * float("inf"), rows(5, seed=0))
    for options in ({"subset_size": 6}, {"subset_size": 1}, {"subset_size": 5, "num_subsets": 1}):
        with pytest.raises(ConfigError, match="subset_size"):
            kernel_distance(rows(5, seed=0), rows(50, seed=0), **options)
    with pytest.raises(ConfigError):
        kernel_distance(rows(3, seed=0), rows(50, seed=0))
