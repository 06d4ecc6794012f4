"""Times at which losses are evaluated."""

import torch
from torch import Tensor


def stratified_times(num_samples: int, *, generator: torch.Generator | None = None) -> Tensor:
    """One uniform time per sample in (0, 1), one in each of `num_samples` equal strata, in random order: `[B]`
    float32, CPU.

    Each time alone is uniform on [0, 1], so the expectation is that of independent draws with far less variance.
    Source: Kingma et al., Variational Diffusion Models (arXiv 2107.00630), section I.1. Differs from it by: a fresh
    offset per stratum instead of one for all. `generator` None uses torch's global one.
    """
    offsets = torch.rand(num_samples, generator=generator)
    order = torch.randperm(num_samples, generator=generator)
    return (order + offsets) / num_samples
