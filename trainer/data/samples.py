"""What a training sample is, and what every source of them offers."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ul_engine.data.pixels import Uint8Array

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """One sample as the model will see it: `frames` uint8 `[T, H, W, 3]` (a picture has one frame), what is said of it
    ("" where nothing is) and its class (0 where there are none)."""

    frames: Uint8Array
    caption: str = ""
    label: int = 0


@dataclass(frozen=True)
class Batch:
    """Samples of one step, or a rank's share of them, on the CPU: `frames` uint8 `[B, T, H, W, 3]`, `labels` [B] int64.

    `indices` and `epochs` [B] say which samples they are.
    """

    frames: Tensor
    captions: list[str]
    labels: Tensor
    indices: IntArray
    epochs: IntArray

    def __len__(self) -> int:
        return len(self.frames)


class SampleSource(Protocol):
    """Samples by number. Safe to use from a loading process (it is pickled there), and a pure function of its settings:
    every random choice of an augmentation follows from (seed, epoch, index)."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever a pixel or a word of an unaugmented sample might."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names by label; empty where there are no classes."""

    @property
    def has_captions(self) -> bool:
        """Whether anything is said of the samples."""

    @property
    def buckets(self) -> IntArray | None:
        """Number of the shape of each sample [N], so that batches can be of one shape; None: all have the same."""

    @property
    def is_light(self) -> bool:
        """Whether samples come straight from memory, so that loading processes would only cost."""

    def __len__(self) -> int:
        """Number of samples."""

    def caption(self, index: int) -> str:
        """What is said of sample `index`, without reading its pixels; "" where nothing is."""

    def label(self, index: int) -> int:
        """Its class, without reading its pixels; 0 where there are none."""

    def sample(self, index: int, epoch: int | None) -> Sample:
        """Sample `index` with the augmentation of pass `epoch`; None: without any. Raises DataError with the file."""
