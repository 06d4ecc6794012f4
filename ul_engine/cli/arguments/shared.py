"""What the commands' options have in common."""

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias, cast

Run = Callable[[argparse.Namespace], int]
MEASURES_HELP = "measures beside PSNR, of ssim,ms-ssim,flip,lpips (default: ssim)"

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]


def lazily(module: str, function: str) -> Run:
    """`function` of `module`, imported when it is called: `ul-engine --help` must not wait for torch."""

    def run(arguments: argparse.Namespace) -> int:
        return cast(Run, getattr(import_module(module), function))(arguments)

    return run


def add_device(command: argparse.ArgumentParser) -> None:
    """Options of every command that computes."""
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--threads", type=int, default=0, help="CPU threads; 0: all cores")


def add_precision(command: argparse.ArgumentParser) -> None:
    """Option of the commands that use a finished model."""
    command.add_argument(
        "--precision", choices=("auto", "fp32", "bf16"), default="auto", help="auto: bf16 on CUDA, else fp32"
    )
