"""Options of ``ul-engine evaluate``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import add_device, add_precision, lazily
from ul_engine.requests import SamplerName

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands

_METRICS = (
    "comma-separated: psnr, ssim, ms-ssim, flip, lpips, mean-psnr, frame-psnr, flicker, bits, codecs, rfid, rfd, rfvd, "
    "rfd-clip, gfid, gfd, kid, kd, fvd, fd-clip; the groups distortion, clips, reconstruction, generation; or all "
    "(default: distortion,bits)"
)


def add(commands: "Commands") -> None:
    """Measure a model on many pictures or clips."""
    command = commands.add_parser(
        "evaluate",
        help="measure a model on pictures or clips: distortion, bits, codecs at equal bits, distances between sets",
        description="Measure a model. A stopped evaluation goes on when the same command is given again.",
    )
    command.add_argument("model", help="folder of a model, or the name of one in the list of models")
    command.add_argument(
        "data",
        type=Path,
        nargs="+",
        help="folders, zips and files of pictures (for a model of clips: videos, folders of frames), or .txt lists",
    )
    command.add_argument("--metrics", default="distortion,bits", metavar="NAMES", help=_METRICS)
    command.add_argument("--out", type=Path, required=True, help="folder for the report (JSON, HTML) and the tables")
    command.add_argument("--restart", action="store_true", help="throw away what this folder holds and begin anew")
    command.add_argument(
        "--json-progress", action="store_true", help="print news as lines of JSON instead of the table, for programs"
    )
    _add_data(command)
    _add_sampling(command)
    _add_generation(command)
    add_device(command)
    command.set_defaults(run=lazily("ul_engine.cli.evaluate", "evaluate"))


def _add_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("--limit", type=int, metavar="N", help="take the first N samples")
    command.add_argument("--size", type=int, metavar="PX", help="scale and cut to this square (default: as they are)")
    command.add_argument("--skip-broken", action="store_true", help="leave out what cannot be read, and list it")
    command.add_argument("--stride", type=int, help="frames from clip to clip in a video (default: a clip's length)")
    command.add_argument(
        "--fps", default="model", help="rate that videos are brought to: a number, model (default), or file"
    )


def _add_sampling(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, default=0, help="seed of the first sample; the next takes seed + 1")
    command.add_argument("--preset", default="Balanced", help="Preview, Balanced or Paper, or one of the model's own")
    command.add_argument("--decoder-steps", type=int, help="steps of the decoder instead of the preset's")
    command.add_argument("--base-steps", type=int, help="steps of the base model instead of the preset's")
    command.add_argument("--sampler", choices=[name.value for name in SamplerName], help="sampler of both loops")
    command.add_argument("--decodes", type=int, default=1, metavar="K", help="decodes per latent, for mean-psnr")
    command.add_argument("--bitrate-times", type=int, default=32, metavar="N", help="noise levels in the bitrate")
    command.add_argument(
        "--restorer", choices=("prior", "base", "both"), default="both", help="whose bound counts bits (default: both)"
    )
    command.add_argument("--tiles", choices=("auto", "on", "off"), default="auto", help="tile large pictures")
    command.add_argument("--tile-px", type=int, help="side of a tile (default: the training size)")
    command.add_argument("--batch-size", type=int, default=16, help="samples of the training size at once")
    add_precision(command)


def _add_generation(command: argparse.ArgumentParser) -> None:
    command.add_argument("--num-generated", type=int, metavar="N", help="samples to generate (default: one per sample)")
    command.add_argument(
        "--prompts", type=Path, metavar="FILE", help="a prompt, or a class by name or number, per line; taken in turn"
    )
    command.add_argument("--guidance", type=float, help="guidance weight instead of the preset's")
    command.add_argument("--continue", action="store_true", dest="continues", help="clips go on from the data's frames")
    command.add_argument("--metric-weights", type=Path, metavar="FOLDER", help="weights of metric networks")
