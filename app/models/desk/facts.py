"""What is known of the models on this computer beyond their manifests, and of those on the Hub."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DiskFacts:
    """One model folder, as the disk tells."""

    size_bytes: int
    is_bundled: bool
    foreign: tuple[str, ...] = ()
    """Files that belong to no model; never read."""
    source: str = ""
    """Repository or folder it came from; empty if that is not known."""
    commit: str = ""
    when: str = ""


@dataclass(frozen=True)
class Unfinished:
    """A download that was stopped and can go on."""

    repo: str
    done_bytes: int


@dataclass(frozen=True)
class RemovedModel:
    """A model in the bin."""

    batch: str
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Storage:
    """The whole of the person's models."""

    models: dict[str, DiskFacts] = field(default_factory=dict)
    own_bytes: int = 0
    free_bytes: int = 0
    unfinished: tuple[Unfinished, ...] = ()
    removed: tuple[RemovedModel, ...] = ()


@dataclass(frozen=True)
class Account:
    """Which server is spoken with, and how."""

    endpoint: str = ""
    has_token: bool = False
    is_offline: bool = False
    problem: str = ""


@dataclass(frozen=True)
class HubModel:
    """A search result."""

    repo: str
    task: str = ""
    downloads: int = 0
    likes: int = 0
    updated: str = ""
    is_gated: bool = False
    is_private: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class HubSearch:
    """What was asked of the Hub, and what came of it."""

    query: str = ""
    is_running: bool = False
    is_answered: bool = False
    found: tuple[HubModel, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Verified:
    """What reading every weight file of a model has shown."""

    problems: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Whether every file is as published."""
        return not self.problems


@dataclass(frozen=True)
class DeskTask:
    """Something that takes a while."""

    task_id: str
    deed: str
    subject: str
    """Repository or folder."""
    state: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_s: float = 0.0
    note: str = ""
    is_stopping: bool = False

    @property
    def fraction(self) -> float:
        """Between 0 and 1."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else 0.0


@dataclass(frozen=True)
class PublishPlan:
    """What publishing would send."""

    repo: str
    card: str
    uploads: tuple[tuple[str, int], ...]
    left_out: tuple[str, ...]
    card_note: str
    licence: str


@dataclass(frozen=True)
class PublishWish:
    """What a person wants to publish, and how."""

    folder: str
    repo: str
    licence: str = ""
    is_private: bool = False
