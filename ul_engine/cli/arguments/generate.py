"""Options of ``ul-engine generate``, ``interpolate`` and ``grid``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import add_device, add_precision, lazily
from ul_engine.requests import SamplerName

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Make pictures and clips, one by one, on the way between two, over a grid of settings."""
    _add_generate(commands)
    _add_interpolate(commands)
    _add_grid(commands)


def _add_generate(commands: "Commands") -> None:
    command = commands.add_parser("generate", help="make pictures or clips")
    command.add_argument("prompt", nargs="?", default="", help="what to show; leave out for no condition")
    _add_one_picture(command)
    command.add_argument("-n", "--num-images", type=int, default=1, help="pictures or clips to make (default: 1)")
    formats = ("mp4", "webm", "mkv", "gif", "webp", "png")
    command.add_argument("--format", choices=formats, default="mp4", help="of clips (default: mp4)")
    command.add_argument(
        "--request",
        type=Path,
        metavar="FILE",
        help="make again what this picture or clip (or JSON) says; beside it only --model, --format, --out and the "
        "device count",
    )
    command.add_argument("--out", type=Path, metavar="FOLDER", help="outputs folder (default: the program's)")
    command.set_defaults(run=lazily("ul_engine.cli.generate", "generate"))


def _add_one_picture(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    command.add_argument("--class-label", metavar="CLASS", help="number or name of a class, for models that know some")
    command.add_argument("--seed", type=int, default=0, help="seed of the first picture; the next takes seed + 1")
    command.add_argument("--variation-seed", type=int, help="turn the noise towards this seed's")
    command.add_argument("--variation", type=float, metavar="SHARE", help="how far, 0 to 1 (default: 0.1)")
    command.add_argument("--start-from", metavar="PICTURE", help="start from a picture instead of pure noise")
    command.add_argument("--strength", type=float, metavar="SHARE", help="share of it made anew, 0 to 1 (default: 0.6)")
    command.add_argument(
        "--mask",
        metavar="PICTURE",
        help="as large as --start-from: white is made anew, black is kept to the pixel, grey is mixed",
    )
    command.add_argument("--num-frames", type=int, help="new frames of a clip (default: the model's length)")
    command.add_argument("--continue-from", metavar="CLIP", help="continue this clip")
    _add_sampling(command)


def _add_sampling(command: argparse.ArgumentParser) -> None:
    command.add_argument("--width", type=int, help="width in pixels (default: the model's)")
    command.add_argument("--height", type=int, help="height in pixels (default: the model's)")
    command.add_argument("--preset", default="Balanced", help="Preview, Balanced or Paper, or one of the model's own")
    command.add_argument("--guidance", type=float, help="guidance weight instead of the preset's")
    command.add_argument("--base-steps", type=int, help="steps of the base model instead of the preset's")
    command.add_argument("--decoder-steps", type=int, help="steps of the decoder instead of the preset's")
    command.add_argument("--sampler", choices=[name.value for name in SamplerName], help="sampler of both loops")
    add_device(command)
    add_precision(command)


def _add_interpolate(commands: "Commands") -> None:
    command = commands.add_parser("interpolate", help="make the pictures on the way from one to another")
    command.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    command.add_argument("--prompt", default="", help="what to show, at the start if two are given")
    command.add_argument("--to-prompt", metavar="PROMPT", help="what to show at the end: goes from prompt to prompt")
    command.add_argument("--class-label", metavar="CLASS", help="number or name of a class, from seed to seed")
    command.add_argument("--seed", type=int, default=0, help="seed at the start")
    command.add_argument("--to-seed", type=int, metavar="SEED", help="seed at the end: goes from seed to seed")
    command.add_argument("--pictures", nargs=2, metavar="FILE", help="two pictures: goes from latent to latent")
    command.add_argument(
        "--restore", type=float, metavar="LOGSNR", help="noise each mixture of latents to this level and bring it back"
    )
    command.add_argument("-n", "--num-steps", type=int, default=9, help="pictures, both ends included (default: 9)")
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="new folder for the pictures (default: one in the program's outputs)"
    )
    command.add_argument("--clip", metavar="FILE", type=Path, help="also write them as a clip: mp4, webm, gif, webp")
    command.add_argument("--fps", type=float, default=12.0, help="frames per second of the clip (default: 12)")
    _add_sampling(command)
    command.set_defaults(run=lazily("ul_engine.cli.interpolate", "interpolate"))


def _add_grid(commands: "Commands") -> None:
    command = commands.add_parser("grid", help="make a labelled grid of pictures over one or two settings")
    command.add_argument("prompt", nargs="?", default="", help="what to show; leave out for no condition")
    _add_one_picture(command)
    command.add_argument(
        "-x", required=True, metavar="FIELD=A,B,...", help="columns, such as sampling.guidance.weight=1,2,4"
    )
    command.add_argument("-y", metavar="FIELD=A,B,...", help="rows, such as seed=1,2,3 (a list of texts: 'prompt=a|b')")
    command.add_argument(
        "--sheet", type=Path, required=True, metavar="FILE", help="PNG (or .jpg, .webp) to write the sheet to"
    )
    command.set_defaults(run=lazily("ul_engine.cli.interpolate", "grid"))
