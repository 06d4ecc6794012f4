"""What the loop needs of a stage of training."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from trainer.noise import Piece
from ul_engine.data.pixels import Uint8Array
from ul_engine.ema import EMA

Averages = Mapping[str, Tensor]
"""Averaged weights in full by the names of the trained module's parameters."""
LossCall = Callable[..., dict[str, Tensor]]
"""The loss module as it is spread over the ranks."""


class BatchFeed(Protocol):
    """Batches on time: this rank's share of the batch of each data step."""

    wait_s: float

    def start(self, steps: Iterable[int]) -> None:
        """Begin to prepare the batches of these data steps; may be called again."""

    def next(self) -> Any:
        """The share of the next data step; `wait_s` is then how long that took."""

    def close(self) -> None:
        """End whatever prepares batches."""


@dataclass(frozen=True)
class Preview:
    """Pictures to look at: rows of cells, uint8 `[N, H, W, 3]` each, with a name per row."""

    kind: str
    rows: tuple[Uint8Array, ...]
    row_names: tuple[str, ...]


class Trainable(Protocol):
    """One stage of training."""

    @property
    def module(self) -> nn.Module:
        """The networks whose parameters are trained, with any buffers that belong to the state."""

    @property
    def loss_module(self) -> nn.Module:
        """What computes the loss; holds `module`. It is this one that is spread over the ranks."""

    @property
    def feed(self) -> BatchFeed:
        """The batches."""

    def loss(self, call: LossCall, batch: Any, rows: slice, piece: Piece) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum of the losses over the samples `rows` of `batch`, divided by the number of values of a sample; and sums
        of figures over these samples, "samples" their number. `call` is the spread loss module."""

    def after_step(self, step: int, sums: Mapping[str, Tensor]) -> None:
        """Take in the sums of the whole step `step`, over this rank's samples; called on all ranks."""

    def figures(self, means: Mapping[str, float | list[float]]) -> dict[str, float | list[float]]:
        """Means per sample as the figures that are logged."""

    def validate(self, averages: Averages) -> dict[str, float]:
        """Figures on held-out data with the averaged weights."""

    def score(self, figures: Mapping[str, float]) -> float:
        """How good validation figures are; more is better."""

    def preview(self, averages: Averages) -> Preview:
        """Pictures with the averaged weights."""

    def export(self, averages: Averages, folder: Path, figures: Mapping[str, float]) -> None:
        """Write a model folder with the averaged weights."""


def full_averages(ema: EMA) -> dict[str, Tensor]:
    """The averages in full on every rank, gathered where they are shared out. Collective."""
    return {
        name: average.full_tensor() if isinstance(average, DTensor) else average
        for name, average in ema.named_averages()
    }


def load_averages(module: nn.Module, averages: Averages) -> None:
    """Overwrite the parameters of `module` by the averages."""
    for name, parameter in module.named_parameters():
        parameter.data.copy_(averages[name])
