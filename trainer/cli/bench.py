"""``ul-train bench``: how fast a run trains here, and what data, logging and saving cost."""

import argparse
import sys

from trainer.cli.options import add_data_options
from trainer.cli.train import add_config_options, stage1_config, stage2_config


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    command = commands.add_parser(
        "bench", help="steps per second, waiting for data, cost of logging and of checkpoints, with real steps"
    )
    add_config_options(command)
    add_data_options(command)
    command.add_argument("--from", dest="stage1", metavar="FOLDER", help="time Stage 2 on this Stage 1 run or model")
    command.add_argument("--steps", type=int, default=10, metavar="N", help="steps of a round (default: 10)")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting; repeatable"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=_run, base_from=None)


def _run(arguments: argparse.Namespace) -> int:
    config = stage2_config(arguments) if arguments.stage1 else stage1_config(arguments)
    from trainer.benchmark import bench_training, text
    from trainer.processor import make_quick

    make_quick(arguments.device)
    found = bench_training(
        config,
        device=arguments.device,
        steps=arguments.steps,
        observe=lambda what: print(f"measuring: {what}", file=sys.stderr, flush=True),
    )
    print(found.model_dump_json(indent=1) if arguments.json else text(found))
    return 0
