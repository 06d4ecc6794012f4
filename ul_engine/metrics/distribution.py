"""rFID, gFID, FVD, KID and FD-Small: distances between the pictures or clips of two sides, from first to last.

Pictures and clips come as batches of any size, uint8 or float in [-1, 1], `[B, 3, H, W]`, `[B, 3, 1, H, W]` or
`[B, 3, T, H, W]`; what a network does with their size stands in its own docstring. Statistics of one side can be kept
in a file (`FeatureStatistics.save`) and used again.
"""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from ul_engine.errors import DataError, ShapeError
from ul_engine.metrics.features.network import FeatureNetwork, extracted
from ul_engine.metrics.frechet import FeatureStatistics, FrechetDistance, frechet_distance, statistics_of
from ul_engine.metrics.kernel_distance import KernelDistance, kernel_distance


def measured(batches: Iterable[Tensor], network: FeatureNetwork, *, batch_size: int | None = None) -> FeatureStatistics:
    """Feature statistics of one side; nothing but they are kept, so it may be as long as one likes."""
    features = extracted(batches, network, batch_size=batch_size)
    return statistics_of(features, network.num_features, network=network.identity)


def collected(batches: Iterable[Tensor], network: FeatureNetwork, *, batch_size: int | None = None) -> Tensor:
    """All features of one side, float32 `[N, D]` on the CPU (KID needs them: 8 KB a picture with Inception).

    Raises DataError if there are none.
    """
    parts = list(extracted(batches, network, batch_size=batch_size))
    if not parts:
        raise DataError("there is nothing to measure: no picture came")
    return torch.cat(parts)


def reconstruction_distance(
    pairs: Iterable[tuple[Tensor, Tensor]], network: FeatureNetwork, *, batch_size: int | None = None
) -> FrechetDistance:
    """Originals and their reconstructions, pair by pair: rFID, rFD-Small, rFVD.

    The same pictures stand on both sides, as the paper has it (Unified Latents), so a perfect reconstruction
    gives 0 at any number of samples. Raises ShapeError if the two halves of a pair differ in number.
    """
    sides = [FeatureStatistics(network.num_features, network=network.identity) for _ in range(2)]
    for pair in pairs:
        if len(pair[0]) != len(pair[1]):
            raise ShapeError(f"{len(pair[0])} originals cannot be paired with {len(pair[1])} reconstructions")
        for statistics, pictures in zip(sides, pair, strict=True):
            for features in extracted([pictures], network, batch_size=batch_size):
                statistics.update(features)
    original, reconstructed = sides
    return _named(frechet_distance(reconstructed, original), f"r{network.distance}", network)


def generation_distance(
    generated: Iterable[Tensor],
    reference: Iterable[Tensor] | FeatureStatistics,
    network: FeatureNetwork,
    *,
    batch_size: int | None = None,
) -> FrechetDistance:
    """What a model makes against pictures or clips of the training distribution: gFID, FVD, gFD-Small, FD-Small-clip.

    `reference` may be statistics measured before with the same network.
    """
    if not isinstance(reference, FeatureStatistics):
        reference = measured(reference, network, batch_size=batch_size)
    name = network.distance if network.is_for_clips else f"g{network.distance}"
    return _named(frechet_distance(measured(generated, network, batch_size=batch_size), reference), name, network)


def kernel_generation_distance(
    generated: Iterable[Tensor], reference: Iterable[Tensor], network: FeatureNetwork, *, batch_size: int | None = None
) -> KernelDistance:
    """The same comparison by KID; on the features of other networks it is called KVD, KD-Small, KD-Small-clip."""
    sides = [collected(batches, network, batch_size=batch_size) for batches in (generated, reference)]
    distance = kernel_distance(*sides, name=f"K{network.distance[1:]}")
    return replace(distance, warnings=(*network.remarks, *distance.warnings))


def _named(distance: FrechetDistance, name: str, network: FeatureNetwork) -> FrechetDistance:
    return replace(distance, name=name, warnings=(*network.remarks, *distance.warnings))
