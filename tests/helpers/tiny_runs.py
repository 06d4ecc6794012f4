"""Real training runs of a second or less: tiny networks on a handful of 16-pixel scenes."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.helpers.tiny import text_conditioning, tiny_config
from trainer.config import RunConfig, parse_config
from trainer.pictures import ScenesPictures, open_scenes
from trainer.run_dir import RunDir
from ul_engine.data.scenes.cache import build_cache
from ul_engine.data.scenes.grammar import ATTRIBUTE_WORDS

NUM_TRAIN, NUM_VALID, SIZE_PX = 24, 6, 16
SCENE_WORDS = tuple(dict.fromkeys(word for words in ATTRIBUTE_WORDS.values() for word in words))


def build_scenes(root: Path) -> Path:
    """Render both parts in this process, where `open_scenes` will look for them."""
    for seed, count in ((1, NUM_TRAIN), (2, NUM_VALID), (3, NUM_TRAIN)):
        build_cache(root / f"scenes-{SIZE_PX}px-seed{seed}-{count}", seed=seed, count=count, size_px=SIZE_PX)
    return root


def run_data(scenes: Path, stage: str = "stage1", **changes: Any) -> dict[str, Any]:
    """Settings of a run of 8 steps as plain data; `changes` by dotted name with `__` for the dot."""
    model = tiny_config(
        conditioning=text_conditioning(vocabulary=(*SCENE_WORDS, "a", "an", "on", "under", "floor", "sky"))
    )
    data: dict[str, Any] = {
        "stage": stage,
        "model": model.model_dump(mode="json"),
        "data": {"size_px": SIZE_PX, "num_train": NUM_TRAIN, "num_valid": NUM_VALID, "cache": str(scenes)},
        "num_steps": 8,
        "batch_size": 4,
        "precision": "fp32",
        "ema_decay": 0.9,
        "optimizer": {"warmup_steps": 2},
        "cadence": {"log_every": 1, "validate_every": 100, "preview_every": 100, "checkpoint_every": 100},
        "validation": {"num_images": 3, "decoder_steps": 1, "bitrate_times": 2},
    }
    data["model"]["decoder"]["dropout"] = data["model"]["base"]["dropout"] = 0.1  # so that the global noise matters
    for name, value in changes.items():
        *parents, leaf = name.split("__")
        section = data
        for parent in parents:
            section = section.setdefault(parent, {})
        section[leaf] = value
    return data


def run_config(scenes: Path, stage: str = "stage1", **changes: Any) -> RunConfig:
    return parse_config(run_data(scenes, stage, **changes))


def sources(config: RunConfig) -> tuple[ScenesPictures, ScenesPictures]:
    return open_scenes(config.data)


def flattened(value: Any, prefix: str = "") -> dict[str, Any]:
    """A nested state as one flat dictionary."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list | tuple):
        pairs = enumerate(value)
    else:
        return {prefix: value}
    return {name: leaf for key, part in pairs for name, leaf in flattened(part, f"{prefix}/{key}").items()}


def saved_state(folder: Path, step: int | None = None) -> dict[str, Any]:
    """The newest checkpoint of a run, or that of `step`, flat."""
    run = RunDir(folder)
    path = run.checkpoint_files()[-1] if step is None else run.checkpoint_file(step)
    return flattened(torch.load(path, weights_only=True))


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Names whose values are not the same to the last bit."""
    assert first.keys() == second.keys()
    return [
        name
        for name, value in first.items()
        if not (torch.equal(value, second[name]) if isinstance(value, Tensor) else value == second[name])
    ]
