"""Start or continue a run in this process: settings, data, stage, loop."""

import json
import platform
from pathlib import Path

import numpy as np
import torch

from trainer.config import RunConfig, Stage, parse_config
from trainer.loop import Trainable, TrainingLoop
from trainer.pictures import PictureSource, open_scenes
from trainer.run_dir import ENVIRONMENT_NAME, RunDir, read_json, write_json
from trainer.stage1 import Stage1
from trainer.stage2 import Stage2
from ul_engine.devices import describe_device, pick_device
from ul_engine.errors import ConfigError

MAY_CHANGE = frozenset(
    ("num_steps", "num_threads", "cadence", "optimizer", "validation", "preview_prompts", "precision")
)
"""Settings that a continued run may change; anything else would make it another run."""


def run_training(config: RunConfig, folder: Path, *, device: str = "auto") -> bool:
    """Train from the newest checkpoint in `folder`, or from scratch; True if the run reached its end."""
    run = RunDir(folder)
    run.create()
    _require_same_run(config, run)
    write_json(run.config, config.model_dump(mode="json"))
    if config.num_threads:
        torch.set_num_threads(config.num_threads)
    torch_device = pick_device(device)
    write_json(folder / ENVIRONMENT_NAME, _environment(torch_device))
    train, valid = open_scenes(config.data, progress=_print_rendering)
    return TrainingLoop(_stage(config, run, train, valid, torch_device), config, run).run()


def _stage(
    config: RunConfig, run: RunDir, train: PictureSource, valid: PictureSource, device: torch.device
) -> Trainable:
    if config.stage is Stage.STAGE1:
        return Stage1(config, train, valid, device=device)
    return Stage2(config, train, valid, device=device, cache=run.root / "latents")


def _require_same_run(config: RunConfig, run: RunDir) -> None:
    if not run.config.exists() or not run.checkpoint_files():
        return
    former = parse_config(read_json(run.config))
    for name in RunConfig.model_fields:
        if name not in MAY_CHANGE and getattr(config, name) != getattr(former, name):
            raise ConfigError(
                f"differs from the run in {run.root}; use another folder, or the run's own settings", field=name
            )


def _environment(device: torch.device) -> dict[str, str]:
    name, _ = describe_device(device)
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    return {
        "machine": f"{name}{threads}",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": str(torch.get_num_threads()),
    }


def _print_rendering(done: int, total: int) -> None:
    if done == total or done % 4096 == 0:
        print(f"rendering scenes {done}/{total}", flush=True)


def describe(config: RunConfig) -> str:
    """The resolved settings as indented JSON."""
    return json.dumps(config.model_dump(mode="json"), indent=1)
