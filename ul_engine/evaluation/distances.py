"""Distances between sets of samples: features kept per sample, distances taken from them at the end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ul_engine.data.pixels import Uint8Array
from ul_engine.evaluation.catalogue import METRICS, Distance, Metric
from ul_engine.evaluation.features import FeatureFile, Side
from ul_engine.evaluation.plan import too_few
from ul_engine.metrics.features.network import FeatureNetwork, extracted
from ul_engine.metrics.frechet import FeatureStatistics, frechet_distance, statistics_of
from ul_engine.metrics.kernel_distance import kernel_distance


class FeatureSets:
    """Features of originals, reconstructions and generated samples under each network that the distances need.

    `lengths` is the number of rows of each side; `finished` says which sides have rows that a former run wrote. Raises
    OutputError for files that are missing or foreign then.
    """

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        networks: Mapping[str, FeatureNetwork],
        lengths: Mapping[Side, int],
        finished: Mapping[Side, bool],
    ) -> None:
        self.networks = networks
        wanted: set[tuple[str, Side]] = set()
        for distance in (METRICS[name].distance for name in names):
            assert distance is not None
            wanted |= {(distance.network, "original"), (distance.network, distance.side)}
        self._files = {
            (network, side): FeatureFile(
                folder,
                f"{network}-{side}",
                (lengths[side], networks[network].num_features),
                must_exist=finished[side],
            )
            for network, side in sorted(wanted)
        }

    def put(self, side: Side, indices: Sequence[int], samples: Sequence[Uint8Array]) -> None:
        """Keep the features of samples uint8 `[T, H, W, 3]` of one size under every network that needs this side."""
        pixels = torch.from_numpy(np.stack(samples)).permute(0, 4, 1, 2, 3)  # [B, 3, T, H, W]
        for (network, place), file in self._files.items():
            if place == side:
                file.write(indices, torch.cat(list(extracted([pixels], self.networks[network]))))

    def figures(self, metric: Metric, original: Sequence[int], generated: Sequence[int]) -> dict[str, Any]:
        """One distance over the rows `original` (and the reconstructions of the same) or `generated`, as plain JSON."""
        distance = metric.distance
        assert distance is not None
        indices = generated if distance.side == "generated" else original
        problem = too_few(distance, min(len(indices), len(original)))
        named = {"title": metric.title, "unit": metric.unit, "lower_is_better": True}
        if problem is not None:
            return named | {"unavailable": problem}
        found = self._kernel(metric, distance, indices, original) if distance.is_kernel else {}
        found = found or self._frechet(metric, distance, indices, original)
        network = self.networks[distance.network]
        warnings = [*network.remarks, *found.pop("warnings")]
        return named | found | {"network": network.identity, "warnings": warnings}

    def _frechet(
        self, metric: Metric, distance: Distance, indices: Sequence[int], original: Sequence[int]
    ) -> dict[str, Any]:
        network = self.networks[distance.network]

        def statistics(side: Side, rows: Sequence[int]) -> FeatureStatistics:
            return statistics_of(self._rows(distance, side, rows), network.num_features, network=network.identity)

        found = frechet_distance(
            statistics(distance.side, indices), statistics("original", original), name=metric.title
        )
        return _plain(asdict(found)) | {"standard_error": None}

    def _kernel(
        self, metric: Metric, distance: Distance, indices: Sequence[int], original: Sequence[int]
    ) -> dict[str, Any]:
        measured = torch.cat(list(self._rows(distance, distance.side, indices)))
        reference = torch.cat(list(self._rows(distance, "original", original)))
        return _plain(asdict(kernel_distance(measured, reference, name=metric.title)))

    def _rows(self, distance: Distance, side: Side, indices: Sequence[int]) -> Iterator[Tensor]:
        return self._files[distance.network, side].rows(indices)


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    """Without the name, which stands in the title; tuples as lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in figures.items() if key != "name"}
