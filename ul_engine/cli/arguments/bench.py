"""Options of ``ul-engine bench``."""

from pathlib import Path
from typing import TYPE_CHECKING

from ul_engine.cli.arguments.shared import add_device, lazily

if TYPE_CHECKING:
    from ul_engine.cli.arguments.shared import Commands


def add(commands: "Commands") -> None:
    """Time everything."""
    command = commands.add_parser(
        "bench",
        help="time networks, training steps, generation and reconstruction here",
        description="Times a configuration with fresh weights, against the machine's own matmul peak. On a shared "
        "machine go by the CPU seconds of one thread and by the best figures.",
    )
    subject = command.add_mutually_exclusive_group()
    subject.add_argument("--model", type=Path, help="model folder (default: the bundled one)")
    subject.add_argument("--preset", help="a model preset; ul-engine describe --list shows them")
    subject.add_argument("--shapes", help="a fixed set to compare by: S64 (batch 8, one thread, fp32)")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    command.add_argument("--batch-size", type=int, help="samples per evaluation and training step (usual: 16)")
    command.add_argument("--precision", help="bf16 or fp32 networks (usual: bf16 on CUDA, else fp32)")
    command.add_argument("--compile", action="store_true", help="compile the networks' blocks (slow to start)")
    command.add_argument("--repeats", type=int, help="timed repetitions; the median counts (usual: 5)")
    command.add_argument("--parts", help="of networks,training,sampling; default: all")
    add_device(command)
    command.set_defaults(run=lazily("ul_engine.cli.bench", "bench"))
