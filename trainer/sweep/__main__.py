"""``python -m trainer.sweep``: the parts of a sweep that run as processes of their own."""

import argparse
import sys
from pathlib import Path

from trainer.config import load_config
from ul_engine.errors import EngineError


def main(argv: list[str] | None = None) -> int:
    """``held-out`` writes held-out samples, ``measure`` measures a point; 1 for a problem that was explained."""
    parser = argparse.ArgumentParser(prog="python -m trainer.sweep", description="Parts of ul-train sweep.")
    commands = parser.add_subparsers(required=True, dest="command")
    held_out = commands.add_parser("held-out", help="write held-out samples as files")
    held_out.add_argument("--config", required=True, type=Path, help="settings of a run, whose data it is")
    held_out.add_argument("--num-samples", required=True, type=int)
    measure = commands.add_parser("measure", help="measure a trained point")
    measure.add_argument("--point", required=True, type=Path, help="folder of the point")
    measure.add_argument("--device", default="auto")
    for command in (held_out, measure):
        command.add_argument("--held-out", required=True, type=Path, help="folder of the held-out samples")
    arguments = parser.parse_args(argv)
    try:
        _run(arguments)
    except EngineError as error:
        print(f"ul-train: {error}", file=sys.stderr)
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    if arguments.command == "held-out":
        from trainer.sweep.held_out import write_held_out

        write_held_out(load_config(arguments.config), arguments.held_out, arguments.num_samples)
        return
    from trainer.processor import make_quick
    from trainer.sweep.measuring import measure_point

    make_quick(arguments.device)
    measure_point(arguments.point, arguments.held_out, device=arguments.device)


if __name__ == "__main__":
    sys.exit(main())
