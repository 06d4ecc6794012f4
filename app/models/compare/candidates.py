"""What is laid beside each other: the original, each model, each codec."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.models.compare.figures import Figures
from app.models.compare.findings import ByteMap
from app.models.model_library import titles_of
from app.pixels import Clip
from ul_engine.model_folder import ModelEntry

CODEC_TITLES = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF", "jpegxl": "JPEG XL"}


class CandidateKind(StrEnum):
    """Where a candidate comes from."""

    ORIGINAL = "original"
    FILE = "file"
    """Another picture, as it is."""
    MODEL = "model"
    CODEC = "codec"


@dataclass(frozen=True)
class Candidate:
    """One column of a comparison. `name` is the model's folder or the codec's name."""

    kind: CandidateKind
    name: str
    title: str


class ShownState(StrEnum):
    """Where a candidate's picture stands."""

    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"
    MISSING = "missing"


@dataclass(frozen=True)
class Shown:
    """A candidate as it is to be shown now."""

    candidate: Candidate
    state: ShownState
    clip: Clip | None = None
    figures: Figures | None = None
    flip_map: ByteMap | None = None
    words: str = ""
    """Below its name: the level, or how a codec's file was made."""


def candidates_of(
    models: tuple[ModelEntry, ...], codecs: Sequence[str], files: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """The original first, then other files, then models as chosen, then codecs.

    Models of one name are told apart by their folders.
    """
    original = Candidate(CandidateKind.ORIGINAL, "", QCoreApplication.translate("Candidates", "Original"))
    titled = zip(models, titles_of(models), strict=True)
    found = [Candidate(CandidateKind.MODEL, entry.path, title) for entry, title in titled]
    others = [Candidate(CandidateKind.FILE, path, Path(path).name) for path in files]
    return (original, *others, *found, *(Candidate(CandidateKind.CODEC, name, CODEC_TITLES[name]) for name in codecs))
