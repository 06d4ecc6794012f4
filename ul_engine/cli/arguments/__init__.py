"""Commands and options of ``ul-engine``, a file per command; none loads torch."""

import argparse

from ul_engine.cli.arguments import bench, codecs, describe, doctor, evaluate, generate, measure, models, reconstruct

COMMANDS = (generate, reconstruct, codecs, measure, evaluate, models, describe, bench, doctor)
"""In the order of ``ul-engine --help``."""


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(prog="ul-engine", description="Unified Latents: generate, reconstruct, measure.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
