"""``ul-train recipe``: list recipes, show one, train a bundled model by its recipe."""

import argparse
from pathlib import Path

import yaml

from trainer.config import Stage, load_config
from trainer.recipes import recipe, recipe_file, recipe_names
from ul_engine.errors import ConfigError
from ul_engine.presets import MODEL_PRESETS


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    command = commands.add_parser("recipe", help="list recipes, show one as YAML, or train a bundled model by its own")
    command.add_argument("action", choices=("list", "show", "run"))
    command.add_argument("name", nargs="?", help="name of the recipe or preset")
    command.add_argument("--stage", choices=[stage.value for stage in Stage], default="stage1", help="which to show")
    command.add_argument("--out", type=Path, help="where the finished model folder goes")
    command.add_argument("--from", dest="source", type=Path, help="model folder to start from instead of fresh weights")
    command.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the run folders (default: runs)")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting; repeatable"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--dry-run", action="store_true", help="print the resolved settings and stop")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.action == "list":
        print("\n".join([*recipe_names(), *(f"{name:24} {preset.sentence}" for name, preset in MODEL_PRESETS.items())]))
        return 0
    if arguments.name is None:
        raise ConfigError("say which; ul-train recipe list shows them", field="name")
    if arguments.action == "show":
        print(yaml.safe_dump(recipe(arguments.name, arguments.stage), sort_keys=False), end="")
        return 0
    return _train(arguments)


def _train(arguments: argparse.Namespace) -> int:
    """Both stages of a bundled model, and its measurement."""
    runs: Path = arguments.runs
    folders = {stage: runs / f"{arguments.name}-{stage.value}" for stage in Stage}
    for stage in Stage:
        overrides = (*_sources(stage, folders[Stage.STAGE1] / "model", arguments.source), *arguments.set)
        config = load_config(recipe_file(arguments.name, stage.value), overrides)
        if arguments.dry_run:
            print(config.model_dump_json(indent=1))
            continue
        from trainer.processor import make_quick  # torch: only once the arguments are known to be good
        from trainer.train import run_training

        make_quick(arguments.device)
        if run_training(config, folders[stage], device=arguments.device) != "finished":
            return 3
    if not arguments.dry_run:
        from trainer.finish import finish_model

        out = arguments.out or Path("assets/models") / arguments.name
        finish_model(folders[Stage.STAGE1], folders[Stage.STAGE2], out)
    return 0


def _sources(stage: Stage, stage1_model: Path, source: Path | None) -> tuple[str, ...]:
    """Where the weights of one stage of a recipe come from, as overrides."""
    if stage is Stage.STAGE1:
        return (f"init_from={source}", "collapse.prior_gradient_ramp=0") if source is not None else ()
    return (f"init_from={stage1_model}", *((f"base_from={source}",) if source is not None else ()))
