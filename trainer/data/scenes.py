"""Procedural Scenes as training samples, from pictures that are rendered once."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config.data import ScenesData
from trainer.data.collections import Progress
from trainer.data.places import cache_root
from trainer.data.samples import IntArray, Sample
from ul_engine.data.scenes.cache import SceneCache, build_cache, open_cache
from ul_engine.data.scenes.labels import CLASS_NAMES
from ul_engine.data.scenes.spec import SceneOptions


class SceneSamples:
    """Scenes of a render cache, straight from its memory map; passes show them all alike."""

    is_light = True
    buckets = None
    class_names: tuple[str, ...] = CLASS_NAMES
    has_captions = True

    def __init__(self, cache: SceneCache) -> None:
        self.cache = cache
        self.fingerprint = cache.plan.fingerprint()
        self._classes: IntArray = cache.label("class").astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.cache.path, "plan": self.cache.plan}  # a pickled map would carry all pixels

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(open_cache(state["path"], expected=state["plan"]))  # type: ignore[misc]

    def __len__(self) -> int:
        return len(self.cache.pictures)

    def caption(self, index: int) -> str:
        """What is said of scene `index`; parts of what could be said are left out."""
        return self.cache.training_captions[index]

    def label(self, index: int) -> int:
        """Shape and colour of the first object of scene `index` as one class."""
        return int(self._classes[index])

    def sample(self, index: int, epoch: int | None) -> Sample:
        """Scene `index`, the same in every pass."""
        frames = np.array(self.cache.pictures[index : index + 1])
        return Sample(frames, self.caption(index), self.label(index))


def default_cache_root() -> Path:
    """Folder for render caches: ``UL_STUDIO_CACHE`` where it is set, else the user's cache folder."""
    return cache_root() / "scenes"


def open_scene_caches(config: ScenesData, *, progress: Progress | None = None) -> tuple[SceneCache, SceneCache]:
    """Training and held-out scenes, rendered first where the cache does not have them. Raises DataError,
    OutputError."""
    root = Path(config.cache) if config.cache is not None else default_cache_root()
    processes = max(1, (os.cpu_count() or 1) - 1)

    options = SceneOptions()
    if config.num_objects_max > 1:  # of one object, the share says nothing
        options = SceneOptions(num_objects_max=config.num_objects_max, two_object_fraction=config.two_object_share)
    pairs = f"-pairs{config.two_object_share:g}" if config.num_objects_max > 1 else ""

    def part(seed: int, count: int) -> SceneCache:
        folder = root / f"scenes-{config.size_px}px{pairs}-seed{seed}-{count}"
        return build_cache(
            folder,
            seed=seed,
            count=count,
            size_px=config.size_px,
            options=options,
            num_processes=processes,
            progress=progress,
        )

    return part(config.train_seed, config.num_train), part(config.valid_seed, config.num_valid)


def open_scenes(config: ScenesData, *, progress: Progress | None = None) -> tuple[SceneSamples, SceneSamples]:
    """Training and held-out scenes; see `open_scene_caches`."""
    train, valid = open_scene_caches(config, progress=progress)
    return SceneSamples(train), SceneSamples(valid)
