"""What a run and those who watch or steer it say to each other through files. No torch.

To the trainer: a file in ``commands/`` of the run folder, named after the command, seen within a step. From the
trainer: ``status.json`` (`RunStatus`), and events, one JSON object per line, each with ``v`` (schema version), ``time``
(seconds since 1970), ``type`` and ``step`` (optimizer steps done). Types and what they hold beside that:

``run_started`` images_seen, num_steps, num_ranks, resumed_from · ``step`` figures of training, means since the last
such event · ``validation`` figures on held-out samples · ``preview`` kind, file, row_names, columns, cell_width_px,
cell_height_px · ``checkpoint`` name, num_bytes, seconds · ``checkpoint_set_aside`` name, reason · ``command`` name ·
``taken_over`` text, of initial weights · ``latents`` done, total · ``micro_batch`` size, reason · ``bad_step`` reason,
evidence, action · ``run_finished``, ``run_stopped``, ``run_paused`` · ``run_failed`` reason.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from ul_engine.requests import FrozenModel

SCHEMA_VERSION: Final = 2
COMMANDS_NAME: Final = "commands"


class Command(StrEnum):
    """What can be asked of a run while it trains."""

    STOP = "stop"
    PAUSE = "pause"
    SAVE = "save"
    PREVIEW = "preview"


COMMANDS: Mapping[Command, str] = {
    Command.STOP: "Finish the running step, save the state, end.",
    Command.PAUSE: "The same, but call the run paused: it frees the devices and is meant to go on.",
    Command.SAVE: "Save the state now, and go on.",
    Command.PREVIEW: "Draw a preview now, and go on.",
}
"""Every command with what it does."""

RunState = Literal["running", "paused", "stopped", "finished", "failed"]


class RunStatus(FrozenModel):
    """The content of ``status.json``, replaced at every logged step and by a heartbeat in between."""

    state: RunState
    step: int = Field(ge=0, description="Optimizer steps done.")
    num_steps: int = Field(ge=1, description="Steps of the whole run.")
    reason: str = Field("", description="Why a run failed, in plain words.")
    advice: tuple[str, ...] = Field((), description="What would help a run that failed.")
    can_retry: bool = Field(True, description="Whether a run that failed may do better if it is merely started again.")
    host: str = Field("", description="Name of the machine.")
    pid: int = Field(0, ge=0, description="Process of rank 0.")
    pid_started: float = Field(0.0, description="When that process started, seconds since 1970; tells it from another.")
    num_ranks: int = Field(1, ge=1, description="Processes of the run.")
    heartbeat: float = Field(0.0, description="When this was written, seconds since 1970.")


def request_command(run: Path, command: Command) -> None:
    """Ask the trainer of the run folder `run` for something; it acts after the step it is at. OSError if the folder is
    gone."""
    folder = run / COMMANDS_NAME
    folder.mkdir(exist_ok=True)
    temporary = folder / f".{command.value}-{os.getpid()}"
    temporary.touch()
    temporary.replace(folder / command.value)
