"""``ul-engine describe``: what a model is and costs, from a preset, a model folder or a configuration file."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.model_folder import read_manifest
from ul_engine.presets import (
    ABLATIONS,
    BASE_SIZES,
    MODEL_PRESETS,
    apply_ablation,
    checked,
    unknown_name,
    with_base,
)
from ul_engine.requests import PRESETS, SamplingSettings

DEFAULT_BATCH_SIZE = 16
FILE_KINDS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Subject:
    """What is described, and where it comes from."""

    source: str
    sentence: str
    config: ModelConfig
    batch_size: int = DEFAULT_BATCH_SIZE
    memory_gb: int | None = None
    latent_std: float = 1.0
    sampling: Mapping[str, SamplingSettings] = field(default_factory=lambda: PRESETS)


def describe(arguments: argparse.Namespace) -> int:
    """Print the table, JSON, curves or the list of names. torch is only loaded where something is computed."""
    if arguments.list:
        print(_names())
        return 0
    if arguments.model is None:
        raise ConfigError("name a preset, a model folder or a configuration file; --list shows the presets")
    subject = _adjusted(_subject(arguments.model), arguments)
    if arguments.curves:
        print(_curves(subject))
        return 0
    from ul_engine.accounting import model_cost
    from ul_engine.cli.description import text

    cost = model_cost(subject.config, batch_size=subject.batch_size, sampling=subject.sampling)
    if arguments.json:
        origin = {"source": subject.source, "sentence": subject.sentence, "memory_gb": subject.memory_gb}
        print(json.dumps(origin | cost.model_dump(mode="json"), indent=1))
    else:
        print(text(cost, heading=f"{subject.config.name}: {subject.sentence}", memory_gb=subject.memory_gb))
    return 0


def _curves(subject: Subject) -> str:
    from ul_engine.objectives import weighting_curves

    return weighting_curves(subject.config, latent_std=subject.latent_std).model_dump_json(indent=1)


def _subject(name: str) -> Subject:
    """A preset by its name, else a folder, else a file; raises ConfigError or CheckpointError."""
    if name in MODEL_PRESETS:
        preset = MODEL_PRESETS[name]
        return Subject(name, preset.sentence, preset.config, preset.batch_size, preset.memory_gb)
    path = Path(name)
    if path.is_dir():
        manifest = read_manifest(path)
        return Subject(
            name,
            manifest.description or "a model folder.",
            manifest.model,
            latent_std=manifest.latent_std,
            sampling=manifest.sampling_presets(),
        )
    if path.suffix in FILE_KINDS:
        return Subject(name, f"as {path.name} has it.", _config_in(path))
    raise unknown_name(name, MODEL_PRESETS, "preset, folder or configuration file", field="model")


def _config_in(path: Path) -> ModelConfig:
    """A model's configuration in a file of its own, or in the section ``model`` of a recipe or manifest."""
    try:
        content = path.read_text(encoding="utf-8")
        data = json.loads(content) if path.suffix == ".json" else yaml.safe_load(content)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: is not valid {path.suffix[1:].upper()} ({error})") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: a mapping of settings was expected")
    return checked(data.get("model", data))


def _adjusted(subject: Subject, arguments: argparse.Namespace) -> Subject:
    """With the base size, ablations and batch size asked for."""
    config = subject.config if arguments.base is None else with_base(subject.config, arguments.base)
    for name in arguments.ablation:
        config = apply_ablation(config, name)
    batch_size = subject.batch_size if arguments.batch_size is None else arguments.batch_size
    if batch_size < 1:
        raise ConfigError(f"{batch_size} is no number of samples; give 1 or more", field="batch-size")
    parts = [subject.source, *([f"{arguments.base} base"] if arguments.base else []), *arguments.ablation]
    return replace(subject, config=config, batch_size=batch_size, source=" + ".join(parts))


def _names() -> str:
    """Presets, base sizes and ablations with a sentence each."""
    sizes = {
        name: f"widths {base.widths[0]} and {base.widths[1]}, {base.num_blocks[0]} and {base.num_blocks[1]} blocks"
        for name, base in BASE_SIZES.items()
    }
    sections = {
        "Presets": {name: preset.sentence for name, preset in MODEL_PRESETS.items()},
        "Base models (--base)": sizes,
        "Ablations (--ablation)": {name: f"{each.sentence} [{each.source}]" for name, each in ABLATIONS.items()},
    }
    width = max(len(name) for rows in sections.values() for name in rows)
    return "\n\n".join(
        "\n".join((title, *(f"  {name:<{width}}  {sentence}" for name, sentence in rows.items())))
        for title, rows in sections.items()
    )
