"""Latents of the whole training set, encoded once: float16 `z_clean` (never z_0: its noise is drawn anew each time)."""

import hashlib
import json
import math
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from trainer.pictures import PictureSource
from trainer.run_dir import require_free_space
from ul_engine.data.pixels import pictures_from_array
from ul_engine.errors import OutputError
from ul_engine.pipelines import Pipeline

ENCODE_BATCH = 256
Float16Array = npt.NDArray[np.float16]


def cached_latents(folder: Path, pipeline: Pipeline, pictures: PictureSource, *, encoder_hash: str) -> Float16Array:
    """Memory-mapped `[N, C, h, w]`, built if absent. The file's name holds a hash of encoder and data, so a latent of
    another encoder or another data set is never taken. Raises OutputError where the disk refuses."""
    key = hashlib.sha256(json.dumps([encoder_hash, pictures.fingerprint]).encode()).hexdigest()[:16]
    path = folder / f"latents-{key}.npy"
    if not path.exists():
        _build(path, pipeline, pictures)
    array: Float16Array = np.load(path, mmap_mode="r")
    return array


def _build(path: Path, pipeline: Pipeline, pictures: PictureSource) -> None:
    temporary = path.with_suffix(".tmp.npy")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target: np.memmap[tuple[int, ...], np.dtype[np.float16]] | None = None
        for start in range(0, len(pictures), ENCODE_BATCH):
            indices = np.arange(start, min(start + ENCODE_BATCH, len(pictures)))
            z_clean, _ = pipeline.encode_sampled(pictures_from_array(pictures.batch(indices)), indices.tolist())
            z = z_clean[:, :, 0].to("cpu", torch.float16).numpy()
            if target is None:
                shape = (len(pictures), *z.shape[1:])
                require_free_space(path.parent, z.itemsize * math.prod(shape))
                target = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
            target[start : start + len(z)] = z
        assert target is not None
        target.flush()
        del target
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(f"the latents cannot be written ({error.strerror})", path=path) from error
