"""``ul-train stage1``, ``stage2`` and ``resume``."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.cli.data_kind import data_of
from trainer.cli.options import add_data_options, add_run_options, run_folder
from trainer.cli.starting import start_run
from trainer.config import RunConfig, Stage, parse_config, read_recipe, resolved_config
from trainer.config.loading import apply_override
from trainer.recipes import DEFAULT_PRESET, after_stage1, recipe
from trainer.run_dir import RunDir, read_json
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.presets import model_preset


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    stage1 = commands.add_parser(
        "stage1", help="train encoder, prior and decoder together; goes on where the folder's run stopped"
    )
    add_config_options(stage1)
    add_data_options(stage1)
    stage1.add_argument("--out", type=Path, help="run folder (default: runs/<name>-stage1)")
    _add_dry_run(stage1)
    add_run_options(stage1)
    stage1.set_defaults(run=_run_stage1)
    stage2 = commands.add_parser(
        "stage2", help="train the base model on the latents of a Stage 1 model; goes on where the run stopped"
    )
    stage2.add_argument(
        "--from", dest="stage1", metavar="FOLDER", help="Stage 1 run (its data is used) or model folder"
    )
    stage2.add_argument("--config", type=Path, help="YAML recipe, instead of what follows from the Stage 1 run")
    add_data_options(stage2)
    stage2.add_argument("--out", type=Path, help="run folder (default: runs/<name>-stage2)")
    stage2.add_argument("--base-from", metavar="FOLDER", help="model folder whose base model to start from")
    _add_dry_run(stage2)
    add_run_options(stage2)
    stage2.set_defaults(run=_run_stage2)
    resume = commands.add_parser("resume", help="go on with a run, with the settings in its folder")
    resume.add_argument("folder", type=run_folder, metavar="RUN")
    add_run_options(resume)
    resume.set_defaults(run=_run_resume)


def add_config_options(command: argparse.ArgumentParser) -> None:
    """Where the settings of Stage 1 come from."""
    source = command.add_mutually_exclusive_group()
    source.add_argument("--config", type=Path, help="YAML recipe")
    source.add_argument(
        "--preset", help=f"name of a recipe or model preset (default: {DEFAULT_PRESET}); see ul-train recipe list"
    )
    command.add_argument("--init-from", metavar="FOLDER", help="model or run folder whose weights to start from")


def _add_dry_run(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="print settings, parameters, FLOPs, memory, disk and time from a few real steps, and stop",
    )
    command.add_argument("--json", action="store_true", help="the dry run as JSON")


def _run_stage1(arguments: argparse.Namespace) -> int:
    config = stage1_config(arguments)
    stem = arguments.config.stem if arguments.config else arguments.preset or DEFAULT_PRESET
    return start_run(config, arguments.out or Path("runs") / f"{stem}-stage1", arguments)


def stage1_config(arguments: argparse.Namespace) -> RunConfig:
    """The settings of a Stage 1 run; raises ConfigError."""
    name = arguments.preset or DEFAULT_PRESET
    data = read_recipe(arguments.config) if arguments.config else recipe(name, "stage1")
    if arguments.config is None and arguments.data is None and "data" not in data:
        raise ConfigError("say what to train on: --data PATH, or --data scenes for the built-in ones", field="data")
    data["stage"] = Stage.STAGE1.value
    if arguments.init_from:
        data["init_from"] = arguments.init_from
        data.setdefault("collapse", {})["prior_gradient_ramp"] = 0.0  # the latent is alive already
    return _with_data(data, arguments)


def _run_stage2(arguments: argparse.Namespace) -> int:
    config = stage2_config(arguments)
    stem = arguments.config.stem if arguments.config else Path(arguments.stage1).resolve().name.removesuffix("-stage1")
    return start_run(config, arguments.out or Path("runs") / f"{stem}-stage2", arguments)


def stage2_config(arguments: argparse.Namespace) -> RunConfig:
    """The settings of a Stage 2 run; raises ConfigError."""
    if arguments.config is None and arguments.stage1 is None:
        raise ConfigError("say which Stage 1 to build on: --from RUN", field="init_from")
    data = read_recipe(arguments.config) if arguments.config else after_stage1(Path(arguments.stage1))
    data["stage"] = Stage.STAGE2.value
    if arguments.stage1 is not None:
        data["init_from"] = arguments.stage1
    if arguments.base_from is not None:
        data["base_from"] = arguments.base_from
    return _with_data(data, arguments)


def _with_data(data: dict[str, Any], arguments: argparse.Namespace) -> RunConfig:
    """The checked settings, with the data that was asked for."""
    if arguments.data is not None or arguments.size_px is not None:
        data["data"] = _data_section(data, arguments)
        if data.get("preset") and data["data"].get("path"):  # a preset's own name says nothing of these pictures
            data["model"] = {"name": Path(data["data"]["path"]).stem[:80], **(data.get("model") or {})}
    return resolved_config(data, tuple(arguments.set))


def _data_section(data: Mapping[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """The section `data`: what was there, for another place or size."""
    present = dict(data.get("data") or {})
    model = _model_section(data)
    size = arguments.size_px or present.get("size_px") or model.get("image_px", 512)
    if arguments.data is None:
        return present | {"size_px": size}
    found = data_of(arguments.data, video=model.get("video"))
    if (present.get("kind"), found["kind"]) == ("photographs", "pictures"):
        found["kind"] = "photographs"  # the same files, seen as the recipe says
    kept = present if present.get("kind", found["kind"]) == found["kind"] else {}
    return {**kept, **found, "size_px": size}


def _model_section(data: Mapping[str, Any]) -> dict[str, Any]:
    """The section `model` with the preset's values below it, as far as size and frames go."""
    preset = model_preset(str(data["preset"])).config.model_dump(mode="json") if data.get("preset") else {}
    return {**preset, **(data.get("model") or {})}


def _run_resume(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    run = RunDir(folder)
    settings = read_json(run.config if run.config.is_file() else run.settings)
    if not isinstance(settings, dict):
        raise CheckpointError("holds no settings of a run", path=RunDir(folder).config)
    for override in arguments.set:
        apply_override(settings, override)
    arguments.dry_run = False
    return start_run(parse_config(settings), folder, arguments)
