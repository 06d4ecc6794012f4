"""Arguments that several commands share."""

import argparse
from pathlib import Path


def add_run_options(command: argparse.ArgumentParser) -> None:
    """How a run is carried out."""
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting; repeatable"
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument(
        "--processes", type=int, default=1, metavar="N", help="processes on this machine, one per GPU (torchrun)"
    )
    command.add_argument(
        "--detach", action="store_true", help="start in the background and return; see ul-train status"
    )


def add_data_options(command: argparse.ArgumentParser) -> None:
    """Which data a run trains on."""
    command.add_argument(
        "--data",
        metavar="PATH",
        help="folder, zip, tar or tar shards of pictures or clips; 'scenes': the built-in ones",
    )
    command.add_argument(
        "--size-px", type=int, metavar="N", help="side of the training pictures (default: the model's)"
    )


def run_folder(text: str) -> Path:
    """A path that must be a run folder."""
    from trainer.run_dir import RunDir

    folder = Path(text)
    run = RunDir(folder)
    if not (run.config.is_file() or run.requested.is_file()):
        raise argparse.ArgumentTypeError(f"{folder} is no run folder: it has no config.json")
    return folder
