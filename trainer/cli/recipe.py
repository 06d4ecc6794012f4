"""``ul-train recipe``: list recipes, show one, train a bundled model by its recipe."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import yaml

from trainer.config import RunConfig, load_config
from trainer.recipes import PARTS, recipe, recipe_file, recipe_names, recipe_parts, recipe_sentence
from ul_engine.errors import ConfigError
from ul_engine.presets import MODEL_PRESETS


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    command = commands.add_parser("recipe", help="list recipes, show one as YAML, or train a bundled model by its own")
    command.add_argument("action", choices=("list", "show", "run"))
    command.add_argument("name", nargs="?", help="name of the recipe or preset")
    command.add_argument("--stage", choices=PARTS, default="stage1", help="which to show")
    command.add_argument("--out", type=Path, help="where the finished model folder goes")
    command.add_argument("--from", dest="source", type=Path, help="model folder to start from instead of fresh weights")
    command.add_argument(
        "--judge", type=Path, help="pictures to judge a codec by, a folder, zip or list: needed for one"
    )
    command.add_argument(
        "--credit", default="", help="what the photographs are, whose, under what licence: for a codec's card"
    )
    command.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the run folders (default: runs)")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting; repeatable"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--dry-run", action="store_true", help="print the resolved settings and stop")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.action == "list":
        print("\n".join(_listed()))
        return 0
    if arguments.name is None:
        raise ConfigError("say which; ul-train recipe list shows them", field="name")
    if arguments.action == "show":
        print(yaml.safe_dump(recipe(arguments.name, arguments.stage), sort_keys=False), end="")
        return 0
    return _train(arguments)


def _listed() -> list[str]:
    """All names, those that can be run first; each once, with what it is for."""
    sentences = {name: recipe_sentence(name) for name in recipe_names()}
    sentences |= {name: preset.sentence for name, preset in MODEL_PRESETS.items()}
    return [f"{name:24} {sentence}" for name, sentence in sentences.items()]


def _train(arguments: argparse.Namespace) -> int:
    """All parts of a bundled model, and its measurement. Settings are checked for all of them before the first, and so
    is whatever the measurement needs."""
    parts = recipe_parts(arguments.name)
    if not parts:
        recipe_file(arguments.name, PARTS[0])  # says which there are
    folders = {part: arguments.runs / f"{arguments.name}-{part}" for part in parts}
    configs = {
        part: load_config(
            recipe_file(arguments.name, part),
            (*_sources(part, folders["stage1"] / "model", arguments.source), *arguments.set),
        )
        for part in parts
    }
    if arguments.dry_run:
        print("\n".join(config.model_dump_json(indent=1) for config in configs.values()))
        return 0
    finish = _finishing(arguments, configs, folders)
    from trainer.processor import make_quick
    from trainer.train import run_training

    make_quick(arguments.device)
    for part, config in configs.items():
        if run_training(config, folders[part], device=arguments.device) != "finished":
            return 3
    finish()
    return 0


def _finishing(
    arguments: argparse.Namespace, configs: Mapping[str, RunConfig], folders: Mapping[str, Path]
) -> Callable[[], object]:
    """The last step: that of a codec where no base model is trained. Raises EngineError for what it would miss."""
    out = arguments.out or Path("assets/models") / arguments.name
    if "stage2" in configs:
        if configs["stage2"].model.video is not None:
            from trainer.finishing.motion import check_motion, finish_motion  # torch: once the arguments are known good

            check_motion(configs["stage2"])
            return partial(finish_motion, folders, out)
        from trainer.finishing.scenes import check_scenes, finish_model

        check_scenes(configs["stage2"])
        return partial(finish_model, folders, out)
    if arguments.judge is None:
        raise ConfigError("say which pictures the codec is judged by: a folder, a zip or a list", field="judge")
    from trainer.finishing.codec import Judging, check_codec, finish_codec

    judging = Judging(arguments.judge, arguments.credit)
    check_codec(configs["stage1"], judging)
    return partial(finish_codec, folders, out, judging)


def _sources(part: str, stage1_model: Path, source: Path | None) -> tuple[str, ...]:
    """Where the weights of one part of a recipe come from, as overrides."""
    if part == "stage1":
        return (f"init_from={source}", "collapse.prior_gradient_ramp=0") if source is not None else ()
    is_base = part == "stage2" and source is not None
    return (f"init_from={stage1_model}", *((f"base_from={source}",) if is_base else ()))
