"""``ul-engine``: the method from the command line, over the same requests as the window."""

import sys

from ul_engine.cli.arguments import build_parser
from ul_engine.errors import EngineError


def main(argv: list[str] | None = None) -> int:
    """Entry point; 0 on success, 1 for a problem that was explained on standard error."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except EngineError as error:
        print(f"ul-engine: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ul-engine: stopped", file=sys.stderr)
        return 130
