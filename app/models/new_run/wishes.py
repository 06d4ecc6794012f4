"""What the way to a new run wants to know or done, and when two wishes are the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.models.config_form.values import value_at
from trainer.config import RunConfig
from trainer.launch import LaunchPlan

CHECKED_SCENES: Mapping[str, Any] = {"kind": "scenes", "size_px": 64, "num_train": 192, "num_valid": 64}
CHECKED_CLIPS: Mapping[str, Any] = {"num_train": 12, "num_valid": 4}
"""Few, for a look at them: a run draws its own. A clip takes as long as its frames."""
COSTLY = ("model", "data", "batch_size", "scale", "precision", "stage", "latents", "cadence.milestone_every")
"""Settings for which the cost must be found out anew. More or fewer steps only take longer or shorter."""


@dataclass(frozen=True)
class EstimateWish:
    """Reckon these settings; the answer comes back with the key."""

    key: str
    settings: Mapping[str, Any]
    run: Path
    processes: int
    device: str


@dataclass(frozen=True)
class SheetWish:
    """Draw the tensors that a run with this section `data` and this seed would see."""

    data: Mapping[str, Any]
    seed: int


@dataclass(frozen=True)
class LaunchWish:
    """Start this run."""

    plan: LaunchPlan
    settings: Mapping[str, Any]


def cost_key(settings: Mapping[str, Any], launch: Mapping[str, Any]) -> str:
    """Stands for everything that the cost depends on."""
    costly = {path: value_at(settings, path) for path in COSTLY}
    return json.dumps([costly, launch.get("num_processes"), launch.get("num_nodes"), launch.get("device")])


def sheet_wish(config: RunConfig) -> SheetWish:
    """The tensors for these settings; of Scenes only a few."""
    data = config.data.model_dump(mode="json")
    if data["kind"] == "scenes":
        counts = CHECKED_SCENES if data["num_frames"] == 1 else CHECKED_CLIPS
        data |= {name: counts[name] for name in ("num_train", "num_valid")}
    return SheetWish(data, config.seed)


def same_look(drawn: SheetWish, wanted: SheetWish) -> bool:
    """Whether both give the same pictures; where a cache lies does not matter."""
    first, second = ({**wish.data, "cache": None} for wish in (drawn, wanted))
    return first == second and drawn.seed == wanted.seed
