"""Settings of a new run from what was chosen so far: goal, data, model, starting point. No Qt."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from app.models.new_run.starts import StartPoint
from trainer.config import RunConfig, ScenesData, Stage, ValidationConfig, resolved_config
from trainer.config.data import NUM_CLIPS
from trainer.data.check.report import DataReport
from trainer.recipes import DEFAULT_PRESET, recipe
from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.presets import MODEL_PRESETS, model_preset

SCENES_RECIPES = {"tiny": "scenes-tiny", "scenes": "scenes", "scenes-motion": "scenes-motion"}
"""Presets whose bundled recipe says how many scenes to draw."""
NAME_CHARACTERS = 80
DEFAULT_MEASURED = ValidationConfig().num_images
SCENES = {"kind": "scenes"}


class Goal(StrEnum):
    """What a person wants to train."""

    FRESH = "fresh"
    """Encoder, prior and decoder of a new model (Stage 1)."""
    STAGE2 = "stage2"
    """The base model on top of a finished Stage 1."""
    TUNE = "tune"
    """Stage 1 of an existing model, on other data."""

    @property
    def stage(self) -> Stage:
        """Which networks that trains."""
        return Stage.STAGE2 if self is Goal.STAGE2 else Stage.STAGE1


def base_settings(goal: Goal, report: DataReport | None, preset: str, start: StartPoint | None) -> RunConfig:
    """Settings to begin from; raises ConfigError in words for people where something is still missing."""
    if goal is Goal.FRESH:
        return resolved_config(_suited(_fresh(report, preset), report))
    if start is None:
        raise ConfigError("choose what to start from", field="init_from")
    data = _tuned(report, start) if goal is Goal.TUNE else _stage2(report, start)
    return resolved_config(_suited(data, report))


def _fresh(report: DataReport | None, preset: str) -> dict[str, Any]:
    if report is None:
        raise ConfigError("choose the data first", field="data")
    is_scenes = report.data.kind == "scenes"
    data = recipe(SCENES_RECIPES.get(preset, preset) if is_scenes else preset, Stage.STAGE1.value)
    data["stage"] = Stage.STAGE1.value
    model = model_preset(preset).config
    suggested = report.suggestion.preset if report.suggestion is not None else ""
    size_px = report.data.size_px if preset == suggested and not is_scenes else model.image_px
    if not (is_scenes and "data" in data):
        data["data"] = data_section(report, model, size_px)
    if "path" in data["data"]:
        data["model"] = {**(data.get("model") or {}), "name": _name(data["data"]["path"])}
    return data


def _tuned(report: DataReport | None, start: StartPoint) -> dict[str, Any]:
    if report is None:
        raise ConfigError("choose the data first", field="data")
    data = recipe(_preset_like(start), Stage.STAGE1.value)
    data |= {"stage": Stage.STAGE1.value, "preset": None, "model": start.model.model_dump(mode="json")}
    data["data"] = _data_from(report, start, start.model.image_px)
    data["init_from"] = start.path
    data["collapse"] = {**data.get("collapse", {}), "prior_gradient_ramp": 0.0}  # the latent is alive already
    return data


def _stage2(report: DataReport | None, start: StartPoint) -> dict[str, Any]:
    if start.stage2 is None:
        raise ConfigError("this model has no encoder and decoder to train on", field="init_from")
    data = dict(start.stage2)
    data |= {"stage": Stage.STAGE2.value, "init_from": start.path}
    if report is not None:
        size_px = start.run.data.size_px if start.run is not None else start.model.image_px
        data["data"] = _data_from(report, start, size_px)
        if data["data"].get("fit") == "buckets":
            data["latents"] = {**data.get("latents", {}), "source": "encoder"}  # a cache holds one shape
    elif "data" not in data:
        raise ConfigError("choose the data first", field="data")
    return data


def _suited(data: dict[str, Any], report: DataReport | None) -> dict[str, Any]:
    """The settings for as little as there is: no batch larger than the data, nothing measured on more than is held
    out."""
    if report is None or report.data.kind == "scenes":
        return data
    most, batch = max(2, report.num_train), data.get("batch_size", 2)
    if batch > most:
        data = {**data, "batch_size": 1 << (most.bit_length() - 1)}
    scale, validation = dict(data.get("scale") or {}), dict(data.get("validation") or {})
    if (scale.get("micro_batch") or 0) > data["batch_size"]:
        scale["micro_batch"] = data["batch_size"]
    held_out = max(2, data["data"].get("num_valid", report.data.num_valid))
    validation["num_images"] = min(validation.get("num_images", DEFAULT_MEASURED), held_out)
    return {**data, "scale": scale, "validation": validation}


def data_section(report: DataReport, model: ModelConfig, size_px: int) -> dict[str, Any]:
    """The checked data, for pictures of another side and for the model's number of frames."""
    section: dict[str, Any] = report.data.model_dump(mode="json")
    if section["kind"] == "scenes":
        if model.video is None:
            return {**SCENES, "size_px": size_px}
        frames = {"num_frames": model.num_frames, "fps": model.video.fps, "num_train": NUM_CLIPS}
        return {**SCENES, "size_px": size_px, **frames}
    if section.get("fit") == "buckets" and size_px != section["size_px"]:
        step = max(8, 1 << (max(1, size_px // 8).bit_length() - 1))
        section["bucket_step_px"] = max(step, model.downsampling)
    section["size_px"] = size_px
    if section["kind"] == "clips":
        section["num_frames"] = model.num_frames
    return section


def _data_from(report: DataReport, start: StartPoint, size_px: int) -> dict[str, Any]:
    """The checked data as `data_section` has them; of Scenes those that the start was trained on, where it was."""
    known = start.run.data if start.run is not None else None
    if report.data.kind == "scenes" and isinstance(known, ScenesData):
        return known.model_dump(mode="json")
    return data_section(report, start.model, size_px)


def _preset_like(start: StartPoint) -> str:
    """The preset whose training suits a model: its own, one of the same shapes, else of its size."""
    if start.preset in MODEL_PRESETS:
        return str(start.preset)
    for preset in MODEL_PRESETS.values():
        if preset.config.model_copy(update={"name": start.model.name}) == start.model:
            return preset.name
    larger = {128: "desktop-128-4gb", 256: "desktop-256-4gb", 512: "imagenet-512"}
    return larger.get(start.model.image_px, DEFAULT_PRESET)


def _name(path: str) -> str:
    return Path(path).stem[:NAME_CHARACTERS] or "Model"
