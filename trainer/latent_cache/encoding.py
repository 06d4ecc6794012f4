"""From samples to latents: chunk after chunk, loaded ahead by other processes where that pays."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trainer.data.samples import SampleSource
from trainer.latent_cache.layout import CacheLayout
from ul_engine.data.pixels import Uint8Array, to_signed
from ul_engine.diffusion.noise import stream_seed
from ul_engine.errors import DataError, EngineError
from ul_engine.pipelines import Pipeline

ENCODE_PIXELS = 2**20
"""Pixels that go through the encoder at once: 256 pictures at 64 px, 4 at 512 px, 4 clips of 16 frames at 128 px."""
PREFETCH = 4


@dataclass(frozen=True)
class EncodedChunk:
    """A whole chunk on the CPU, float32: `arrays` are z_clean `[rows, C, T, h, w]` and, for models that continue
    frames, that of the frames before."""

    number: int
    arrays: tuple[Tensor, ...]


class _Frames(Dataset[Tensor | EngineError]):
    """Frames of the samples by batch, uint8 `[B, T, H, W, 3]`; a failure comes as a value, since loading processes
    would turn it into another exception."""

    def __init__(self, source: SampleSource, batches: Sequence[range], size: tuple[int, int, int]) -> None:
        self._source, self._batches, self._size = source, batches, size

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> Tensor | EngineError:
        try:
            frames = [self._frames(index) for index in self._batches[number]]
        except EngineError as error:
            return error
        return torch.from_numpy(np.stack(frames))

    def _frames(self, index: int) -> Uint8Array:
        frames = self._source.sample(index, None).frames
        if frames.shape[:3] != self._size:
            found, expected = ("x".join(map(str, size)) for size in (frames.shape[:3], self._size))
            raise DataError(f"sample {index} has the size {found}, the first one {expected} (frames, height, width)")
        return frames


def encoded_chunks(
    pipeline: Pipeline, source: SampleSource, layout: CacheLayout, chunks: Sequence[int], *, num_workers: int
) -> Iterator[EncodedChunk | int]:
    """The chunks asked for, in order; before each the numbers of samples done, batch by batch, as integers.

    Raises DataError for a sample that cannot be read, whatever process met it.
    """
    batches = [(chunk, batch) for chunk in chunks for batch in _batches(layout, chunk)]
    workers = 0 if source.is_light else num_workers
    loader = _loader(_Frames(source, [batch for _, batch in batches], layout.sample_size), workers)
    parts: list[tuple[Tensor, ...]] = []
    for (chunk, batch), frames in zip(batches, loader, strict=True):
        if isinstance(frames, EngineError):
            raise frames
        parts.append(_encoded_copies(pipeline, frames, batch, layout))
        yield len(batch)
        if batch.stop == layout.samples_of(chunk).stop:
            yield EncodedChunk(chunk, tuple(torch.cat(arrays) for arrays in zip(*parts, strict=True)))
            parts = []


def _batches(layout: CacheLayout, chunk: int) -> list[range]:
    samples, size = layout.samples_of(chunk), max(1, ENCODE_PIXELS // math.prod(layout.sample_size))
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def _loader(frames: _Frames, num_workers: int) -> DataLoader[Tensor | EngineError]:
    return DataLoader(
        frames,
        batch_size=None,
        num_workers=num_workers,
        prefetch_factor=PREFETCH if num_workers else None,
        multiprocessing_context="spawn" if num_workers else None,
    )


def _encoded_copies(pipeline: Pipeline, frames: Tensor, samples: range, layout: CacheLayout) -> tuple[Tensor, ...]:
    """Latents of a batch `[B, T, H, W, 3]`, its mirrored copies between: float32 on the CPU."""
    seeds = list(samples)
    copies = [_encoded(pipeline, frames, seeds, layout.context_frames)]
    if layout.is_mirrored:
        mirrored_seeds = [stream_seed(seed, "mirrored") for seed in seeds]
        copies.append(_encoded(pipeline, frames.flip(3), mirrored_seeds, layout.context_frames))
    return tuple(torch.stack(arrays, dim=1).flatten(0, 1) for arrays in zip(*copies, strict=True))


def _encoded(pipeline: Pipeline, frames: Tensor, seeds: list[int], context_frames: int) -> tuple[Tensor, ...]:
    """z_clean of `[B, T, H, W, 3]` and of the frames it may be continued from, alone; in halves where the device's
    memory does not take the whole."""
    try:
        x = to_signed(frames.to(pipeline.device).permute(0, 4, 1, 2, 3))
        latents = [pipeline.encode_sampled(x, seeds)[0]]
        if context_frames:
            latents.append(pipeline.encode(x[:, :, :context_frames]))
        return tuple(z.to("cpu", torch.float32) for z in latents)
    except torch.OutOfMemoryError:
        if len(seeds) == 1:
            raise
    middle = len(seeds) // 2  # outside the handler, whose traceback holds what did not fit
    first = _encoded(pipeline, frames[:middle], seeds[:middle], context_frames)
    second = _encoded(pipeline, frames[middle:], seeds[middle:], context_frames)
    return tuple(torch.cat(halves) for halves in zip(first, second, strict=True))
