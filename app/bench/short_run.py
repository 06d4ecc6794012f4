"""A real training run of half a minute, for what needs one to look at."""

import asyncio
import os
import sys
from pathlib import Path

from app.bench.driving import BenchFailed

SETTINGS = {
    "num_steps": 80,
    "batch_size": 8,
    "model.decoder_loss.loss_factor": 16,
    "collapse.prior_gradient_ramp": 1.0,
    "data.num_train": 400,
    "data.num_valid": 64,
    "cadence.log_every": 2,
    "cadence.validate_every": 20,
    "cadence.preview_every": 20,
    "cadence.checkpoint_every": 40,
    "validation.num_images": 8,
    "validation.decoder_steps": 4,
}
"""Too short to learn much, long enough for curves, previews and checkpoints."""


async def train_shortly(folder: Path) -> None:
    """Run the smallest recipe, in a process of its own, as the window starts them too."""
    settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
    command = ("-m", "trainer.cli", "stage1", "--preset", "scenes-tiny", "--data", "scenes", "--device", "cpu")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, "--out", str(folder), *settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise BenchFailed(f"the training run failed: {errors.decode(errors='replace')[-400:]}")
