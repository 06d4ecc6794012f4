"""Options of ``ul-engine codecs``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import MEASURES_HELP, lazily
from ul_engine.requests import ALL_CODECS

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Put pictures through ordinary codecs."""
    command = commands.add_parser(
        "codecs",
        help="put pictures through JPEG, WebP, AVIF and JPEG XL at given bits per pixel",
        description="Decoded pictures, real file sizes and figures of ordinary codecs. A codec that cannot go as low "
        "as asked gives its smallest file, marked as its floor. No model is needed.",
    )
    command.add_argument("inputs", nargs="+", help="picture files; of a video one frame is taken")
    command.add_argument(
        "--bits-per-pixel", default="", metavar="R,R,...", help="rates to come near from below, such as 0.25,0.5"
    )
    command.add_argument("--curve", action="store_true", help="measure several qualities of each codec")
    command.add_argument(
        "--codecs", default=",".join(ALL_CODECS), metavar="NAMES", help=f"of {','.join(ALL_CODECS)} (default: all)"
    )
    command.add_argument("--measures", default="ssim", metavar="NAMES", help=MEASURES_HELP)
    command.add_argument("--flip-map", action="store_true", help="also write the FLIP error as grey pictures")
    command.add_argument("--frame", type=int, default=0, help="which frame of a video, from 0")
    command.add_argument("--out", type=Path, required=True, help="folder for the pictures, codecs.json and codecs.csv")
    command.set_defaults(run=lazily("ul_engine.cli.codecs", "codecs"))
