"""What a person wants of a run."""

from dataclasses import dataclass
from enum import Enum


class RunVerb(Enum):
    """What is to be done; the value is also the name that answers carry."""

    PAUSE = "pause"
    STOP = "stop"
    SAVE = "save"
    PREVIEW = "preview"
    RESUME = "resume"
    EXTEND = "extend"
    KILL = "kill"
    PROMOTE = "promote"
    EXPORT = "export"
    COMPARE = "compare"
    PIN = "pin"
    UNPIN = "unpin"


@dataclass(frozen=True)
class RunWish:
    """One deed on one run. `num_steps` is for EXTEND; `step` (None: the run's exported model) is for models and pins,
    `target`, a folder or for PROMOTE a name, for models; `cells` for COMPARE."""

    verb: RunVerb
    path: str
    num_steps: int = 0
    step: int | None = None
    target: str = ""
    cells: tuple[object, ...] = ()
