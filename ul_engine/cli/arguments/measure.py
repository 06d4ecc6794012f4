"""Options of ``ul-engine measure``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Measure files against another one."""
    command = commands.add_parser(
        "measure",
        help="measure how far pictures or videos are from another one",
        description="PSNR and other measures of files against a reference of the same size. No model is needed.",
    )
    command.add_argument("reference", help="picture or video that the others are held against")
    command.add_argument("inputs", nargs="+", help="picture or video files")
    command.add_argument(
        "--measures",
        default="ssim,ms-ssim,flip",
        metavar="NAMES",
        help="measures beside PSNR, of ssim,ms-ssim,flip,lpips (default: ssim,ms-ssim,flip)",
    )
    command.add_argument("--flip-map", action="store_true", help="also write the FLIP error as grey pictures")
    command.add_argument("--max-frames", type=int, default=64, help="frames taken of a video (default: 64)")
    command.add_argument("--device", default="cpu", help="auto, cpu, cuda, cuda:1 (default: cpu)")
    command.add_argument("--out", type=Path, help="folder for measures.json, measures.csv and the error maps")
    command.set_defaults(run=lazily("ul_engine.cli.measure", "measure"))
