"""Procedural Scenes as training samples, from pictures or clips that are rendered once."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config.data import MOVING, ScenesData
from trainer.data.collections import Progress
from trainer.data.places import cache_root
from trainer.data.samples import IntArray, Sample
from ul_engine.data.scenes.cache import CachePlan, ClipTiming, SceneCache, build_planned, is_rendered, open_cache
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
        frames = np.array(self.cache.pictures[index])
        return Sample(frames.reshape(-1, *frames.shape[-3:]), self.caption(index), self.label(index))


def default_cache_root() -> Path:
    """Folder for render caches: ``UL_STUDIO_CACHE`` where it is set, else the user's cache folder."""
    return cache_root() / "scenes"


def scene_options(config: ScenesData) -> SceneOptions:
    """What is in the scenes. Where there is always one object, a share of two says nothing; pictures are still."""
    options = SceneOptions()
    if config.num_objects_max > 1:
        options = replace(options, num_objects_max=config.num_objects_max, two_object_fraction=config.two_object_share)
    return replace(options, motions=config.motions) if config.num_frames > 1 else options


def clip_timing(config: ScenesData) -> ClipTiming | None:
    """The frames of the clips; None: pictures."""
    return ClipTiming(config.num_frames, config.fps) if config.num_frames > 1 else None


def open_scene_caches(config: ScenesData, *, progress: Progress | None = None) -> tuple[SceneCache, SceneCache]:
    """Training and held-out scenes, rendered first where the cache does not have them. Raises DataError,
    OutputError."""
    processes = num_render_processes()
    train, valid = (
        build_planned(folder, plan, num_processes=processes, progress=progress) for folder, plan in _parts(config)
    )
    return train, valid


def num_render_processes() -> int:
    """All cores but one, so that the machine can still be used."""
    return max(1, (os.cpu_count() or 1) - 1)


def unrendered(config: ScenesData) -> list[CachePlan]:
    """Those of the training and the held-out scenes that opening them would render, also where a part is there. Raises
    DataError for a cache that cannot be read."""
    return [plan for folder, plan in _parts(config) if not is_rendered(folder, plan)]


def _parts(config: ScenesData) -> list[tuple[Path, CachePlan]]:
    """Folder and plan of the training scenes and of the held-out ones."""
    root = Path(config.cache) if config.cache is not None else default_cache_root()
    return [
        (
            root / f"{_stem(config)}-seed{seed}-{count}",
            CachePlan(seed, 0, count, config.size_px, scene_options(config), clip_timing(config)),
        )
        for seed, count in ((config.train_seed, config.num_train), (config.valid_seed, config.num_valid))
    ]


def _stem(config: ScenesData) -> str:
    """Of the folder's name: scenes that differ lie in folders of their own."""
    name = f"scenes-{config.size_px}px"
    if config.num_objects_max > 1:
        name += f"-pairs{config.two_object_share:g}"
    if config.num_frames > 1:
        name += f"-{config.num_frames}x{config.fps:g}fps"
        if config.motions != MOVING:
            name += "".join(f"-{motion.replace(' ', '')}" for motion in config.motions)
    return name


def open_scenes(config: ScenesData, *, progress: Progress | None = None) -> tuple[SceneSamples, SceneSamples]:
    """Training and held-out scenes; see `open_scene_caches`."""
    train, valid = open_scene_caches(config, progress=progress)
    return SceneSamples(train), SceneSamples(valid)
