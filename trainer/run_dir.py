"""Layout of a run folder and atomic writing into it. No torch.

``config.json`` resolved settings · ``environment.json`` versions and machine · ``events.jsonl`` figures ·
``status.json`` state with pid and heartbeat · ``checkpoints/step-N.pt`` · ``previews/`` pictures · ``model/``
exported model folder.
"""

import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ul_engine.errors import CheckpointError, OutputError

EVENTS_NAME = "events.jsonl"
STATUS_NAME = "status.json"
CONFIG_NAME = "config.json"
ENVIRONMENT_NAME = "environment.json"


@dataclass(frozen=True)
class RunDir:
    """Paths of one run."""

    root: Path

    @property
    def events(self) -> Path:
        """Figures, one JSON object per line."""
        return self.root / EVENTS_NAME

    @property
    def status(self) -> Path:
        """State, pid and heartbeat."""
        return self.root / STATUS_NAME

    @property
    def config(self) -> Path:
        """Resolved settings."""
        return self.root / CONFIG_NAME

    @property
    def checkpoints(self) -> Path:
        """Training states."""
        return self.root / "checkpoints"

    @property
    def previews(self) -> Path:
        """Preview pictures."""
        return self.root / "previews"

    @property
    def model(self) -> Path:
        """Exported model folder."""
        return self.root / "model"

    def create(self) -> None:
        """Make the folders; raises OutputError where the disk refuses."""
        try:
            for folder in (self.root, self.checkpoints, self.previews):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot be created ({error.strerror})", path=self.root) from error

    def checkpoint_files(self) -> list[Path]:
        """Finished checkpoints, oldest first; half-written ones never bear this name."""
        return sorted(self.checkpoints.glob("step-*.pt"), key=lambda path: int(path.stem.split("-")[1]))

    def checkpoint_file(self, step: int) -> Path:
        """Name of the checkpoint after `step` steps."""
        return self.checkpoints / f"step-{step}.pt"

    def write_status(self, state: str, step: int, num_steps: int, *, reason: str = "") -> None:
        """Replace the status; `state` is running, finished, stopped or failed."""
        write_json(
            self.status,
            {
                "state": state,
                "step": step,
                "num_steps": num_steps,
                "reason": reason,
                "pid": os.getpid(),
                "heartbeat": time.time(),
            },
        )


def write_json(path: Path, data: Any) -> None:
    """Write JSON so that the file is either the old one or the new one, also after a crash."""
    write_bytes(path, json.dumps(data, indent=1).encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a small file atomically; raises OutputError in plain words."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(f"cannot be written ({error.strerror})", path=path) from error


def read_json(path: Path) -> Any:
    """Read JSON that this module wrote; raises CheckpointError for a missing or broken file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"cannot be read ({error.strerror})", path=path) from error
    except ValueError as error:
        raise CheckpointError(f"is not valid JSON ({error})", path=path) from error


def require_free_space(folder: Path, needed_bytes: int) -> None:
    """Raise OutputError unless `folder`'s disk has `needed_bytes` free with a tenth to spare."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes * 1.1:
        raise OutputError(
            f"the disk has {free / 2**20:.0f} MiB free, but {needed_bytes / 2**20:.0f} MiB are needed; free some space",
            path=folder,
        )
