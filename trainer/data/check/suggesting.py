"""Size, fit and preset that suit the data and the machine, and the command that starts a run with them. No torch."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config.data import ClipsData, DataConfig, PhotographsData, PicturesData, ScenesData, num_frames_of
from trainer.data.check.report import Suggestion
from ul_engine.presets import MODEL_PRESETS, model_preset

SIZES_PX = (32, 64, 128, 256, 512)
LARGE_ENOUGH = 0.9
"""Share of the files that must not be enlarged at a suggested size."""
MOST_CUT = 0.4
"""Mean share of a picture that a square may cut off: of 3:4 it is 0.25, of 16:9 it is 0.44."""
CPU_PX = 64
"""Largest size that is suggested without a graphics card: a step at 128 px takes four times as long."""

Size = tuple[int, int]
Files = PicturesData | ClipsData


def settled(data: Files, sizes: Sequence[Size], *, device_bytes: int | None) -> Files:
    """The settings, with size and fit chosen where they were not set: to suit files of `sizes` (width, height; at least
    one) and a graphics card of `device_bytes` (None: there is none)."""
    chosen: dict[str, Any] = {}
    if "size_px" not in data.model_fields_set:
        chosen["size_px"] = size_for(sizes, device_bytes, is_clips=isinstance(data, ClipsData))
    if isinstance(data, PicturesData) and "fit" not in data.model_fields_set:
        chosen["fit"] = fit_for(sizes)
        if chosen["fit"] == "buckets" and "bucket_step_px" not in data.model_fields_set:
            chosen["bucket_step_px"] = bucket_step(chosen.get("size_px", data.size_px))
    return data.model_copy(update=chosen)


def suggestion(data: DataConfig, *, device_bytes: int | None) -> Suggestion:
    """The preset for settled data, and the command."""
    preset = preset_for(data.size_px, device_bytes, is_clips=num_frames_of(data) > 1)
    return Suggestion(
        size_px=data.size_px,
        fit=data.fit if isinstance(data, PicturesData) else "crop",
        preset=preset,
        command=command_for(data, preset),
    )


def bucket_step(size_px: int) -> int:
    """Steps of an eighth of the size give shapes up to 2:1: the power of two below it, 8 at least."""
    return max(8, 1 << (max(1, size_px // 8).bit_length() - 1))


def size_for(sizes: Sequence[Size], device_bytes: int | None, *, is_clips: bool) -> int:
    """The largest size at which few files are enlarged and for which there is a model that the machine can train."""
    tenth_smallest = float(np.quantile([min(size) for size in sizes], 1 - LARGE_ENOUGH, method="lower"))
    fitting = [size_px for size_px in SIZES_PX if size_px <= tenth_smallest] or [SIZES_PX[0]]
    largest = max(_presets_by_size(device_bytes, is_clips=is_clips), default=CPU_PX)
    return min(fitting[-1], largest)


def fit_for(sizes: Sequence[Size]) -> str:
    """Crop, unless squares would cut off too much."""
    lost = [1 - min(size) / max(size) for size in sizes]
    return "crop" if float(np.mean(lost)) <= MOST_CUT else "buckets"


def preset_for(size_px: int, device_bytes: int | None, *, is_clips: bool) -> str:
    """Name of the largest preset for that size that the card holds; without a card, or with a small one, a toy."""
    by_size = _presets_by_size(device_bytes, is_clips=is_clips)
    fitting = [known_px for known_px in sorted(by_size) if known_px >= size_px] or sorted(by_size)[-1:]
    return by_size[fitting[0]] if fitting else ("motion-64" if is_clips else "tiny")


def _presets_by_size(device_bytes: int | None, *, is_clips: bool) -> dict[int, str]:
    """For each size of picture the most demanding preset, if any, that the card's memory is meant for.

    A card states a little less than the gigabytes it is sold by. Models of text belong to the program's own scenes.
    """
    found: dict[int, tuple[int, str]] = {}
    for preset in MODEL_PRESETS.values():
        needed_gb, model = preset.memory_gb, preset.config
        if needed_gb is None or (model.video is not None) != is_clips or model.conditioning.text is not None:
            continue
        if device_bytes is not None and device_bytes >= needed_gb * 0.97e9:
            found.setdefault(model.image_px, (0, ""))
            found[model.image_px] = max(found[model.image_px], (needed_gb, preset.name), key=lambda pair: pair[0])
    return {size_px: name for size_px, (_, name) in found.items()}


def command_for(data: DataConfig, preset: str) -> tuple[str, ...]:
    """The words of the command that starts Stage 1 on this data."""
    source = "scenes" if isinstance(data, ScenesData) else data.path
    command = ["ul-train", "stage1", "--data", source, "--preset", preset, "--size-px", str(data.size_px)]
    if isinstance(data, PhotographsData):
        command += ["--set", f"data.kind={data.kind}"]
    frames = _other_frames(data, preset)
    excluded = {"path", "size_px", "num_frames", *frames}
    for name, value in data.model_dump(mode="json", exclude_defaults=True, exclude=excluded).items():
        command += ["--set", f"data.{name}={value if isinstance(value, str) else json.dumps(value)}"]
    for name, value in frames.items():
        command += ["--set", f"data.{name}={value}", "--set", f"model.video.{name}={value}"]
    return (*command, "--out", f"runs/{_run_name(data)}-stage1")


def _other_frames(data: DataConfig, preset: str) -> dict[str, float]:
    """What of the clips' frames is not as the preset has it, and is to be for data and model alike."""
    video = model_preset(preset).config.video
    if video is None:
        return {}
    found: dict[str, float] = {"num_frames": num_frames_of(data)}
    if isinstance(data, ScenesData):
        found["fps"] = data.fps
    return {name: value for name, value in found.items() if value != getattr(video, name)}


def _run_name(data: DataConfig) -> str:
    """A plain name for the run's folder, after the data."""
    stem = "scenes" if isinstance(data, ScenesData) else Path(data.path).expanduser().resolve().stem
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "data"
