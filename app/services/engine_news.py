"""What the engine client tells beyond the protocol's own messages: each one frozen object."""

from dataclasses import dataclass

from app.pixels import Clip, Pixels
from ul_engine.protocol import News


@dataclass(frozen=True)
class EngineDeath:
    """The worker process is gone."""

    words: str
    """Reads on after "The engine stopped: "."""
    stderr_tail: tuple[str, ...]
    restart_in_s: float | None
    """None: it died too often in a row and stays down until a person asks for it."""
    was_asked: bool
    """The person or the program asked for this; no notice is due."""


@dataclass(frozen=True)
class EngineDelay:
    """Something takes suspiciously long."""

    waited_s: float
    stderr_tail: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreviewPictures:
    """Clean estimates of the pictures in work."""

    job_id: str
    first_index: int
    pictures: tuple[Pixels, ...]


@dataclass(frozen=True)
class FinishedPicture:
    """One finished picture or clip."""

    job_id: str
    index: int
    seed: int
    clip: Clip
    elapsed_s: float

    @property
    def pixels(self) -> Pixels:
        """The picture, or the one that stands for the clip."""
        return self.clip.poster


@dataclass(frozen=True)
class JobResult:
    """Any other result of a job, as it came: who asked for it reads the payload."""

    job_id: str
    message: News
    payload: bytes
