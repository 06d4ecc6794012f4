"""How a run is started: its name, on which devices, on how many machines."""

import re
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from trainer.launch import LaunchPlan
from ul_engine.requests import FrozenModel

MAX_NAME = 100
_BAD = re.compile(r"[^\w.-]+")


class LaunchSettings(FrozenModel):
    """Where and how a run works; nothing here changes what it computes."""

    name: str = Field(
        min_length=1,
        max_length=MAX_NAME,
        description="Name of the run, and of its folder: letters, digits, dots, dashes.",
        pattern=r"^[\w][\w.-]*$",
    )
    device: str = Field("auto", min_length=1, description="Where it computes: auto, cpu, cuda, cuda:1, mps.")
    num_processes: int = Field(1, ge=1, le=64, description="Processes on this machine, one per GPU.")
    num_nodes: int = Field(1, ge=1, le=1024, description="Machines that train together; start the run on each.")
    rendezvous: str | None = Field(
        None, description="Where the machines meet: host:port of the first. None: only needed for several machines."
    )
    node_rank: int | None = Field(
        None, ge=0, description="Which machine this is, 0 for the first. None: they find out by their addresses."
    )
    max_restarts: int = Field(3, ge=0, le=100, description="Restarts after a process has died; several processes only.")
    threads: int = Field(0, ge=0, le=256, description="CPU threads of each process; 0: an even share of the cores.")

    @model_validator(mode="after")
    def _meets(self) -> Self:
        if self.num_nodes > 1 and not re.fullmatch(r"\S+:\d+", self.rendezvous or ""):
            raise ValueError("rendezvous must be host:port of the first machine when num_nodes is more than 1")
        return self

    def plan(self, runs: Path) -> LaunchPlan:
        """The trainer's own plan, in the folder of all runs."""
        return LaunchPlan(
            (runs / self.name).absolute(),
            num_processes=self.num_processes,
            num_nodes=self.num_nodes,
            rendezvous=self.rendezvous,
            node_rank=self.node_rank,
            max_restarts=self.max_restarts,
            device=self.device,
            threads=self.threads,
        )


def proposed_name(stem: str, stage: str, runs: Path) -> str:
    """A name that no run has yet: ``photos-stage1``, ``photos-stage1-2``."""
    plain = _BAD.sub("-", stem).strip("-.") or "run"
    first = f"{plain[: MAX_NAME - 20]}-{stage}"
    name, number = first, 2
    while (runs / name).exists():
        name, number = f"{first}-{number}", number + 1
    return name
