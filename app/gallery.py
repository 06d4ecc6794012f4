"""What the library of results speaks of: one result, and a question put to the index."""

from dataclasses import dataclass
from enum import StrEnum


class GalleryKind(StrEnum):
    """What a result is."""

    PICTURE = "picture"
    CLIP = "clip"


class GalleryOrder(StrEnum):
    """In which order results are shown."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    HEAVIEST = "heaviest"
    PROMPT = "prompt"
    SEED = "seed"


@dataclass(frozen=True)
class GalleryItem:
    """One result as the index knows it."""

    item_id: int
    path: str
    """Absolute; of a clip kept as pictures, their folder."""
    modified_s: float
    size_bytes: int
    kind: GalleryKind = GalleryKind.PICTURE
    width_px: int = 0
    height_px: int = 0
    num_frames: int = 1
    prompt: str = ""
    model: str = ""
    seed: int | None = None
    is_starred: bool = False
    request: str = ""
    """What its file says about its making, as JSON; empty where it says nothing."""
    problem: str = ""
    """Why the file cannot be shown; empty if it can."""


@dataclass(frozen=True)
class Condition:
    """One thing that results must fulfil: a field, how it compares (``has``, ``=``, ``<``, ``<=``, ``>``, ``>=``), and
    with what. `is_not` turns it round."""

    field: str
    operator: str
    value: str | int | float
    is_not: bool = False


@dataclass(frozen=True)
class GalleryQuery:
    """Which results, in which order."""

    conditions: tuple[Condition, ...] = ()
    order: GalleryOrder = GalleryOrder.NEWEST


@dataclass(frozen=True)
class GalleryFacts:
    """What there is in the whole library, for the filters and the empty state."""

    num_items: int = 0
    size_bytes: int = 0
    models: tuple[tuple[str, int], ...] = ()
    """Names of models and how many results each made, most first."""
    bin_items: int = 0
    bin_bytes: int = 0


@dataclass(frozen=True)
class StarWish:
    """Results by their numbers, and whether they should be starred."""

    ids: tuple[int, ...]
    is_starred: bool


@dataclass(frozen=True)
class Cleanup:
    """What a clean-up should take: everything that fulfils all of these. Starred results are never taken."""

    older_than_days: int | None = None
    smaller_than_px: int | None = None
    """Longer side."""
    is_duplicate: bool = False
    """Copies with exactly the same bytes; of each set the oldest stays."""
    is_unreadable: bool = False


@dataclass(frozen=True)
class CleanupPreview:
    """What a clean-up would take."""

    wish: Cleanup
    items: tuple[GalleryItem, ...]

    @property
    def size_bytes(self) -> int:
        """All of them together."""
        return sum(item.size_bytes for item in self.items)
