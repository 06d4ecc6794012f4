"""Running out of memory, explained: what was needed, what was free, who holds the rest, what would fit."""

import ctypes
import gc
import os
import re
import sys
from contextlib import suppress
from functools import lru_cache
from typing import Any

import psutil
import pynvml
import torch

from ul_engine.errors import DeviceMemoryError
from ul_engine.pipelines import out_of_memory

MB = 2**20
DISGUISES = ("could not create a primitive", "could not create a memory object", "std::bad_alloc")
"""What oneDNN and C++ say of an allocation that failed on the CPU."""
TRIED = re.compile(r"tried to allocate (\d+(?:\.\d+)?) (bytes|[KMGT]iB)", re.IGNORECASE)
UNITS = ("bytes", "kib", "mib", "gib", "tib")


def explained_shortage(error: Exception, device: torch.device, micro_batch: int) -> DeviceMemoryError | None:
    """The plain error for an allocation that failed in a training step of `micro_batch` samples; None for any other
    failure."""
    if out_of_memory(error) is None and not any(text in str(error) for text in DISGUISES):
        return None
    free, total = memory_of(device)
    needed = needed_bytes(str(error))
    more = f"{needed / MB:,.1f} MB more were needed, " if needed is not None else ""
    text = (
        f"{device} ran out of memory in a step of {micro_batch} samples at once: {more}{free / MB:,.0f} of "
        f"{total / MB:,.0f} MB are free{holders_text(device)}. The run can go on from its newest checkpoint with other "
        "settings"
    )
    return DeviceMemoryError(text, needed_bytes=needed, free_bytes=free)


def needed_bytes(text: str) -> int | None:
    """Size of the allocation that failed, from torch's words; None where they do not tell."""
    found = TRIED.search(text)
    if found is None:
        return None
    return int(float(found[1]) * 1024 ** UNITS.index(found[2].lower()))


def memory_of(device: torch.device) -> tuple[int, int]:
    """Free and total bytes of a device's memory."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return free, total
    memory = psutil.virtual_memory()
    return memory.available, memory.total


def give_memory_back(device: torch.device) -> None:
    """Let go of what is kept for later allocations: others than those that will be tried next may need the room."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif sys.platform == "linux":
        with suppress(AttributeError):  # only glibc has it
            ctypes.CDLL(None).malloc_trim(0)


def holders_text(device: torch.device) -> str:
    """Who holds memory there, largest first, as a clause; "" where that cannot be known."""
    held = _held_on_gpu(device) if device.type == "cuda" else {os.getpid(): psutil.Process().memory_info().rss}
    parts = [
        f"{'this run' if pid == os.getpid() else _name(pid)} holds {size / MB:,.0f} MB"
        for pid, size in sorted(held.items(), key=lambda item: -item[1])[:3]
    ]
    return f"; {', '.join(parts)}" if parts else ""


def _held_on_gpu(device: torch.device) -> dict[int, int]:
    held = {os.getpid(): torch.cuda.memory_reserved(device)}
    for pid, size in _gpu_processes(device).items():
        held.setdefault(pid, size)
    return held


def _gpu_processes(device: torch.device) -> dict[int, int]:
    """Other processes by what they hold; empty where the driver's library does not answer."""
    try:
        processes = pynvml.nvmlDeviceGetComputeRunningProcesses(_nvml_handle(device.index or 0))
        return {process.pid: process.usedGpuMemory or 0 for process in processes}
    except pynvml.NVMLError:
        return {}


@lru_cache
def _nvml_handle(index: int) -> Any:
    """The driver's name for a GPU; the library is begun once for the whole process."""
    pynvml.nvmlInit()
    return pynvml.nvmlDeviceGetHandleByIndex(index)


def _name(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return f"process {pid}"


def usage_figures(device: torch.device) -> dict[str, float]:
    """What the live view shows of the machine: memory of this process and of its device in MB, use of both in %."""
    process = psutil.Process()
    figures = {"host_memory_mb": process.memory_info().rss / MB}
    if device.type == "cuda":
        figures["device_memory_mb"] = torch.cuda.max_memory_allocated(device) / MB
        figures["device_reserved_mb"] = torch.cuda.memory_reserved(device) / MB
        utilisation = _utilisation(device)
        if utilisation is not None:
            figures["device_busy_percent"] = utilisation
    return figures


def _utilisation(device: torch.device) -> float | None:
    try:
        return float(pynvml.nvmlDeviceGetUtilizationRates(_nvml_handle(device.index or 0)).gpu)
    except pynvml.NVMLError:
        return None
