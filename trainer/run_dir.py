"""Layout of a run folder and atomic writing into it. No torch.

``config.json`` resolved settings · ``environment.json`` versions and machine · ``events.jsonl`` figures of rank 0,
``events-rankN.jsonl`` of the others · ``status.json`` state with process and heartbeat · ``checkpoints/step-N/``
training states · ``previews/`` pictures · ``evidence/`` what is known of steps that were not taken · ``tensorboard/`` ·
``commands/`` · ``console.log`` · ``model/`` exported model folder.
"""

import json
import os
import shutil
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pydantic import ValidationError

from trainer.protocol import COMMANDS_NAME, RunStatus
from ul_engine.errors import CheckpointError, OutputError

EVENTS_NAME = "events.jsonl"
STATUS_NAME = "status.json"
CONFIG_NAME = "config.json"
REQUESTED_NAME = "requested.json"
ENVIRONMENT_NAME = "environment.json"
CONSOLE_NAME = "console.log"
CHECKPOINT_NAME = "checkpoint.json"
"""Written last into a checkpoint: a folder without it is unfinished."""

START_TOLERANCE_S = 2.0
SILENT_AFTER_S = 120.0
"""A run on another machine counts as ended when its heartbeat is older than this."""


@dataclass(frozen=True)
class RunDir:
    """Paths of one run."""

    root: Path

    @property
    def events(self) -> Path:
        """Figures of rank 0, one JSON object per line."""
        return self.root / EVENTS_NAME

    def events_of(self, rank: int) -> Path:
        """Figures of any rank."""
        return self.events if rank == 0 else self.root / f"events-rank{rank}.jsonl"

    @property
    def status(self) -> Path:
        """State, process and heartbeat."""
        return self.root / STATUS_NAME

    @property
    def config(self) -> Path:
        """Resolved settings."""
        return self.root / CONFIG_NAME

    @property
    def requested(self) -> Path:
        """Settings that processes which are started next begin from; what comes of them stands in `config`."""
        return self.root / REQUESTED_NAME

    @property
    def settings(self) -> Path:
        """What a start begins from: the settings that were asked for, or those the run has."""
        return self.requested if self.requested.is_file() else self.config

    @property
    def exported(self) -> Path:
        """Which step the exported model is of."""
        return self.root / "exported.json"

    @property
    def encoder(self) -> Path:
        """Which encoder a Stage 2 run was begun on."""
        return self.root / "encoder.json"

    @property
    def checkpoints(self) -> Path:
        """Training states."""
        return self.root / "checkpoints"

    @property
    def previews(self) -> Path:
        """Preview pictures."""
        return self.root / "previews"

    @property
    def evidence(self) -> Path:
        """What is known of steps that were not taken."""
        return self.root / "evidence"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard files."""
        return self.root / "tensorboard"

    @property
    def commands(self) -> Path:
        """Commands that wait to be seen."""
        return self.root / COMMANDS_NAME

    @property
    def console(self) -> Path:
        """What the run printed."""
        return self.root / CONSOLE_NAME

    @property
    def model(self) -> Path:
        """Exported model folder."""
        return self.root / "model"

    def create(self) -> None:
        """Make the folders; raises OutputError where the disk refuses."""
        try:
            for folder in (self.root, self.checkpoints, self.previews, self.commands):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot be created ({error.strerror})", path=self.root) from error

    def checkpoint_folders(self) -> list[Path]:
        """Finished checkpoints, oldest first; half-written ones never bear this name."""
        found = [path for path in self.checkpoints.glob("step-*") if (path / CHECKPOINT_NAME).is_file()]
        return sorted((path for path in found if path.name[5:].isdigit()), key=checkpoint_step)

    def checkpoint_folder(self, step: int) -> Path:
        """Name of the checkpoint after `step` steps."""
        return self.checkpoints / f"step-{step}"

    @property
    def pins(self) -> Path:
        """An empty file ``step-N`` for each checkpoint that is to stay."""
        return self.checkpoints / "pins"

    def pinned_steps(self) -> frozenset[int]:
        """Steps whose checkpoints stay, whatever is thinned out."""
        names = (path.name for path in self.pins.glob("step-*"))
        return frozenset(int(name[5:]) for name in names if name[5:].isdigit())

    def set_pinned(self, step: int, *, is_pinned: bool) -> None:
        """Let a checkpoint stay, or go with the others of its age. Raises CheckpointError where there is none,
        OutputError where the disk refuses."""
        pin = self.pins / f"step-{step}"
        try:
            if not is_pinned:
                pin.unlink(missing_ok=True)
                return
            self.pins.mkdir(parents=True, exist_ok=True)
            pin.touch()
        except OSError as error:
            raise OutputError(f"cannot be written ({error.strerror})", path=pin) from error
        folder = self.checkpoint_folder(step)
        if not (folder / CHECKPOINT_NAME).is_file():  # looked for last: a run may have thinned it out just now
            pin.unlink(missing_ok=True)
            raise CheckpointError("there is no such checkpoint any more", path=folder)

    def read_status(self) -> RunStatus | None:
        """The status as written; None where there is none, or an unreadable one."""
        try:
            return RunStatus.model_validate(read_json(self.status))
        except (CheckpointError, ValidationError):
            return None

    def write_status(self, status: RunStatus, *, is_durable: bool = True) -> None:
        """Replace the status, with this process and the present time in it."""
        stamped = status.model_copy(
            update={"host": socket.gethostname(), **_this_process(), "heartbeat": time.time()},
        )
        write_json(self.status, stamped.model_dump(mode="json"), is_durable=is_durable)


def checkpoint_step(folder: Path) -> int:
    """Steps done in a checkpoint, from its name."""
    return int(folder.name.split("-")[1])


def _this_process() -> dict[str, float]:
    return {"pid": os.getpid(), "pid_started": psutil.Process().create_time()}


def is_alive(status: RunStatus) -> bool:
    """Whether the process that wrote `status` still runs: the same pid with the same start, on this machine; of another
    machine, a heartbeat that is not old."""
    if status.state != "running":
        return False
    if status.host != socket.gethostname():
        return time.time() - status.heartbeat < SILENT_AFTER_S
    try:
        process = psutil.Process(status.pid)
        is_same = abs(process.create_time() - status.pid_started) < START_TOLERANCE_S
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def write_json(path: Path, data: Any, *, is_durable: bool = True) -> None:
    """Write JSON so that the file is either the old one or the new one, also after a crash."""
    write_bytes(path, json.dumps(data, indent=1).encode(), is_durable=is_durable)


def write_bytes(path: Path, content: bytes, *, is_durable: bool = True) -> None:
    """Write a small file atomically; `is_durable` waits for the disk. Raises OutputError in plain words."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            if is_durable:
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
