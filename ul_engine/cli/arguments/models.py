"""Options of ``ul-engine models``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Models in and out."""
    command = commands.add_parser("models", help="list the models on this machine, or check one by its hashes")
    command.add_argument("--verify", metavar="FOLDER", type=Path, help="read every weight file and compare its SHA-256")
    command.set_defaults(run=lazily("ul_engine.cli.inspect", "models"))
