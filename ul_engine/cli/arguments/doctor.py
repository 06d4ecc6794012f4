"""Options of ``ul-engine doctor``."""

from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Say what is missing."""
    command = commands.add_parser("doctor", help="say what is missing on this machine and how to mend it")
    command.add_argument("--json", action="store_true", help="print one JSON list of is_good, text, mend")
    command.set_defaults(run=lazily("ul_engine.cli.doctor", "doctor"))
