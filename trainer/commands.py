"""Commands to a running trainer: files and signals, gathered from all ranks so that they act after the same step."""

import math
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor
from torch import distributed as dist

from trainer.protocol import Command
from trainer.ranks import Ranks
from trainer.signals import StopRequest

ORDER = tuple(Command)


class CommandInbox:
    """What was asked for since the last look: by a file in the folder (rank 0), by SIGTERM or SIGINT (any rank).

    A signal means stop, while `signal` listens. `poll` starts gathering over the ranks and gives what was gathered the
    time before, so that nobody waits: a command acts one step later than it was seen, on all ranks after the same one.
    """

    def __init__(self, folder: Path, ranks: Ranks) -> None:
        self._folder = folder
        self._ranks = ranks
        self.signal = StopRequest()
        self._pending: tuple[Tensor, dist.Work] | None = None

    def clear(self, since_s: float | None = None) -> None:
        """Forget commands of before `since_s` (None: of before now): they were meant for another run. Whoever presses
        Stop while the processes still load is not to be forgotten."""
        if self._ranks.is_main:
            self._take(before_s=since_s if since_s is not None else math.inf)

    def poll(self) -> set[Command]:
        """The commands to act on now."""
        here = self._take() if self._ranks.is_main else set()
        if self.signal.is_set:
            here.add(Command.STOP)
        if not self._ranks.is_group:
            return here
        gathered = self.drain()
        flags = torch.tensor([int(command in here) for command in ORDER], dtype=torch.int32)
        self._pending = (flags, dist.all_reduce(flags, dist.ReduceOp.MAX, group=self._ranks.control, async_op=True))
        return gathered

    def drain(self) -> set[Command]:
        """What was still being gathered; to be called by all ranks before they stop polling."""
        if self._pending is None:
            return set()
        flags, work = self._pending
        work.wait()
        self._pending = None
        return {command for command, flag in zip(ORDER, flags.tolist(), strict=True) if flag}

    def _take(self, *, before_s: float = math.inf) -> set[Command]:
        """Commands that were laid into the folder before then, which are removed. Other files are left alone."""
        found = set()
        for command in ORDER:
            path = self._folder / command.value
            with suppress(OSError):
                if before_s == math.inf or path.stat().st_mtime < before_s:
                    path.unlink()
                    found.add(command)
        return found
