"""Time and memory of repeated work, in wall and CPU seconds."""

import ctypes
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from pydantic import Field

from ul_engine.requests import FrozenModel

Work = Callable[[], None]
PEAK_RESET, PROCESS_STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class Timing(FrozenModel):
    """One piece of work for `num_samples` pictures or clips; medians of the repetitions after the warm-up."""

    num_samples: int = Field(description="Pictures or clips in one repetition.")
    wall_s: float = Field(description="Seconds of one repetition, median.")
    wall_s_best: float = Field(description="Seconds of the quickest repetition.")
    cpu_s: float = Field(description="CPU seconds of one repetition over all threads, median.")
    cpu_s_best: float = Field(description="CPU seconds of the cheapest repetition.")
    peak_bytes: int = Field(description="CUDA: most tensor memory at once; CPU: most memory of the whole process.")
    flops: int = Field(description="Of one repetition's matrix products and convolutions, counted, not measured.")
    flops_per_s: float = Field(
        description="On one CPU thread per CPU second, which other processes do not lengthen; else per wall second."
    )
    share_of_peak: float = Field(description="Of the machine's best matmul in the same arithmetic.")


def measured(
    work: Work, device: torch.device, *, num_samples: int, flops: int, peak_flops_per_s: float, repeats: int
) -> Timing:
    """Time `repeats` calls of `work`, which does `flops` on `num_samples`, after one call to warm up."""
    walls, cpus = [], []
    reset_peak(device)
    work()
    for _ in range(repeats):
        synchronise(device)
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        synchronise(device)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    wall_s, cpu_s = statistics.median(walls), statistics.median(cpus)
    is_alone = device.type == "cpu" and torch.get_num_threads() == 1
    flops_per_s = flops / (cpu_s if is_alone else wall_s)
    return Timing(
        num_samples=num_samples,
        wall_s=wall_s,
        wall_s_best=min(walls),
        cpu_s=cpu_s,
        cpu_s_best=min(cpus),
        peak_bytes=peak_bytes(device),
        flops=flops,
        flops_per_s=flops_per_s,
        share_of_peak=flops_per_s / peak_flops_per_s,
    )


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def reset_peak(device: torch.device) -> None:
    """Begin a new peak of memory."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    elif PEAK_RESET.exists():  # Linux
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc: what was kept is no use of this work
        if trim is not None:
            trim(0)
        PEAK_RESET.write_text("5", encoding="ascii")


def peak_bytes(device: torch.device) -> int:
    """Most memory since `reset_peak`; where the system does not tell, on a CPU, what the process holds now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if PROCESS_STATUS.exists():
        for line in PROCESS_STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(psutil.Process().memory_info().rss)
