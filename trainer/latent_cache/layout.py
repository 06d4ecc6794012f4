"""What a cache of latents holds and where each sample lies in it; everything that its name depends on."""

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from trainer.data.samples import SampleSource
from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.pipelines import Pipeline
from ul_engine.requests import FrozenModel

Storage = Literal["float16", "uint8"]
Shape = tuple[int, int, int, int]

FORMAT_VERSION = 1
CHUNK_PIXELS = 2**24
"""Pixels of a chunk, the unit that an interrupted build loses at most: 64 pictures at 512 px, a second of a GPU."""
MAX_CHUNK_SAMPLES = 512
ITEM_BYTES: dict[Storage, int] = {"float16": 2, "uint8": 1}


@dataclass(frozen=True)
class CacheSettings:
    """What a run asks of its cache beside model and data.

    `encoder_hash` is the SHA-256 of the encoder's weights (`Manifest.networks["encoder"].sha256`); `is_mirrored` stores
    every sample a second time, mirrored left to right.
    """

    encoder_hash: str
    storage: Storage = "float16"
    is_mirrored: bool = False


class CacheLayout(FrozenModel):
    """One cache: what was encoded, by what, and how it lies on the disk.

    Row `copies * index` is sample `index`; the row after it, where there are two copies, is the sample mirrored. Chunks
    are runs of `chunk_samples` samples; with uint8 each has a range of its own for every channel.
    """

    format: Literal["unified-latents-cache"] = "unified-latents-cache"
    format_version: int = FORMAT_VERSION
    encoder_hash: str
    fingerprint: str = Field(description="Of the data.")
    storage: Storage
    precision: Literal["bf16", "fp32"] = Field(description="Arithmetic of the encoder.")
    is_mirrored: bool
    num_samples: int = Field(ge=1)
    sample_size: tuple[int, int, int] = Field(description="Frames, height, width of a sample, in pixels.")
    chunk_samples: int = Field(ge=1)
    shape: Shape = Field(description="Channels, frames, height, width of a row.")
    context_frames: int = Field(0, ge=0, description="Frames that a clip may be continued from; 0: none.")
    context_shape: Shape | None = Field(None, description="The same of these frames, encoded alone; None: none.")

    @property
    def key(self) -> str:
        """Name that no other content shares."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @property
    def copies(self) -> int:
        """Rows of a sample: 2 with the mirrored one, else 1."""
        return 2 if self.is_mirrored else 1

    @property
    def num_rows(self) -> int:
        """Rows of the cache."""
        return self.num_samples * self.copies

    @property
    def num_chunks(self) -> int:
        """Chunks, the last of which may be shorter."""
        return -(-self.num_samples // self.chunk_samples)

    @property
    def chunk_rows(self) -> int:
        """Rows of every chunk but the last."""
        return self.chunk_samples * self.copies

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of the stored values."""
        return np.dtype(self.storage)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Of a row of latents and, where there are any, of context latents."""
        return (self.shape,) if self.context_shape is None else (self.shape, self.context_shape)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row, latents and context together."""
        return sum(math.prod(shape) for shape in self.shapes) * self.dtype.itemsize

    def samples_of(self, chunk: int) -> range:
        """Samples of a chunk."""
        start = chunk * self.chunk_samples
        return range(start, min(start + self.chunk_samples, self.num_samples))

    def rows_of(self, chunk: int) -> slice:
        """Rows of a chunk."""
        samples = self.samples_of(chunk)
        return slice(samples.start * self.copies, samples.stop * self.copies)

    def row(self, index: int, is_mirrored: bool) -> int:
        """Row of sample `index`, mirrored or not; a cache without mirrored samples has one row for both."""
        return index * self.copies + (1 if is_mirrored and self.is_mirrored else 0)

    def rows(self, indices: npt.NDArray[np.int64], are_mirrored: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Rows [B] of samples [B], each mirrored or not."""
        mirrored = are_mirrored.astype(np.int64) if self.is_mirrored else np.zeros_like(indices)
        return indices * self.copies + mirrored


def layout_of(pipeline: Pipeline, source: SampleSource, settings: CacheSettings) -> CacheLayout:
    """The cache of `source` under the encoder of `pipeline`, in its arithmetic; the first sample gives the size of all.

    Raises ConfigError for data of several shapes, DataError where the sample cannot be read.
    """
    if source.buckets is not None:
        raise ConfigError(
            "a cache holds latents of one shape; set it to encoder, or data.fit to crop", field="latents.source"
        )
    num_frames, height, width = size = source.sample(0, None).frames.shape[:3]
    model = pipeline.config
    context = model.context_frames
    return CacheLayout(
        encoder_hash=settings.encoder_hash,
        fingerprint=source.fingerprint,
        storage=settings.storage,
        precision="bf16" if pipeline.dtype is torch.bfloat16 else "fp32",
        is_mirrored=settings.is_mirrored,
        num_samples=len(source),
        sample_size=size,
        chunk_samples=max(1, min(MAX_CHUNK_SAMPLES, CHUNK_PIXELS // math.prod(size))),
        shape=model.latent_shape(height, width, num_frames),
        context_frames=context,
        context_shape=model.latent_shape(height, width, context) if context else None,
    )


def latent_cache_bytes(model: ModelConfig, size_px: int, num_samples: int, storage: Storage, *, copies: int = 1) -> int:
    """Bytes of a cache on the disk, for square samples of `size_px` with the model's number of frames."""
    lengths = (model.num_frames, model.context_frames) if model.context_frames else (model.num_frames,)
    values = sum(math.prod(model.latent_shape(size_px, size_px, length)) for length in lengths)
    return values * ITEM_BYTES[storage] * num_samples * copies
