"""Options of ``ul-engine bench``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import add_device, lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Time everything."""
    command = commands.add_parser(
        "bench", help="time training steps, generation and reconstruction on a model's configuration"
    )
    command.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    command.add_argument("--batch-size", type=int, default=16, help="samples per training step (default: 16)")
    command.add_argument("--repeats", type=int, default=3, help="timed repetitions; the median counts (default: 3)")
    add_device(command)
    command.set_defaults(run=lazily("ul_engine.cli.bench", "bench"))
