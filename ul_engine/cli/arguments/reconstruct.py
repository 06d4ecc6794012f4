"""Options of ``ul-engine reconstruct``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import MEASURES_HELP, add_device, add_precision, lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Encode, noise, bring back, decode."""
    command = commands.add_parser("reconstruct", help="encode pictures or clips, noise their latents, decode, measure")
    command.add_argument("inputs", nargs="+", help="picture or video files")
    command.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    command.add_argument(
        "--latent-logsnr",
        metavar="L,L,...",
        help="noise ladder, such as 5,3,1,-1 (default: the native level, mostly 5)",
    )
    command.add_argument(
        "--decoder-logsnr",
        default="",
        metavar="L,L,...",
        help="decoder's ladder, such as 0,-4,-8: begin from the picture noised to that level",
    )
    command.add_argument(
        "--restorer", choices=("prior", "base"), default="prior", help="what brings a latent back (default: prior)"
    )
    command.add_argument(
        "--decodes", type=int, default=1, metavar="K", help="decodes per latent: their mean and deviation (default: 1)"
    )
    command.add_argument("--measures", default="ssim", metavar="NAMES", help=MEASURES_HELP)
    command.add_argument("--flip-map", action="store_true", help="also write the FLIP error as grey pictures")
    command.add_argument(
        "--bit-draws",
        type=int,
        default=1,
        metavar="K",
        help="draws of noise in the bitrate, for a spread (default: 1)",
    )
    command.add_argument("--bits-under", choices=("restorer", "both"), default="restorer", help="whose bounds to count")
    command.add_argument(
        "--latent", action="store_true", help="also write z_clean and z_0 (.npz), and its components as colour"
    )
    command.add_argument("--tiles", choices=("auto", "on", "off"), default="auto", help="tile large pictures")
    command.add_argument("--tile-px", type=int, help="side of a tile (default: the training size)")
    command.add_argument(
        "--max-frames",
        type=int,
        default=64,
        help="frames taken of a video (default: 64); a model of pictures takes the first",
    )
    command.add_argument("--out", type=Path, required=True, help="folder for the pictures and metrics.json")
    command.add_argument("--seed", type=int, default=0, help="seed of latent and decoder noise")
    command.add_argument("--preset", default="Balanced", help="steps of both loops")
    add_device(command)
    add_precision(command)
    command.set_defaults(run=lazily("ul_engine.cli.reconstruct", "reconstruct"))
