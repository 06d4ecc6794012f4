"""``ul-train launch``: launch files for Slurm, SkyPilot and Kubernetes, and lines for machines reached by hand."""

import argparse
import json
import sys
from pathlib import Path

from trainer.cluster import RENDERERS, ClusterJob
from trainer.config import Stage, load_config
from trainer.run_dir import RunDir, read_json, write_bytes, write_json
from ul_engine.errors import ConfigError

CONTAINERS = ("skypilot", "kubernetes")
"""Clusters that see no folder of this machine."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    command = commands.add_parser(
        "launch",
        help="print a launch file for Slurm, SkyPilot, Kubernetes, or the lines for machines by hand",
        description="Print (or write, with --out) a ready launch file. The same file starts a run and continues it; "
        "what happens when a node is lost stands in docs/scaling.md.",
    )
    command.add_argument("source", type=Path, metavar="RECIPE_OR_RUN", help="a YAML recipe, or a run folder")
    command.add_argument("--on", required=True, choices=tuple(RENDERERS), help="what starts the processes")
    command.add_argument("--nodes", type=int, default=1, help="machines (default: 1)")
    command.add_argument("--gpus-per-node", type=int, default=8, help="GPUs, and processes, of each (default: 8)")
    command.add_argument("--cpus-per-gpu", type=int, default=8, help="CPU cores for each GPU (default: 8)")
    command.add_argument("--max-restarts", type=int, default=3, help="restarts after a failed process (default: 3)")
    command.add_argument("--stage", choices=[stage.value for stage in Stage], help="of a recipe that does not say")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a recipe's setting")
    command.add_argument(
        "--run-folder",
        type=Path,
        metavar="PATH",
        help="run folder as the nodes see it (default: runs/NAME, /runs/NAME)",
    )
    command.add_argument("--python", help="Python on the nodes (default: this one; python in containers)")
    command.add_argument("--time", help="Slurm: time limit, as 2-00:00:00")
    command.add_argument("--partition", help="Slurm: partition")
    command.add_argument("--account", help="Slurm: account")
    command.add_argument("--accelerators", metavar="NAME:COUNT", help="SkyPilot, Slurm: kind of GPU, as H100:8")
    command.add_argument("--image", help="Kubernetes, SkyPilot: container image with the program in it")
    command.add_argument(
        "--storage", help="where run folders live: a bucket or volume of SkyPilot, a claim of Kubernetes"
    )
    command.add_argument("--address", help="torchrun: the first machine, as HOST or HOST:PORT")
    command.add_argument("--out", type=Path, metavar="FILE", help="write it there instead of printing it")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0; problems are raised."""
    text = RENDERERS[arguments.on](_job(arguments))
    if arguments.out is None:
        sys.stdout.write(text)
        return 0
    write_bytes(arguments.out, text.encode())
    print(f"written: {arguments.out}")
    return 0


def _job(arguments: argparse.Namespace) -> ClusterJob:
    folder, settings = _run_and_settings(arguments)
    is_container = arguments.on in CONTAINERS
    return ClusterJob(
        folder,
        settings,
        num_nodes=arguments.nodes,
        gpus_per_node=arguments.gpus_per_node,
        cpus_per_gpu=arguments.cpus_per_gpu,
        python=arguments.python or ("python" if is_container else sys.executable),
        max_restarts=arguments.max_restarts,
        time=arguments.time,
        partition=arguments.partition,
        account=arguments.account,
        image=arguments.image,
        accelerators=arguments.accelerators,
        storage=arguments.storage,
        address=arguments.address,
    )


def _run_and_settings(arguments: argparse.Namespace) -> tuple[Path, str]:
    """The run folder as the nodes see it, and its settings as text.

    For machines that share this one's folders a recipe's settings are put into the run folder; containers carry them.
    """
    source: Path = arguments.source
    is_run = (source / "config.json").is_file()
    if is_run and arguments.set:
        raise ConfigError("a run has its settings; change them with ul-train resume RUN --set KEY=VALUE", field="set")
    if is_run:
        settings, name = read_json(source / "config.json"), source.name
    elif source.is_dir():
        raise ConfigError(f"{source}: is neither a recipe nor a run folder, which has a config.json in it")
    else:
        stage = (f"stage={arguments.stage}",) if arguments.stage else ()
        config = load_config(source, (*stage, *arguments.set))
        recipe = source.resolve().parent.name if source.stem == config.stage.value else source.stem
        settings, name = config.model_dump(mode="json"), f"{recipe}-{config.stage.value}"
    text = json.dumps(settings, indent=1)
    if arguments.on in CONTAINERS:
        return arguments.run_folder or Path("/runs") / name, text
    folder: Path = (arguments.run_folder or (source if is_run else Path("runs") / name)).resolve()
    if RunDir(folder).config.exists() and arguments.set:
        raise ConfigError(f"{folder} has settings already, which this would not change", field="set")
    if not RunDir(folder).config.exists():
        RunDir(folder).create()
        write_json(RunDir(folder).config, settings)
    return folder, text
