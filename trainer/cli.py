"""``ul-train``: train models from the command line."""

import argparse
import sys
from pathlib import Path

from trainer.config import Stage, load_config
from trainer.recipes import recipe_file, recipe_names
from ul_engine.errors import EngineError


def main(argv: list[str] | None = None) -> int:
    """Entry point; 0 on success, 1 for a problem that was explained, 3 when stopped before the end."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except EngineError as error:
        print(f"ul-train: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ul-train", description="Train Unified Latents models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for stage in Stage:
        command = commands.add_parser(stage.value, help=f"run {stage.value}; continues where the folder's run stopped")
        command.add_argument("--config", required=True, type=Path, help="YAML recipe")
        command.add_argument("--out", type=Path, help="run folder (default: runs/<recipe's name>-<stage>)")
        _add_run_options(command)
        command.set_defaults(run=_run_stage, stage=stage)
    recipe = commands.add_parser("recipe", help="train a model of the program by its recipe, both stages")
    recipe.add_argument("action", choices=("run", "list"))
    recipe.add_argument("name", nargs="?", help="name of the recipe")
    recipe.add_argument("--out", type=Path, help="where the finished model folder goes")
    recipe.add_argument("--from", dest="source", type=Path, help="model folder to start from instead of fresh weights")
    recipe.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the run folders (default: runs)")
    _add_run_options(recipe)
    recipe.set_defaults(run=_run_recipe)
    return parser


def _add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting; repeatable"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--dry-run", action="store_true", help="print the resolved settings and stop")


def _run_stage(arguments: argparse.Namespace) -> int:
    overrides = (f"stage={arguments.stage.value}", *arguments.set)
    out = arguments.out or Path("runs") / f"{arguments.config.stem}-{arguments.stage.value}"
    return _train(arguments.config, overrides, out, arguments)


def _train(config_file: Path, overrides: tuple[str, ...], out: Path, arguments: argparse.Namespace) -> int:
    from trainer.train import describe, run_training  # torch: only once the arguments are known to be good

    config = load_config(config_file, overrides)
    if arguments.dry_run:
        print(describe(config))
        return 0
    return 0 if run_training(config, out, device=arguments.device) else 3


def _run_recipe(arguments: argparse.Namespace) -> int:
    if arguments.action == "list" or arguments.name is None:
        print("\n".join(recipe_names()))
        return 0
    from trainer.finish import finish_model

    runs: Path = arguments.runs
    folders = {stage: runs / f"{arguments.name}-{stage.value}" for stage in Stage}
    for stage in Stage:
        overrides = (*_sources(stage, folders[Stage.STAGE1] / "model", arguments.source), *arguments.set)
        code = _train(recipe_file(arguments.name, stage.value), overrides, folders[stage], arguments)
        if code != 0:
            return code
    if not arguments.dry_run:
        out = arguments.out or Path("assets/models") / arguments.name
        finish_model(folders[Stage.STAGE1], folders[Stage.STAGE2], out)
    return 0


def _sources(stage: Stage, stage1_model: Path, source: Path | None) -> tuple[str, ...]:
    """Where the weights of one stage of a recipe come from, as overrides."""
    if stage is Stage.STAGE1:
        return (f"init_from={source}", "collapse.prior_gradient_ramp=0") if source is not None else ()
    return (f"init_from={stage1_model}", *((f"base_from={source}",) if source is not None else ()))


if __name__ == "__main__":
    sys.exit(main())
