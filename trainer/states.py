"""Training states on disk: written atomically, checked for space first, restored exactly."""

import io
import pickle
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from trainer.run_dir import RunDir, require_free_space, write_bytes
from ul_engine.ema import EMA
from ul_engine.errors import CheckpointError


@dataclass(frozen=True)
class TrainingState:
    """Everything that a run must carry over a restart; all randomness is a function of (seed, step) and needs none."""

    module: nn.Module
    ema: EMA
    optimizer: torch.optim.Optimizer


def save_state(run: RunDir, state: TrainingState, step: int, *, keep: int) -> None:
    """Write the state after `step` steps and remove all but the newest `keep`; raises OutputError, losing nothing."""
    buffer = io.BytesIO()
    torch.save(
        {
            "step": step,
            "module": state.module.state_dict(),
            "ema": state.ema.state_dict(),
            "optimizer": state.optimizer.state_dict(),
        },
        buffer,
    )
    content = buffer.getvalue()
    require_free_space(run.checkpoints, len(content))
    write_bytes(run.checkpoint_file(step), content)
    for old in run.checkpoint_files()[:-keep]:
        old.unlink()


def _load_moments(optimizer: torch.optim.Optimizer, loaded: dict[str, Any]) -> None:
    """Restore the optimizer's moments; its settings stay those of the present configuration, which may have changed."""
    settings = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    optimizer.load_state_dict(loaded)
    for group, present in zip(optimizer.param_groups, settings, strict=True):
        group.update(present)


def restore_newest(run: RunDir, state: TrainingState) -> int:
    """Load the newest checkpoint into `state`; returns its step, or 0 where there is none.

    A checkpoint that cannot be read raises CheckpointError that names it: remove it to continue from the one before.
    """
    files = run.checkpoint_files()
    if not files:
        return 0
    try:
        loaded: dict[str, Any] = torch.load(files[-1], map_location="cpu", weights_only=True)
        state.module.load_state_dict(loaded["module"])
        state.ema.load_state_dict(loaded["ema"])
        _load_moments(state.optimizer, loaded["optimizer"])
        return int(loaded["step"])
    except (OSError, RuntimeError, KeyError, ValueError, EOFError, TypeError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"cannot be restored ({error}); remove it to continue from the one before", path=files[-1]
        ) from error
