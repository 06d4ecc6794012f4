"""Where a sweep keeps things, and what state its points are in. No torch.

``OUT/<point>/`` holds ``stage1.yaml`` ``stage2.yaml`` settings · ``stage1/`` ``stage2/`` run folders · ``measure.json``
what to measure · ``evaluation/`` the measuring's own files · ``result.json`` figures · ``state.json`` how far it is and
why it stopped · ``*.log`` what the processes said. ``OUT/held-out/<key>/`` are the held-out samples of a data set.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from trainer.config import RunConfig, Stage, read_recipe
from trainer.run_dir import RunDir, read_json, write_bytes, write_json
from trainer.sweep.points import Point
from ul_engine.errors import ConfigError
from ul_engine.model_folder import MANIFEST_NAME
from ul_engine.whole_files import explained

StateName = Literal["waiting", "running", "done", "failed", "stopped"]
HELD_OUT = "held-out"
HELD_OUT_INFO = "info.json"
HARMLESS = ("cadence", "num_threads", "loading", "scale", "preview_prompts", "init_from")
"""Settings of a run that may differ from those a point was begun with: they change no figure of the sweep."""


@dataclass(frozen=True)
class PointFolder:
    """Paths of one point."""

    root: Path

    def run_dir(self, stage: Stage) -> RunDir:
        """The run folder of a stage."""
        return RunDir(self.root / stage.value)

    def config_file(self, stage: Stage) -> Path:
        """Settings of a stage."""
        return self.root / f"{stage.value}.yaml"

    def log_file(self, step: str) -> Path:
        """What the process of a step said."""
        return self.root / f"{step}.log"

    @property
    def state(self) -> Path:
        """How far the point is."""
        return self.root / "state.json"

    @property
    def task(self) -> Path:
        """What to measure."""
        return self.root / "measure.json"

    @property
    def result(self) -> Path:
        """The figures of the point."""
        return self.root / "result.json"

    @property
    def evaluation(self) -> Path:
        """Folder of the evaluation, which goes on where it was stopped."""
        return self.root / "evaluation"

    def is_trained(self, stage: Stage) -> bool:
        """Whether the run of a stage reached its end and exported its model."""
        run = self.run_dir(stage)
        status = run.read_status()
        return status is not None and status.state == "finished" and (run.model / MANIFEST_NAME).is_file()

    def read_result(self) -> dict[str, Any] | None:
        """The figures; None while there are none."""
        found: dict[str, Any] | None = read_json(self.result) if self.result.is_file() else None
        return found

    def read_state(self) -> dict[str, Any]:
        """``{"state", "reason", "seconds"}``; a point that was never begun is waiting."""
        if not self.state.is_file():
            return {"state": "waiting", "reason": "", "seconds": {}}
        found: dict[str, Any] = read_json(self.state)
        return found

    def write_state(self, state: StateName, *, reason: str = "", step: str = "", took_s: float = 0.0) -> None:
        """Keep the state; `took_s` is added to what the `step` has taken so far."""
        seconds = dict(self.read_state()["seconds"])
        if step:
            seconds[step] = seconds.get(step, 0.0) + took_s
        write_json(self.state, {"state": state, "reason": reason, "seconds": seconds})


def prepare_point(point: Point, measure: dict[str, Any]) -> PointFolder:
    """Write the point's settings into its folder. Raises ConfigError if it was begun with other ones, OutputError."""
    folder = PointFolder(point.folder)
    with explained(folder.root):
        folder.root.mkdir(parents=True, exist_ok=True)
    for stage, config in point.stages.items():
        _write_config(folder, stage, config)
    write_json(folder.task, measure)
    return folder


def _write_config(folder: PointFolder, stage: Stage, config: RunConfig) -> None:
    data = config.model_dump(mode="json")
    file = folder.config_file(stage)
    if file.is_file() and folder.run_dir(stage).root.is_dir():
        _require_same(read_recipe(file), data, folder)
    write_bytes(file, yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode())


def _require_same(former: dict[str, Any], data: dict[str, Any], folder: PointFolder) -> None:
    for key in dict.fromkeys((*former, *data)):
        if key not in HARMLESS and former.get(key) != data.get(key):
            raise ConfigError(
                f"{folder.root} was begun with another value; give the sweep another --out, or remove that folder",
                field=key,
            )


def is_same_task(former: Mapping[str, Any], task: Mapping[str, Any]) -> bool:
    """Whether two tasks of measuring give the same figures: they may differ in `batch_size`."""
    return all(former.get(key) == task.get(key) for key in ("settings", "held_out", "stages"))


def held_out_folder(out: Path, data: dict[str, Any], num_samples: int) -> Path:
    """Where the held-out samples for these settings of the data, as plain JSON, lie; the place of a cache does not
    count."""
    relevant = {key: value for key, value in data.items() if key != "cache"}
    key = hashlib.sha256(json.dumps([relevant, num_samples], sort_keys=True).encode()).hexdigest()[:12]
    return out / HELD_OUT / key
