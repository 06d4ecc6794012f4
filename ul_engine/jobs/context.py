"""What a running job may talk to: where its news go, and whether it should stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch

from ul_engine import protocol
from ul_engine.comparison import Meter, Shelf
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.errors import Cancelled
from ul_engine.pipelines import Observe, Phase
from ul_engine.requests import SamplingSettings

Send = Callable[[protocol.News, bytes], None]
"""Takes one message and its payload; called on the thread that runs the job."""


@dataclass
class Workbench:
    """What jobs of one process leave for the next ones: studies of inputs, and measures with their weights."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    shelf: Shelf = field(default_factory=Shelf)

    @cached_property
    def meter(self) -> Meter:
        """What takes measures."""
        return Meter(self.device)


@dataclass
class JobContext:
    """One running job. `workbench` may be shared by jobs that run one after the other."""

    job_id: str
    send: Send
    is_cancelled: Callable[[], bool]
    workbench: Workbench = field(default_factory=Workbench)

    def __post_init__(self) -> None:
        self.started = time.perf_counter()
        self._last_preview = 0.0

    def elapsed_s(self) -> float:
        """Seconds since the job began."""
        return time.perf_counter() - self.started

    def check(self) -> None:
        """Raise Cancelled if the person asked to stop."""
        if self.is_cancelled():
            raise Cancelled

    def is_preview_due(self, interval_s: float) -> bool:
        """Whether the last preview is long enough ago; remembers that one is made now."""
        now = time.perf_counter()
        if now - self._last_preview < interval_s:
            return False
        self._last_preview = now
        return True


@dataclass(frozen=True)
class Batch:
    """Place of the running batch in its job: pictures `first` to `first + size` of `total`, and how many of the loops
    that make them are done."""

    first: int
    size: int
    total: int
    loops_done: int = 0
    num_loops: int = 1

    def fraction(self, share: float) -> float:
        """Share of the whole job that is done when `share` of the running loops is."""
        return (self.first + self.size * (self.loops_done + share) / self.num_loops) / self.total


def report_steps(context: JobContext, batch: Batch, sampling: SamplingSettings) -> Observe:
    """An observer that sends progress, and stops the loop when asked. Both diffusions count by their steps."""
    whole = sampling.base.num_steps + sampling.decoder.num_steps
    base_share = sampling.base.num_steps / whole

    def report(phase: Phase, step: SamplerStep) -> None:
        context.check()
        part = step.index / step.num_steps
        share = base_share * part if phase == "base" else base_share + (1.0 - base_share) * part
        context.send(
            protocol.JobProgress(
                job_id=context.job_id,
                phase=phase,
                step=step.index,
                num_steps=step.num_steps,
                first_index=batch.first,
                batch_size=batch.size,
                fraction=min(1.0, batch.fraction(share)),
            ),
            b"",
        )

    return report
