"""What a check of training data found, as plain values and JSON. No torch."""

from enum import StrEnum

from pydantic import Field

from trainer.config.data import DataConfig
from ul_engine.requests import FrozenModel

REPORT_VERSION = 1
MAX_NAMED = 1000
"""Files named under one problem; its `count` is always the true one."""


class Verdict(StrEnum):
    """Whether a run can start."""

    READY = "ready"
    USABLE = "usable"
    BLOCKED = "blocked"


class Level(StrEnum):
    """What a problem means for a run: it cannot start or would end early, it loses by it, it is only told."""

    BLOCKS = "blocks"
    WARNS = "warns"
    INFORMS = "informs"


class ProblemKind(StrEnum):
    """Everything that is looked for."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    WORDS = "captions or classes"
    TOO_FEW = "too few"
    ENLARGED = "enlarged"
    LEFT_OUT = "left out"
    EXACT_DUPLICATES = "exact duplicates"
    NEAR_DUPLICATES = "near duplicates"
    SEVERAL_CLASSES = "several classes"
    IMBALANCE = "imbalance"
    MISSING_CAPTIONS = "missing captions"
    MOVING = "moving"
    CUT_OFF = "cut off"
    SHORT_CLIPS = "short clips"
    BROKEN_OFF = "broken off"
    MISNAMED = "misnamed"
    IGNORED = "ignored"


class FileNote(FrozenModel):
    """One file and what is to be said of it."""

    name: str
    note: str = ""


class Problem(FrozenModel):
    """Something found. `what` and `remedy` are whole sentences."""

    kind: ProblemKind
    level: Level
    count: int = Field(ge=0, description="Files, or groups where there are groups.")
    what: str
    remedy: str = ""
    files: tuple[FileNote, ...] = Field((), description=f"At most {MAX_NAMED}.")
    groups: tuple[tuple[str, ...], ...] = Field((), description=f"Files that belong together; at most {MAX_NAMED}.")

    @property
    def sentence(self) -> str:
        """All of it."""
        return f"{self.what} {self.remedy}".strip()


class Count(FrozenModel):
    """How often something occurs."""

    name: str
    count: int


class Bar(FrozenModel):
    """One bar of a histogram: values from `low` up to `high`, which it leaves out (None: no limit)."""

    low: float
    high: float | None
    label: str
    count: int


class Spread(FrozenModel):
    """Least, middle and greatest of many values."""

    least: float
    median: float
    greatest: float


class FilesFound(FrozenModel):
    """The files, whether they can be read or not."""

    num_files: int = Field(description="Files that samples are made of.")
    num_bytes: int = Field(description="Bytes of these files, as they are read.")
    formats: tuple[Count, ...] = Field(description="By what their content says, most frequent first.")
    num_readable: int
    num_used: int = Field(description="Readable files that the settings do not leave out.")


class SizesFound(FrozenModel):
    """Sizes of the readable files, in pixels, upright."""

    shorter_px: Spread
    longer_px: Spread
    shorter: tuple[Bar, ...]
    aspects: tuple[Bar, ...] = Field(description="Width / height.")


class ClassesFound(FrozenModel):
    """Classes and how many used files each has; empty where there are none."""

    counts: tuple[Count, ...] = ()
    imbalance: float | None = Field(None, description="Largest / smallest class; None without classes.")


class CaptionsFound(FrozenModel):
    """What is said of the used files."""

    num_with: int = 0
    num_missing: int = 0
    num_words: int = Field(0, description="Distinct words.")
    frequent: tuple[Count, ...] = Field((), description="The most frequent words.")
    longest_words: int = Field(0, description="Words of the longest caption.")
    longest: FileNote | None = Field(None, description="The longest caption and its file.")


class ClipsFound(FrozenModel):
    """Lengths and rates of the readable video files."""

    num_frames: Spread
    fps: Spread
    duration_s: Spread
    total_s: float
    num_long_enough: int = Field(description="Files that hold at least one training clip.")


class Suggestion(FrozenModel):
    """Settings that suit the data, and the command that starts a run with them."""

    size_px: int
    fit: str
    preset: str
    command: tuple[str, ...]


class DataReport(FrozenModel):
    """Everything a check found. `verdict` blocked: a run would not start or would end early."""

    version: int = REPORT_VERSION
    data: DataConfig = Field(description="The settings, with size and fit chosen where they were not set.")
    num_train: int = Field(description="Samples to learn from.")
    num_valid: int = Field(description="Samples held out.")
    files: FilesFound | None = Field(None, description="None where the samples are not files.")
    sizes: SizesFound | None = Field(None, description="None where no size is known.")
    classes: ClassesFound = ClassesFound()
    captions: CaptionsFound = CaptionsFound()
    clips: ClipsFound | None = None
    problems: tuple[Problem, ...] = ()
    verdict: Verdict
    suggestion: Suggestion | None = Field(None, description="None where nothing can be trained on.")
    sheet: str | None = Field(None, description="Where the contact sheet was written; None: it was not asked for.")
    device_bytes: int | None = Field(
        None, description="Memory of the graphics card that the suggestion is for; None: there is none."
    )
    elapsed_s: float
    num_processes: int

    @property
    def advice(self) -> tuple[str, ...]:
        """What was found and what to do about it, the gravest first."""
        return tuple(problem.sentence for problem in self.problems)

    def of_kind(self, kind: ProblemKind) -> Problem | None:
        """The problem of that kind, None where it was not found."""
        return next((problem for problem in self.problems if problem.kind is kind), None)
