"""One moment of the way to a new run, and what stands in its way."""

from dataclasses import dataclass

from PySide6.QtGui import QImage

from app.models.new_run.base_settings import Goal
from app.models.new_run.recipes import RecipeCard
from app.models.new_run.starts import StartPoint
from trainer.cost import RunEstimate
from trainer.data.check.report import DataReport


@dataclass(frozen=True)
class Doing:
    """How far a check is; `total` 1 or less: unknown."""

    what: str
    done: int = 0
    total: int = 0

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where it cannot be told."""
        return self.done / self.total if self.total > 1 else None


@dataclass(frozen=True)
class Trouble:
    """Something that did not work, with the last lines of what tried it."""

    words: str
    details: str = ""


@dataclass(frozen=True)
class Blocker:
    """Why the run cannot start: a sentence that says what to do, and a deed that does it, if there is one."""

    sentence: str
    deed: str = ""
    label: str = ""
    value: int = 0


@dataclass(frozen=True)
class NewRunState:
    """All choices and all answers so far."""

    goal: Goal = Goal.FRESH
    data: str = ""
    """A path, or ``scenes``."""
    doing: Doing | None = None
    report: DataReport | None = None
    check_trouble: Trouble | None = None
    sheet: QImage | None = None
    """Picture of the tensors for the present settings; None: none yet."""
    is_drawing: bool = False
    sheet_trouble: Trouble | None = None
    starts: tuple[StartPoint, ...] = ()
    start: StartPoint | None = None
    recipe: str = ""
    cards: tuple[RecipeCard, ...] = ()
    settings_problem: str = ""
    """Why there are no settings yet."""
    estimate: RunEstimate | None = None
    is_estimating: bool = False
    is_estimate_old: bool = False
    """Whether settings were changed since."""
    estimate_trouble: Trouble | None = None
    is_launching: bool = False
    launch_trouble: str = ""

    @property
    def is_scenes(self) -> bool:
        """Whether the built-in scenes were chosen."""
        return self.data == SCENES_CHOICE


SCENES_CHOICE = "scenes"
