"""Options of ``ul-engine describe``."""

from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """What a model costs."""
    command = commands.add_parser(
        "describe", help="count a model's parameters, operations and memory, without making it"
    )
    command.add_argument(
        "model", nargs="?", help="a preset, a model folder, or a .yaml or .json file with a model's configuration"
    )
    command.add_argument("--list", action="store_true", help="list presets, base sizes and ablations")
    command.add_argument("--base", metavar="SIZE", help="another base model: small, medium or large")
    command.add_argument(
        "--ablation", action="append", default=[], metavar="NAME", help="one of the paper's; may be given again"
    )
    command.add_argument("--batch-size", type=int, help="samples per training step (default: the preset's, or 16)")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    command.add_argument("--curves", action="store_true", help="print schedules and loss weights as JSON")
    command.set_defaults(run=lazily("ul_engine.cli.describe", "describe"))
