"""``ul-train``: train models from the command line, one module per command."""

import argparse

from trainer.cli import bench, data, evaluate, launch, recipe, steer, sweep, train
from ul_engine.console import run_command

COMMANDS = (data, train, steer, evaluate, sweep, bench, launch, recipe)


def main(argv: list[str] | None = None) -> int:
    """Entry point; 0 on success, 1 for a problem that was explained, 3 when stopped before the end."""
    arguments = parser().parse_args(argv)
    return run_command(lambda: int(arguments.run(arguments)), "ul-train")


def parser() -> argparse.ArgumentParser:
    """All commands."""
    whole = argparse.ArgumentParser(
        prog="ul-train",
        description="Train Unified Latents models: check your data, train encoder, prior and decoder (stage1), then "
        "the base model (stage2). A run is a folder; the same command goes on where it stopped.",
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_parser(commands)
    return whole
