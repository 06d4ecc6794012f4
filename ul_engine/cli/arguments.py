"""Commands and options of ``ul-engine``. Heavy modules are imported only by the command that needs them."""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from ul_engine.requests import SamplerName

Run = Callable[[argparse.Namespace], int]


def _lazily(module: str, function: str) -> Run:
    """`function` of `module`, imported when it is called: `ul-engine --help` must not wait for torch."""

    def run(arguments: argparse.Namespace) -> int:
        return cast(Run, getattr(import_module(module), function))(arguments)

    return run


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(prog="ul-engine", description="Unified Latents: generate, reconstruct, measure.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_generate(commands)
    _add_reconstruct(commands)
    models = commands.add_parser("models", help="list the models on this machine, or check one by its hashes")
    models.add_argument("--verify", metavar="FOLDER", type=Path, help="read every weight file and compare its SHA-256")
    models.set_defaults(run=_lazily("ul_engine.cli.inspect", "models"))
    bench = commands.add_parser(
        "bench", help="time training steps, generation and reconstruction on a model's configuration"
    )
    bench.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    bench.add_argument("--json", action="store_true", help="print JSON instead of a table")
    bench.add_argument("--batch-size", type=int, default=16, help="samples per training step (default: 16)")
    bench.add_argument("--repeats", type=int, default=3, help="timed repetitions; the median counts (default: 3)")
    _add_device(bench)
    bench.set_defaults(run=_lazily("ul_engine.cli.bench", "bench"))
    doctor = commands.add_parser("doctor", help="say what is missing on this machine and how to mend it")
    doctor.set_defaults(run=_lazily("ul_engine.cli.doctor", "doctor"))
    return parser


def _add_generate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("generate", help="make pictures")
    command.add_argument("prompt", nargs="?", default="", help="what to show; leave out for no condition")
    command.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    command.add_argument("--class-label", type=int, help="class of a class-conditioned model")
    command.add_argument("-n", "--num-images", type=int, default=1, help="pictures to make (default: 1)")
    command.add_argument("--seed", type=int, default=0, help="seed of the first picture; the next takes seed + 1")
    command.add_argument("--width", type=int, help="width in pixels (default: the model's)")
    command.add_argument("--height", type=int, help="height in pixels (default: the model's)")
    command.add_argument("--preset", default="Balanced", help="Preview, Balanced or Paper, or one of the model's own")
    command.add_argument("--guidance", type=float, help="guidance weight instead of the preset's")
    command.add_argument("--base-steps", type=int, help="steps of the base model instead of the preset's")
    command.add_argument("--decoder-steps", type=int, help="steps of the decoder instead of the preset's")
    command.add_argument("--sampler", choices=[name.value for name in SamplerName], help="sampler of both loops")
    command.add_argument("--out", type=Path, help="outputs folder (default: the program's)")
    command.add_argument("--request", type=Path, help="JSON of a whole request, or a picture made by this program")
    _add_device(command)
    command.set_defaults(run=_lazily("ul_engine.cli.generate", "generate"))


def _add_reconstruct(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("reconstruct", help="encode pictures, noise their latents, decode, and measure")
    command.add_argument("inputs", nargs="+", help="picture files")
    command.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    command.add_argument(
        "--latent-logsnr", default="5", metavar="L,L,...", help="noise ladder, e.g. 5,3,1,-1 (5 is native)"
    )
    command.add_argument("--out", type=Path, required=True, help="folder for the pictures and metrics.json")
    command.add_argument("--seed", type=int, default=0, help="seed of latent and decoder noise")
    command.add_argument("--preset", default="Balanced", help="steps of both loops")
    _add_device(command)
    command.set_defaults(run=_lazily("ul_engine.cli.reconstruct", "reconstruct"))


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    command.add_argument("--threads", type=int, default=0, help="CPU threads; 0: all cores")
