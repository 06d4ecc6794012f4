"""The processes of a run: who this one is, on which device, and what they do together."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from ul_engine.devices import pick_device
from ul_engine.errors import ConfigError

CONTROL_TIMEOUT = timedelta(hours=2)
"""Of the groups on the CPU: rank 0 validates and draws alone, which the others wait for."""


@dataclass(frozen=True)
class Ranks:
    """This process among those of the run. `control` and `saving` are groups on the CPU; None: a process by itself."""

    rank: int
    size: int
    device: torch.device
    control: dist.ProcessGroup | None = None
    saving: dist.ProcessGroup | None = None

    @property
    def is_group(self) -> bool:
        """Whether torchrun started this process, alone or with others."""
        return self.control is not None

    @property
    def is_main(self) -> bool:
        """Whether this one speaks for all."""
        return self.rank == 0

    def sum_(self, values: Tensor) -> Tensor:
        """`values` summed over all ranks, in place, on their device."""
        if self.is_group:
            dist.all_reduce(values)
        return values

    def shared_out(self, stack: Tensor, work: Callable[[Tensor], Tensor]) -> Tensor:
        """`work(stack)` on every rank, of which each does a part. `work` keeps shape and type, and does each of
        `[N, ...]` by itself, a part of zeros too. All ranks pass the same stack."""
        share = -(-len(stack) // self.size)
        if not self.is_group or len(stack) == 1:
            return work(stack)
        mine = torch.zeros(share, *stack.shape[1:], dtype=stack.dtype, device=stack.device)
        part = stack[self.rank * share : (self.rank + 1) * share]
        mine[: len(part)] = part
        parts = [torch.empty_like(mine) for _ in range(self.size)]
        dist.all_gather(parts, work(mine).contiguous())
        return torch.cat(parts)[: len(stack)]

    def barrier(self) -> None:
        """Wait for all ranks, on the CPU."""
        if self.is_group:
            dist.barrier(group=self.control)

    def from_main(self, value: Any) -> Any:
        """What rank 0 passed, on every rank."""
        if not self.is_group:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self.control)
        return box[0]


def single(device: torch.device) -> Ranks:
    """A run of one process that nobody else started."""
    return Ranks(0, 1, device)


@contextmanager
def joined(device: str = "auto") -> Iterator[Ranks]:
    """The ranks that torchrun started (RANK, LOCAL_RANK, WORLD_SIZE in the environment), or this process alone.

    With CUDA every rank takes the device of its local number; collectives of CPU tensors go through gloo. Raises
    ConfigError where a machine has fewer devices than processes.
    """
    if "WORLD_SIZE" not in os.environ:
        yield single(pick_device(device))
        return
    chosen = _device_of_rank(device, int(os.environ["LOCAL_RANK"]))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("cpu:gloo,cuda:nccl" if chosen.type == "cuda" else "gloo")
    try:
        control = dist.new_group(backend="gloo", timeout=CONTROL_TIMEOUT)
        saving = dist.new_group(backend="gloo", timeout=CONTROL_TIMEOUT)
        yield Ranks(dist.get_rank(), dist.get_world_size(), chosen, control, saving)
    finally:
        dist.destroy_process_group()


def _device_of_rank(name: str, local_rank: int) -> torch.device:
    device = pick_device(name)
    if device.type == "mps":
        raise ConfigError("mps: a run of several processes needs CUDA devices, or the CPU", field="device")
    return pick_device(f"cuda:{local_rank}") if device.type == "cuda" else device
