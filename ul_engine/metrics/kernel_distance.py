"""KID: the kernel distance between two sets of feature rows, without bias at any number of samples."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ul_engine.errors import ConfigError, NumericsError, ShapeError

NUM_SUBSETS = 100
SUBSET_SIZE = 1000
DEGREE = 3


@dataclass(frozen=True)
class KernelDistance:
    """A measured squared MMD, the mean over subsets; may be slightly negative for equal distributions.

    `standard_deviation` is over subsets, as papers print it; `standard_error` of the mean is that over the root of
    their number, a little too small because subsets share samples.
    """

    name: str
    value: float
    standard_deviation: float
    standard_error: float
    num_subsets: int
    subset_size: int
    num_samples: tuple[int, int]
    warnings: tuple[str, ...]


def kernel_distance(
    measured: Tensor,
    reference: Tensor,
    *,
    num_subsets: int = NUM_SUBSETS,
    subset_size: int | None = None,
    seed: int = 0,
    name: str = "KID",
) -> KernelDistance:
    """Squared MMD of rows `[N, D]` and `[M, D]` under `k(x, y) = (x.y / D + 1)^3`, in float64 (Binkowski et al. 2018,
    arXiv 1801.01401, section 4), over `num_subsets` random subsets of both sides.

    `subset_size` None: 1000, or half of the smaller side where that is less. Subsets depend on `seed` alone. Raises
    ShapeError for rows that do not fit together, NumericsError, ConfigError for subsets that cannot be drawn.
    """
    if measured.ndim != 2 or reference.ndim != 2 or measured.shape[1] != reference.shape[1]:
        raise ShapeError(f"expected two [N, D], got {tuple(measured.shape)} and {tuple(reference.shape)}")
    if not (torch.isfinite(measured).all() and torch.isfinite(reference).all()):
        raise NumericsError("features to be measured hold values that are not finite")
    smaller = min(len(measured), len(reference))
    size = min(SUBSET_SIZE, smaller // 2) if subset_size is None else subset_size
    if not 2 <= size <= smaller or num_subsets < 2:
        raise ConfigError(
            f"{num_subsets} subsets of {size} out of {smaller} samples cannot be drawn; at least 2 of 2 to {smaller}",
            field="subset_size",
        )
    generator = np.random.Generator(np.random.Philox(key=seed))
    values = torch.tensor(
        [
            unbiased_mmd2(_subset(measured, size, generator), _subset(reference, size, generator))
            for _ in range(num_subsets)
        ],
        dtype=torch.float64,
    )
    spread = float(values.std(correction=1))
    return KernelDistance(
        name=name,
        value=float(values.mean()),
        standard_deviation=spread,
        standard_error=spread / num_subsets**0.5,
        num_subsets=num_subsets,
        subset_size=size,
        num_samples=(len(measured), len(reference)),
        warnings=_warnings(size, smaller),
    )


def unbiased_mmd2(x: Tensor, y: Tensor) -> float:
    """`mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j)`, the first two over i != j (Gretton et al. 2012, eq.
    3); rows `[n, D]` and `[m, D]`, n and m at least 2."""
    x, y = x.double(), y.double()
    return float(_mean_of_pairs(x) + _mean_of_pairs(y) - 2.0 * _kernel(x, y).mean())


def _mean_of_pairs(x: Tensor) -> Tensor:
    kernel = _kernel(x, x)
    return (kernel.sum() - kernel.trace()) / (len(x) * (len(x) - 1))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1.0) ** DEGREE


def _subset(rows: Tensor, size: int, generator: np.random.Generator) -> Tensor:
    return rows[torch.from_numpy(generator.choice(len(rows), size, replace=False))]


def _warnings(size: int, smaller: int) -> tuple[str, ...]:
    if size >= SUBSET_SIZE:
        return ()
    return (f"subsets of {size} (of {smaller} samples) instead of {SUBSET_SIZE}: unbiased, but it scatters more",)
