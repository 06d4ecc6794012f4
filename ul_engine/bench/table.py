"""A benchmark as lines of text."""

from collections.abc import Mapping

from ul_engine.bench.machine import Machine
from ul_engine.bench.run import Setup
from ul_engine.bench.timing import Timing

COLUMNS = ("wall ms", "CPU ms", "best CPU ms", "per sample ms", "GFLOP/s", "of peak", "peak MB")
NAME_WIDTH = 26


def heading(machine: Machine, setup: Setup, peaks: Mapping[str, float]) -> str:
    """Machine, what is timed, peaks and the names of the columns."""
    compiled = ", blocks compiled" if setup.is_compiled else ""
    device = f"{machine.device_name} ({machine.device}), {machine.num_threads} threads"
    config = f"{setup.config.name}, {setup.config.image_px} px, {setup.config.num_frames} frames"
    lines = (
        f"{device}, torch {machine.torch}, {' '.join(machine.capabilities)}",
        f"{config}, batch {setup.batch_size}, {setup.precision}{compiled}; medians of {setup.repeats}",
        "matmul peak: " + ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in peaks.items()),
        "",
        " " * NAME_WIDTH + "".join(f"{column:>14}" for column in COLUMNS),
    )
    return "\n".join(lines)


def row(name: str, timing: Timing) -> str:
    """One figure."""
    cells = (
        f"{timing.wall_s * 1e3:.2f}",
        f"{timing.cpu_s * 1e3:.2f}",
        f"{timing.cpu_s_best * 1e3:.2f}",
        f"{timing.wall_s * 1e3 / timing.num_samples:.2f}",
        f"{timing.flops_per_s / 1e9:.1f}",
        f"{timing.share_of_peak:.0%}",
        f"{timing.peak_bytes / 1e6:.0f}",
    )
    return f"{name:<{NAME_WIDTH}}" + "".join(f"{cell:>14}" for cell in cells)
