"""Training pictures: memory-mapped arrays with their captions and labels."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_dir

from trainer.config import ScenesData
from ul_engine.data.pixels import Uint8Array
from ul_engine.data.scenes.cache import SceneCache, build_cache

Progress = Callable[[int, int], None]


class PictureSource(Protocol):
    """Pictures by index, with what is said of them."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever a pixel might."""

    def __len__(self) -> int:
        """Number of pictures."""

    def batch(self, indices: npt.NDArray[np.int64]) -> Uint8Array:
        """uint8 `[B, H, W, 3]`, copied into memory."""

    def captions(self, indices: npt.NDArray[np.int64]) -> list[str]:
        """Training captions; parts of what could be said may be left out."""

    def labels(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Class labels `[B]`."""


class ScenesPictures:
    """Scenes from a render cache."""

    def __init__(self, cache: SceneCache) -> None:
        self._cache = cache
        self._classes = cache.label("class").astype(np.int64)

    @property
    def fingerprint(self) -> str:
        """Hash over renderer version, seed, options and size."""
        return self._cache.plan.fingerprint()

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self._cache.pictures)

    def batch(self, indices: npt.NDArray[np.int64]) -> Uint8Array:
        """Copies of the chosen pictures."""
        return np.asarray(self._cache.pictures[indices])

    def captions(self, indices: npt.NDArray[np.int64]) -> list[str]:
        """Training captions of the chosen scenes."""
        return [self._cache.training_captions[index] for index in indices]

    def labels(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Shape and colour of the first object as one class."""
        return self._classes[indices]


def default_cache_root() -> Path:
    """Folder for render caches: ``UL_STUDIO_CACHE`` where it is set, else the user's cache folder."""
    return Path(os.environ.get("UL_STUDIO_CACHE") or user_cache_dir("ul-studio", appauthor=False)) / "scenes"


def open_scene_caches(config: ScenesData, *, progress: Progress | None = None) -> tuple[SceneCache, SceneCache]:
    """Training and held-out scenes, rendered first where the cache does not have them. Raises DataError,
    OutputError."""
    root = Path(config.cache) if config.cache is not None else default_cache_root()
    processes = max(1, (os.cpu_count() or 1) - 1)

    def part(seed: int, count: int) -> SceneCache:
        folder = root / f"scenes-{config.size_px}px-seed{seed}-{count}"
        return build_cache(
            folder, seed=seed, count=count, size_px=config.size_px, num_processes=processes, progress=progress
        )

    return part(config.train_seed, config.num_train), part(config.valid_seed, config.num_valid)


def open_scenes(config: ScenesData, *, progress: Progress | None = None) -> tuple[ScenesPictures, ScenesPictures]:
    """Training and held-out pictures; see `open_scene_caches`."""
    train, valid = open_scene_caches(config, progress=progress)
    return ScenesPictures(train), ScenesPictures(valid)
