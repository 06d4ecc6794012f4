"""Batches on time: samples are read and decoded ahead, in processes of their own where that pays.

What is in a batch depends on neither the number of processes nor that of ranks.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from trainer.config.data import LoadingConfig
from trainer.data.order import BatchOrder
from trainer.data.samples import Batch, Sample, SampleSource
from trainer.data.workers import begin_worker, num_workers, worker_context
from ul_engine.errors import DataError, EngineError

Pair = tuple[int, int]
"""Number of a sample, and of the pass over the data."""

Parts = tuple[torch.Tensor, list[str], torch.Tensor, torch.Tensor, torch.Tensor]
"""What a batch is made of, in containers that torch moves through shared memory and into pinned memory."""


class BatchLoader:
    """Batches of one rank for a series of steps. Close it, best by ``with``."""

    def __init__(
        self,
        source: SampleSource,
        order: BatchOrder,
        loading: LoadingConfig,
        *,
        share: tuple[int, int] = (0, 1),
        pin_memory: bool = False,
    ) -> None:
        """`share` is (rank, number of ranks): every rank loads its own contiguous piece of each batch."""
        self.num_workers = num_workers(loading, is_light=source.is_light, num_ranks=share[1])
        self.wait_s = 0.0
        """How long the last call of `next` waited for its batch."""
        self._plan = _Plan(order, share)
        self._iterator: Iterator[Parts | EngineError] | None = None
        several = self.num_workers > 0
        self._loader: DataLoader[Parts] | None = DataLoader(
            _Batches(source),
            batch_sampler=self._plan,
            num_workers=self.num_workers,
            collate_fn=_as_it_is,
            pin_memory=pin_memory,
            worker_init_fn=begin_worker if several else None,
            multiprocessing_context=worker_context() if several else None,
            prefetch_factor=loading.prefetch if several else None,
            persistent_workers=several,
            generator=torch.Generator(),  # or every start would draw from the global one
        )

    def start(self, steps: Iterable[int]) -> None:
        """Load the batches of these steps from now on, in this order; whatever was loaded ahead is dropped."""
        if self._loader is None:
            raise RuntimeError("the loader is closed")
        self._plan.steps = iter(steps)
        self._iterator = iter(self._loader)

    def next(self) -> Batch:
        """The rank's share of the next step's batch. Raises DataError for a sample that cannot be loaded, StopIteration
        after the last step."""
        if self._iterator is None:
            raise RuntimeError("start the loader first")
        begin = time.perf_counter()
        parts = self._loaded(self._iterator)
        self.wait_s = time.perf_counter() - begin
        if isinstance(parts, EngineError):
            raise parts
        frames, captions, labels, indices, epochs = parts
        return Batch(frames, list(captions), labels, indices.numpy(), epochs.numpy())

    def close(self) -> None:
        """End the loading processes; there is no way back."""
        self._iterator = None
        self._loader = None

    def __enter__(self) -> "BatchLoader":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _loaded(self, iterator: Iterator[Parts | EngineError]) -> Parts | EngineError:
        try:
            return next(iterator)
        except (RuntimeError, OSError, EOFError) as error:
            is_torch = isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker")
            if not self.num_workers or (isinstance(error, RuntimeError) and not is_torch):
                raise  # OSError and EOFError come of tensors whose sender is gone
            raise DataError(
                f"a loading process died ({str(error).strip()}); where memory or shared memory is short, lower "
                "loading.num_workers or loading.prefetch, or set loading.num_workers to 0"
            ) from error


def make_batch(samples: Sequence[Sample], pairs: Sequence[Pair]) -> Batch:
    """Samples of one shape together; `pairs` says which they are."""
    frames, captions, labels, indices, epochs = _parts(samples, pairs)
    return Batch(frames, captions, labels, indices.numpy(), epochs.numpy())


def _parts(samples: Sequence[Sample], pairs: Sequence[Pair]) -> Parts:
    frames = np.stack([sample.frames for sample in samples])
    labels = torch.tensor([sample.label for sample in samples], dtype=torch.int64)
    numbers = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return (
        torch.from_numpy(frames),
        [sample.caption for sample in samples],
        labels,
        numbers[:, 0].clone(),
        numbers[:, 1].clone(),
    )


class _Plan(Sampler[list[Pair]]):
    """The samples of this rank's piece of each step."""

    def __init__(self, order: BatchOrder, share: tuple[int, int]) -> None:
        rank, num_ranks = share
        self._order = order
        self._piece = slice(order.batch_size * rank // num_ranks, order.batch_size * (rank + 1) // num_ranks)
        self.steps: Iterator[int] = iter(())

    def __iter__(self) -> Iterator[list[Pair]]:
        for step in self.steps:
            indices, epochs = self._order.batch(step)
            yield list(zip(indices[self._piece].tolist(), epochs[self._piece].tolist(), strict=True))


class _Batches(Dataset[Parts]):
    """Whole batches by the samples in them. A failure is handed over like a batch; raised, it would come out of torch
    as another exception."""

    def __init__(self, source: SampleSource) -> None:
        self._source = source

    def __getitems__(self, pairs: list[Pair]) -> Parts | EngineError:
        try:
            return _parts([self._source.sample(index, epoch) for index, epoch in pairs], pairs)
        except EngineError as error:
            return error


def _as_it_is(batch: Any) -> Any:
    return batch
