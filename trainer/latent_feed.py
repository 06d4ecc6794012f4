"""Batches of latents for Stage 2: rows of a cache, or samples encoded when they are needed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from trainer.data.fitting import is_mirrored
from trainer.data.loader import BatchLoader
from trainer.data.order import BatchOrder
from trainer.data.samples import IntArray, SampleSource
from trainer.latent_cache import LatentRows
from trainer.trainable import BatchFeed
from ul_engine.data.pixels import clips_from_frames
from ul_engine.pipelines import Pipeline

FeedMaker = Callable[[Pipeline, str, BatchOrder], BatchFeed]
"""Makes the feed of Stage 2 from the frozen encoder, the hash of its weights, and the order of the data."""


@dataclass(frozen=True)
class LatentBatch:
    """A share of a step: `z_clean` float32 `[B, C, T, h, w]`, `context` likewise of the frames before (None: none),
    captions, `labels` [B] int64, and which samples they are."""

    z_clean: Tensor
    context: Tensor | None
    captions: list[str]
    labels: Tensor
    indices: IntArray
    epochs: IntArray

    def __len__(self) -> int:
        return len(self.z_clean)


class RowFeed:
    """Rows of a cache; where it holds mirrored samples, each is taken in every other pass."""

    def __init__(
        self, latents: LatentRows, source: SampleSource, order: BatchOrder, *, share: tuple[int, int], seed: int
    ) -> None:
        self.wait_s = 0.0
        self._latents, self._source, self._order, self._share, self._seed = latents, source, order, share, seed
        self._steps: Iterator[int] = iter(())

    def start(self, steps: Iterable[int]) -> None:
        """Go on with these data steps."""
        self._steps = iter(steps)

    def next(self) -> LatentBatch:
        """The share of the next data step."""
        started = perf_counter()
        indices, epochs = self._order.batch(next(self._steps))
        rank, num_ranks = self._share
        piece = slice(len(indices) * rank // num_ranks, len(indices) * (rank + 1) // num_ranks)
        indices, epochs = indices[piece], epochs[piece]
        rows = self._latents.layout.rows(indices, self._mirrored(indices, epochs))
        batch = LatentBatch(
            self._latents.batch(rows),
            self._latents.context(rows),
            [self._source.caption(index) for index in indices.tolist()],
            torch.tensor([self._source.label(index) for index in indices.tolist()], dtype=torch.int64),
            indices,
            epochs,
        )
        self.wait_s = perf_counter() - started
        return batch

    def _mirrored(self, indices: IntArray, epochs: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """[B], the same samples that the loader would mirror."""
        if not self._latents.layout.is_mirrored:
            return np.zeros(len(indices), dtype=np.bool_)
        return np.array(
            [is_mirrored(self._seed, int(epoch), int(index)) for index, epoch in zip(indices, epochs, strict=True)]
        )

    def close(self) -> None:
        """Nothing runs in the background."""


class EncodedFeed:
    """Samples from the loader, with their augmentation, through the frozen encoder."""

    def __init__(self, loader: BatchLoader, pipeline: Pipeline) -> None:
        self.wait_s = 0.0
        self._loader, self._pipeline = loader, pipeline

    def start(self, steps: Iterable[int]) -> None:
        """Go on with these data steps."""
        self._loader.start(steps)

    def next(self) -> LatentBatch:
        """The share of the next data step; only the loading counts as waiting."""
        batch = self._loader.next()
        self.wait_s = self._loader.wait_s
        x = clips_from_frames(batch.frames.to(self._pipeline.device, non_blocking=True))
        seeds = batch.indices.tolist()
        z_clean, _ = self._pipeline.encode_sampled(x, seeds)
        count = self._pipeline.config.context_frames
        context = self._pipeline.encode(x[:, :, :count]).clone() if count else None
        return LatentBatch(z_clean.clone(), context, batch.captions, batch.labels, batch.indices, batch.epochs)

    def close(self) -> None:
        """End the loading processes."""
        self._loader.close()


class NoFeed:
    """In the place of a feed, where a stage only measures and draws."""

    wait_s = 0.0

    def start(self, steps: Iterable[int]) -> None:
        """Nothing is prepared."""

    def next(self) -> LatentBatch:
        """There is no next batch."""
        raise ValueError("a stage without data takes no steps")

    def close(self) -> None:
        """Nothing runs."""
