"""Run folders as the trainer leaves them: events of a real run, replayed, and whatever state is wanted."""

import json
import math
import os
import socket
import time
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from trainer.events import EventWriter
from trainer.launch import LAUNCHER_NAME
from trainer.run_dir import RunDir, write_json

CONFIG: dict[str, Any] = {
    "stage": "stage1",
    "preset": "tiny",
    "num_steps": 400,
    "batch_size": 32,
    "data": {"kind": "pictures", "path": "/data/flowers"},
    "cadence": {"keep_checkpoints": 2, "milestone_every": 100},
    "model": {
        "name": "Flowers",
        "image_px": 64,
        "latent": {"logsnr_min": -10.0, "logsnr_max": 5.0},
        "decoder_loss": {"loss_factor": 4.0, "noise_px": 32, "logsnr_min": -10.0, "logsnr_max": 10.0},
    },
}
ROW_NAMES = ("original", "reconstruction")
COLUMNS, CELL_PX = 4, 16


def make_run(folder: Path, *, config: dict[str, Any] | None = None) -> RunDir:
    """A run that has been prepared, and nothing more."""
    run = RunDir(folder)
    run.create()
    write_json(run.config, CONFIG | (config or {}))
    return run


def write_status(run: RunDir, state: str, step: int = 40, **changes: Any) -> None:
    """The status, of this very process unless told otherwise."""
    process = psutil.Process()
    status = {
        "state": state,
        "step": step,
        "num_steps": 400,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "pid_started": process.create_time(),
        "heartbeat": time.time(),
    }
    write_json(run.status, status | changes)


def write_launcher(
    run: RunDir, *, pid: int | None = None, started: float | None = None, command: list[str] | None = None
) -> None:
    """Who started the run."""
    process = psutil.Process(pid)
    who = {
        "pid": process.pid,
        "pid_started": process.create_time() if started is None else started,
        "host": socket.gethostname(),
        "command": command or ["python", "-m", "trainer.worker", str(run.root)],
    }
    write_json(run.root / LAUNCHER_NAME, who)


def step_figures(step: int) -> dict[str, Any]:
    """What Stage 1 logs."""
    return {
        "images_seen": step * 32,
        "prior_bits_per_pixel": 2.0 / (1 + step / 20),
        "decoder_bits_per_pixel": 8.0 / (1 + step / 20),
        "prior_band_bits": [0.01 * (place + 1) for place in range(8)],
        "decoder_band_bits": [0.02 * (place + 1) for place in range(8)],
        "latent_std": 0.5,
        "loss": 3.0 / (1 + step / 20),
        "gradient_norm": 1.0 + 0.1 * math.sin(step),
        "learning_rate": 1e-3,
        "step_s": 0.5,
        "images_per_s": 64.0,
        "data_wait_share": 0.02,
        "host_memory_mb": 900.0,
    }


def validation_figures(step: int) -> dict[str, Any]:
    """What is measured on the probes."""
    return {
        "bits_per_pixel": 0.1 + 2.0 / (1 + step / 10),
        "psnr_db": 10.0 + 12.0 * step / (step + 50),
        "psnr_shuffled_db": 10.0,
        "shuffle_gap_db": 12.0 * step / (step + 50),
        "ssim": 0.5,
        "latent_std": 0.5,
        "loss_bits_per_pixel": 9.0 / (1 + step / 20),
    }


def write_preview(run: RunDir, writer: EventWriter, step: int) -> None:
    """A sheet of two rows; each cell has a colour of its own."""
    picture = Image.new("RGB", (COLUMNS * CELL_PX, len(ROW_NAMES) * CELL_PX))
    for row in range(len(ROW_NAMES)):
        for column in range(COLUMNS):
            colour = (60 * column, 255 if row == 0 else min(255, step), 200)
            picture.paste(colour, (column * CELL_PX, row * CELL_PX, (column + 1) * CELL_PX, (row + 1) * CELL_PX))
    name = f"reconstruction-{step:07d}.png"
    picture.save(run.previews / name)
    values = {"kind": "reconstruction", "file": name, "row_names": list(ROW_NAMES), "columns": COLUMNS}
    writer.write("preview", step, **values, cell_width_px=CELL_PX, cell_height_px=CELL_PX)


def write_events(run: RunDir, steps: int = 40, *, every: int = 20) -> None:
    """A run's first steps, with validations and previews from step 0 on."""
    writer = EventWriter(run.events)
    writer.write("run_started", 0, images_seen=0, num_steps=400, num_ranks=1, resumed_from=0)
    for step in range(steps + 1):
        if step:
            writer.write("step", step, **step_figures(step))
        if step % every == 0:
            writer.write("validation", step, **validation_figures(step))
            write_preview(run, writer, step)
    writer.close()
    run.console.write_text("".join(f"step {step}/400\n" for step in range(1, steps + 1)))


def write_checkpoint(run: RunDir, step: int, *, score: float | None = None, num_bytes: int = 5000) -> Path:
    """A finished checkpoint."""
    folder = run.checkpoint_folder(step)
    folder.mkdir()
    (folder / "__0_0.distcp").write_bytes(b"x" * num_bytes)
    (folder / "checkpoint.json").write_text(json.dumps({"step": step}))
    if score is not None:
        path = run.checkpoints / "best.json"
        scores = json.loads(path.read_text()) if path.exists() else {}
        write_json(path, scores | {str(step): score})
    return folder
