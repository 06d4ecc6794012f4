"""``ul-train eval``: measure a checkpoint of a run on its held-out samples, or export it as a model."""

import argparse
import json
from pathlib import Path

from trainer.cli.options import run_folder


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    command = commands.add_parser(
        "eval",
        help="measure a checkpoint of a run on its held-out samples, or export it as a model",
        description="Measure the averaged weights of a checkpoint on the run's held-out samples and write "
        "evaluation.json beside it. The run may be training meanwhile. For other data, codecs and distances between "
        "sets, use ul-engine evaluate on the exported model.",
    )
    command.add_argument("folder", type=run_folder, metavar="RUN")
    command.add_argument("--checkpoint", type=int, metavar="STEP", help="which checkpoint (default: the newest)")
    command.add_argument("--num-images", type=int, metavar="N", help="held-out samples (default: as the run's own)")
    command.add_argument("--decoder-steps", type=int, metavar="N", help="sampler steps of the reconstructions")
    command.add_argument("--bitrate-times", type=int, metavar="N", help="noise levels of the bitrate estimate")
    command.add_argument("--export", type=Path, metavar="FOLDER", help="also write this state as a model folder")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from trainer.evaluate import Measurement, evaluate_run

    wanted = Measurement(arguments.checkpoint, arguments.num_images, arguments.decoder_steps, arguments.bitrate_times)
    found = evaluate_run(arguments.folder, wanted, device=arguments.device, export=arguments.export)
    if arguments.json:
        print(json.dumps(found, indent=1))
        return 0
    print(f"{arguments.folder}, step {found['step']}")
    for name, value in found["figures"].items():
        print(f"  {name:34} {value:.5g}")
    if arguments.export is not None:
        print(f"exported to {arguments.export}")
    return 0
