"""What is to run on a cluster, whatever its software, and the shell lines that all launch files share."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainer.launch import LaunchPlan, command, environment
from ul_engine.errors import ConfigError

PORT: Final = 29400
"""Where the nodes of a job meet, on its first node; torchrun's usual one."""
RENDEZVOUS: Final = f"$HEAD:{PORT}"
"""Stands in rendered commands for the place; the variable is the first node, which only the running job knows."""
RENDEZVOUS_OPTIONS: Final = "PET_RDZV_CONF"
_TIME = re.compile(r"(\d+-)?\d+(:\d\d){0,2}")
_ACCELERATORS = re.compile(r"[A-Za-z0-9_.-]+(:\d+)?")


@dataclass(frozen=True)
class ClusterJob:
    """A run on `num_nodes` nodes of `gpus_per_node` GPUs, one process for each.

    `run` is the run folder as the nodes see it, on storage that all of them share; `settings` the text of its
    config.json, for clusters that must be told (Kubernetes, SkyPilot). What is None or empty is left to the cluster.
    """

    run: Path
    settings: str
    num_nodes: int = 1
    gpus_per_node: int = 8
    cpus_per_gpu: int = 8
    python: str = "python"
    max_restarts: int = 3
    time: str | None = None
    partition: str | None = None
    account: str | None = None
    image: str | None = None
    accelerators: str | None = None
    storage: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        for name in ("num_nodes", "gpus_per_node", "cpus_per_gpu"):
            if getattr(self, name) < 1:
                raise ConfigError("at least 1", field=name)
        for name in ("partition", "account", "image", "storage", "address", "python"):
            value = getattr(self, name)
            if value is not None and (not value.isprintable() or not value.strip() or " " in value):
                raise ConfigError(f"{value!r} is no name", field=name)
        if self.time is not None and not _TIME.fullmatch(self.time):
            raise ConfigError(f"{self.time!r}: write days-hours:minutes:seconds, for example 2-00:00:00", field="time")
        if self.accelerators is not None and not _ACCELERATORS.fullmatch(self.accelerators):
            raise ConfigError(f"{self.accelerators!r}: write NAME:COUNT, for example H100:8", field="accelerators")
        if not self.run.is_absolute() or not str(self.run).isprintable():
            raise ConfigError(f"{self.run}: the nodes need a full path", field="run")

    @property
    def name(self) -> str:
        """Of the job: lower case, digits and dashes, at most 40 characters, as Kubernetes wants it."""
        return re.sub(r"[^a-z0-9]+", "-", f"ul-{self.run.name}".lower())[:40].strip("-")

    @property
    def plan(self) -> LaunchPlan:
        """How each node starts its part; the first node is the shell variable HEAD."""
        return LaunchPlan(
            self.run,
            num_processes=self.gpus_per_node,
            num_nodes=self.num_nodes,
            rendezvous=self.address or RENDEZVOUS,
            max_restarts=self.max_restarts,
            threads=1,
            python=self.python,
        )


def command_line(plan: LaunchPlan) -> str:
    """`trainer.launch.command` as one line of shell, quoted, but for the variable of the rendezvous."""
    return " ".join(f'"{word}"' if word == RENDEZVOUS else shlex.quote(word) for word in command(plan))


def exports(plan: LaunchPlan, node_rank: str | None = None) -> list[str]:
    """`trainer.launch.environment` as lines of shell.

    `node_rank` is a shell expression for the number of the node; None for a single node, or where it is left open.
    """
    variables = environment(plan)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items() if name != RENDEZVOUS_OPTIONS]
    options = variables.get(RENDEZVOUS_OPTIONS)
    if options is None:
        return lines
    host = f"is_host=$(( {node_rank} == 0 ))," if node_rank is not None else ""
    return [*lines, f'export {RENDEZVOUS_OPTIONS}="{host}{options}"']


def comment(*lines: str) -> str:
    """Lines as a comment of a shell script or a YAML file."""
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def put_settings(run: Path, source: str) -> list[str]:
    """Shell lines that give a run folder its settings, unless it has them: a job that starts again finds its run.

    Moved into place, since the nodes of a job may do so at the same moment.
    """
    config = shlex.quote(str(run / "config.json"))
    copied = f'{config}."$HOSTNAME"'
    return [
        f"mkdir -p {shlex.quote(str(run))}",
        f"[ -e {config} ] || {{ cp {shlex.quote(source)} {copied} && mv {copied} {config}; }}",
    ]
