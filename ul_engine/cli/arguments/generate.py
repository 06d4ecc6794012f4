"""Options of ``ul-engine generate``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import add_device, lazily
from ul_engine.requests import SamplerName

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Make pictures."""
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
    add_device(command)
    command.set_defaults(run=lazily("ul_engine.cli.generate", "generate"))
