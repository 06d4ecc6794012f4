"""``ul-engine``: the method from the command line, over the same requests as the window."""

import re
import sys

from ul_engine.cli.arguments import build_parser
from ul_engine.console import run_command


def main(argv: list[str] | None = None) -> int:
    """Entry point; 0 on success, 1 for a problem that was explained on standard error."""
    arguments = build_parser().parse_args(_with_negative_lists(sys.argv[1:] if argv is None else argv))
    return run_command(lambda: int(arguments.run(arguments)), "ul-engine")


def _with_negative_lists(argv: list[str]) -> list[str]:
    """`--option -4,-8` as `--option=-4,-8`: argparse takes a list that begins with a minus for an option."""
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and re.match(r"-[\d.].*,", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined
