"""What is known of a training run, as it travels from its folder to the models."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class RunCondition(Enum):
    """How a run stands, as its process and its files say together."""

    UNSTARTED = "unstarted"
    """Settings lie there, and nothing has been begun."""
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """It says that it runs, and its process is gone."""

    @property
    def is_live(self) -> bool:
        """Whether somebody is there who can be asked for something."""
        return self in (RunCondition.STARTING, RunCondition.RUNNING)

    @property
    def can_resume(self) -> bool:
        """Whether it can go on."""
        return self in (RunCondition.PAUSED, RunCondition.STOPPED, RunCondition.FAILED, RunCondition.INTERRUPTED)


@dataclass(frozen=True)
class Standing:
    """A run's status with the truth about its process."""

    condition: RunCondition = RunCondition.UNSTARTED
    step: int = 0
    num_steps: int = 0
    reason: str = ""
    advice: tuple[str, ...] = ()
    can_retry: bool = True
    host: str = ""
    pid: int = 0
    num_ranks: int = 1
    heartbeat_s: float = 0.0
    """Seconds since 1970; 0: never."""
    is_here: bool = True
    """Whether it runs or ran on this machine."""


@dataclass(frozen=True)
class RunFacts:
    """What a run's settings say."""

    stage: str = ""
    preset: str = ""
    model_name: str = ""
    data: str = ""
    num_steps: int = 0
    batch_size: int = 0
    image_px: int = 0
    loss_factor: float | None = None
    init_from: str = ""
    keep_checkpoints: int = 2
    milestone_every: int = 0
    prior_band_edges: tuple[float, ...] = ()
    decoder_band_edges: tuple[float, ...] = ()


@dataclass(frozen=True)
class RunSummary:
    """A row of the list of runs."""

    path: str
    name: str
    standing: Standing
    facts: RunFacts
    changed_s: float
    """When something last happened in it, seconds since 1970."""


@dataclass
class Block:
    """Values of one figure by step, ascending. A step that comes again replaces what was known from there on."""

    steps: "array[float]" = field(default_factory=lambda: array("d"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, step: float, time_s: float, value: float) -> None:
        """One value."""
        if self.steps and step <= self.steps[-1]:
            self.cut(step)
        self.steps.append(step)
        self.times.append(time_s)
        self.values.append(value)

    def extend(self, other: "Block") -> None:
        """Values that came later."""
        if self.steps and other.steps and other.steps[0] <= self.steps[-1]:
            self.cut(other.steps[0])
        self.steps.extend(other.steps)
        self.times.extend(other.times)
        self.values.extend(other.values)

    def cut(self, step: float) -> None:
        """Forget everything from `step` on."""
        place = bisect_left(self.steps, step)
        del self.steps[place:], self.times[place:], self.values[place:]


@dataclass(frozen=True)
class Happening:
    """An event that is no figure: a start, a preview, a checkpoint, a bad step, an end."""

    kind: str
    step: int
    time_s: float
    values: Mapping[str, Any]


@dataclass(frozen=True)
class CheckpointFacts:
    """A training state on the disk."""

    step: int
    path: str
    num_bytes: int
    saved_s: float
    is_pinned: bool = False
    """It stays, however many come after it."""


@dataclass(frozen=True)
class RunNews:
    """What is new in a run's folder since the last time. None means: as it was."""

    path: str
    is_from_start: bool = False
    """Whether everything known before is to be forgotten."""
    blocks: Mapping[str, Block] = field(default_factory=dict)
    """By ``type/name``, elements of lists as ``type/name/0``."""
    happenings: tuple[Happening, ...] = ()
    is_caught_up: bool = True
    """Whether this reaches to the present; False: more of the past follows at once."""
    standing: Standing | None = None
    facts: RunFacts | None = None
    console: str | None = None
    checkpoints: tuple[CheckpointFacts, ...] | None = None
    best_scores: Mapping[int, float] | None = None
    has_model: bool | None = None
