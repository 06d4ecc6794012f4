"""Noise levels a sampler visits: `num_steps + 1` log-SNR values from the noisiest to exactly the schedule's maximum."""

import torch
from torch import Tensor

from ul_engine.diffusion.schedules import Schedule


def time_grid(schedule: Schedule, num_steps: int, *, logsnr_start: float | None = None) -> Tensor:
    """Equal steps of time: what first-order solvers want. float64 `[num_steps + 1]`, rising log-SNR.

    `logsnr_start` None begins at pure noise (t = 1); another value begins there (a start from given data).
    """
    start = 1.0 if logsnr_start is None else float(schedule.time(torch.tensor(logsnr_start, dtype=torch.float64)))
    grid = schedule.logsnr(torch.linspace(start, 0.0, num_steps + 1, dtype=torch.float64))
    return _with_exact_ends(grid, schedule, logsnr_start)


def logsnr_grid(schedule: Schedule, num_steps: int, *, logsnr_start: float | None = None) -> Tensor:
    """Equal steps of log-SNR: what multistep solvers want. float64 `[num_steps + 1]`, rising."""
    start = schedule.logsnr_min if logsnr_start is None else logsnr_start
    grid = torch.linspace(start, schedule.logsnr_max, num_steps + 1, dtype=torch.float64)
    return _with_exact_ends(grid, schedule, logsnr_start)


def _with_exact_ends(grid: Tensor, schedule: Schedule, logsnr_start: float | None) -> Tensor:
    """Replace the ends by their defined values, so that nothing is lost to rounding."""
    grid[0] = schedule.logsnr_min if logsnr_start is None else logsnr_start
    grid[-1] = schedule.logsnr_max
    return grid
