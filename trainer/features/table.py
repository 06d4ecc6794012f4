"""How the distance answers: a table over damage of growing strength and over a growing share of other classes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.features.damage import as_bytes, blurred, compressed, faded, noised, pixelated
from ul_engine.metrics.distribution import generation_distance, reconstruction_distance
from ul_engine.metrics.features.small import SmallFeatures

BLURS_PX = (0.5, 1.0, 1.5, 2.0, 3.0)
NOISES = (5.0, 10.0, 20.0, 40.0, 60.0)
QUALITIES = (80.0, 50.0, 25.0, 10.0, 5.0)
BLOCKS_PX = (2.0, 4.0, 8.0, 16.0)
FADES = (0.1, 0.25, 0.5, 0.75, 1.0)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Row:
    """Distances under one kind of change, at settings from weak to strong."""

    change: str
    settings: tuple[float, ...]
    distances: tuple[float, ...]

    @property
    def is_rising(self) -> bool:
        """Whether every stronger setting is further away."""
        return all(low < high for low, high in zip(self.distances, self.distances[1:], strict=False))


def damage_rows(name: str, pictures: Tensor, network: SmallFeatures) -> list[Row]:
    """The same pictures on both sides, uint8 `[N, 3, S, S]`, whole and damaged (as rFID would have it)."""
    generator = torch.Generator().manual_seed(0)
    kinds: list[tuple[str, tuple[float, ...], Callable[[Tensor, Tensor], Tensor]]] = [
        ("blur, px", BLURS_PX, blurred),
        ("noise, of 255", NOISES, lambda levels, amount: noised(levels, amount, generator)),
        ("JPEG quality", QUALITIES, compressed),
        ("pixelation, px (untaught)", BLOCKS_PX, pixelated),
        ("share of colour lost (untaught)", FADES, faded),
    ]
    rows = []
    for kind, settings, damage in kinds:
        distances = []
        for setting in settings:
            damaged = as_bytes(damage(pictures.float(), torch.full((len(pictures),), setting)))
            distances.append(reconstruction_distance([(pictures, damaged)], network).value)
        rows.append(Row(f"{name}: {kind}", settings, tuple(distances)))
    return rows


def mixing_row(name: str, pictures: Tensor, labels: Tensor, network: SmallFeatures) -> Row:
    """A growing share of the other half of the classes among pictures of the first half, against further pictures of
    the first half; the first figure is what two samples of one distribution give."""
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))
    is_ours = labels[order] <= labels.max() // 2
    ours, others = pictures[order[is_ours]], pictures[order[~is_ours]]
    reference, ours = ours[: len(ours) // 2], ours[len(ours) // 2 :]
    num = min(len(ours), len(others))
    distances = []
    for share in SHARES:
        num_others = round(share * num)
        mixed = torch.cat([ours[: num - num_others], others[:num_others]])
        distances.append(generation_distance([mixed], [reference], network).value)
    return Row(f"{name}: share of other classes", SHARES, tuple(distances))


def as_markdown(rows: list[Row]) -> str:
    """One line per change: setting and distance side by side."""
    lines = ["| change | weak to strong: distance at each setting | rises at every step |", "|---|---|---|"]
    for row in rows:
        pairs = zip(row.settings, row.distances, strict=True)
        told = ", ".join(f"{setting:g}: **{distance:.4g}**" for setting, distance in pairs)
        lines.append(f"| {row.change} | {told} | {'yes' if row.is_rising else 'no'} |")
    return "\n".join(lines)
