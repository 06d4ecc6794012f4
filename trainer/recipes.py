"""Recipes: those of the bundled models (YAML beside this module), and one for every model preset. No torch."""

from itertools import takewhile
from pathlib import Path
from typing import Any

from trainer.config.loading import parse_config, read_recipe
from trainer.run_dir import RunDir, read_json
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest
from ul_engine.presets import MODEL_PRESETS, ModelPreset, model_preset

RECIPES = Path(__file__).with_name("recipes")
LARGE_MEMORY_GB = 80
"""Presets for devices of this size are the paper's."""
DEFAULT_PRESET = "tiny"
PARTS = ("stage1", "decoder", "stage2")
"""What a recipe may consist of, in the order of training. decoder: the decoder alone, on the latent of Stage 1."""
CARRIED_TO_STAGE2 = ("precision", "num_threads", "seed", "loading")
"""Settings of a Stage 1 run that Stage 2 takes over, beside its model and data."""


def recipe_names() -> list[str]:
    """Models that can be trained by name."""
    return sorted(folder.name for folder in RECIPES.iterdir() if (folder / "stage1.yaml").is_file())


def recipe_sentence(name: str) -> str:
    """What a recipe is for: the first sentence of its file."""
    lines = recipe_file(name, PARTS[0]).read_text(encoding="utf-8").splitlines()
    words = " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))
    return words.split(". ")[0].rstrip(".") + "."


def recipe_parts(name: str) -> tuple[str, ...]:
    """The parts that the recipe of a bundled model has."""
    return tuple(part for part in PARTS if recipe_file(name, "stage1").with_name(f"{part}.yaml").is_file())


def recipe_file(name: str, part: str) -> Path:
    """The YAML file of one part of a recipe; raises ConfigError that lists the names there are."""
    path = RECIPES / name / f"{part}.yaml"
    if not path.is_file():
        raise ConfigError(f"there is no recipe {name!r} for {part}; known: {', '.join(recipe_names())}")
    return path


def recipe(name: str, part: str) -> dict[str, Any]:
    """Settings of one part, as plain data: of a bundled model by its name, or of a preset (which has no `decoder`) by
    the preset's.

    Raises ConfigError that lists the names there are.
    """
    if name in recipe_names():
        return read_recipe(recipe_file(name, part))
    if name in MODEL_PRESETS and part != "decoder":
        return preset_recipe(name, part)
    known = ", ".join([*recipe_names(), *MODEL_PRESETS])
    raise ConfigError(f"there is no recipe {name!r}; known: {known}", field="recipe")


def preset_recipe(name: str, stage: str) -> dict[str, Any]:
    """How a preset is trained. All numbers are ours: the paper names none of them (learning rate, batch, length)."""
    preset = model_preset(name)
    sizes = _paper_sizes(preset) if preset.memory_gb == LARGE_MEMORY_GB else _small_sizes(preset)
    steps = sizes.pop("num_steps")
    return {
        "stage": stage,
        "preset": name,
        "condition_on": "auto" if stage == "stage2" else "none",
        "num_steps": steps if stage == "stage1" else 2 * steps,
        **sizes,
    }


def _paper_sizes(preset: ModelPreset) -> dict[str, Any]:
    """For data sets of a million samples and machines of several large GPUs."""
    return {
        "num_steps": 200_000,
        "batch_size": 256,
        "ema_decay": 0.9999,
        "optimizer": {"learning_rate": 1e-4, "warmup_steps": 5_000, "decay_share": 0.1},
        "collapse": {"prior_gradient_ramp": 0.05},
        "cadence": _cadence(100, 10_000, 2_000),
        "validation": {"num_images": 64, "decoder_steps": 16},
        "scale": {"micro_batch": preset.batch_size},
    }


def _small_sizes(preset: ModelPreset) -> dict[str, Any]:
    """For some thousand pictures and one desktop machine: hours to a night."""
    is_toy = preset.memory_gb is None
    batch = 64 if preset.batch_size <= 64 else preset.batch_size
    return {
        "num_steps": 4_000 if is_toy else 30_000,
        "batch_size": batch,
        "ema_decay": 0.999 if is_toy else 0.9995,
        "optimizer": {"learning_rate": 1e-3 if is_toy else 3e-4, "warmup_steps": 200 if is_toy else 1_000},
        "collapse": {"prior_gradient_ramp": 0.5 if is_toy else 0.3},
        "cadence": _cadence(20, 500, 200) if is_toy else _cadence(50, 2_000, 500),
        "scale": {"micro_batch": min(batch, preset.batch_size), "auto_micro_batch": True},
    }


def _cadence(log: int, look: int, checkpoint: int) -> dict[str, int]:
    return {"log_every": log, "validate_every": look, "preview_every": look, "checkpoint_every": checkpoint}


def after_stage1(folder: Path) -> dict[str, Any]:
    """Stage 2 for what a Stage 1 run (or model) folder holds: its model, a run's data, the recipe of its preset.

    Raises CheckpointError for a folder that holds neither, ConfigError.
    """
    run = RunDir(folder)
    is_run = run.checkpoints.is_dir() and run.config.is_file()
    former = parse_config(read_json(run.config)) if is_run else None
    if former is None:
        manifest = read_manifest(folder)
        model, preset = manifest.model, DEFAULT_PRESET
    else:
        model, preset = former.model, former.preset or DEFAULT_PRESET
    data = recipe(preset, "stage2")
    data |= {"preset": None, "model": model.model_dump(mode="json"), "condition_on": "auto"}
    if former is not None:
        carried = former.model_dump(mode="json")
        data |= {name: carried[name] for name in CARRIED_TO_STAGE2} | {"data": carried["data"]}
        if carried["data"].get("fit") == "buckets":
            data["latents"] = {"source": "encoder"}  # a cache holds one shape
    return data
