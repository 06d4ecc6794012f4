"""Options of ``ul-engine reconstruct``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import add_device, lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Encode, noise, bring back, decode."""
    command = commands.add_parser("reconstruct", help="encode pictures, noise their latents, decode, and measure")
    command.add_argument("inputs", nargs="+", help="picture files")
    command.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    command.add_argument(
        "--latent-logsnr", default="5", metavar="L,L,...", help="noise ladder, e.g. 5,3,1,-1 (5 is native)"
    )
    command.add_argument("--out", type=Path, required=True, help="folder for the pictures and metrics.json")
    command.add_argument("--seed", type=int, default=0, help="seed of latent and decoder noise")
    command.add_argument("--preset", default="Balanced", help="steps of both loops")
    add_device(command)
    command.set_defaults(run=lazily("ul_engine.cli.reconstruct", "reconstruct"))
