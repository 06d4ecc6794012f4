"""The jobs that wait, in a file that survives a restart and tells a crash from a goodbye."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from app.services.json_file import JsonFile
from app.services.state_writer import StateWriter
from ul_engine.requests import FrozenModel, Request

QUEUE_VERSION = 1


class StoredJob(FrozenModel):
    """One job as it stands in the file."""

    request: Annotated[Request, Field(discriminator="kind")]
    model_name: str
    size_px: tuple[int, int]
    preset: str = ""
    makes_clips: bool = False
    is_running: bool = Field(False, description="The engine was at it when the file was written.")
    problem: str = Field("", description="Why it waits for a person's word; empty: it does not.")


@dataclass(frozen=True)
class LoadedQueue:
    """The jobs of the last time."""

    jobs: tuple[StoredJob, ...] = ()
    was_paused: bool = False
    has_crashed: bool = False
    """The program ended without a goodbye while these jobs were in its hands."""
    problem: str = ""
    """Why the file could not be used; empty: it could, or there was none."""
    kept_aside: str = ""


class QueueFile:
    """Reads once at the start; writes are the business of the writer's thread."""

    def __init__(self, path: Path, writer: StateWriter) -> None:
        self._file = JsonFile(path, QUEUE_VERSION)
        self._writer = writer

    @property
    def path(self) -> Path:
        """Where the queue is kept."""
        return self._file.path

    def load(self) -> LoadedQueue:
        """What was left over. A file that is damaged or from a newer program is put aside."""
        loaded = self._file.load()
        if loaded.data is None:
            return LoadedQueue(problem=loaded.problem, kept_aside=loaded.kept_aside)
        try:
            jobs = tuple(StoredJob.model_validate(job) for job in loaded.data.get("jobs", ()))
        except (ValidationError, TypeError) as error:
            aside = self._file.put_aside(f"it holds a job that cannot be read ({_reason(error)})")
            return LoadedQueue(problem=aside.problem, kept_aside=aside.kept_aside)
        is_open = bool(loaded.data.get("is_open"))
        return LoadedQueue(jobs, bool(loaded.data.get("is_paused")), has_crashed=is_open and bool(jobs))

    def save(self, jobs: Sequence[StoredJob], *, is_paused: bool, is_open: bool) -> None:
        """Have the file replaced; `is_open` False says goodbye."""
        kept = tuple(jobs)

        def content() -> bytes:
            data: dict[str, Any] = {"is_open": is_open, "is_paused": is_paused}
            return self._file.encode(data | {"jobs": [job.model_dump(mode="json") for job in kept]})

        self._writer.write(self.path, content)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
