"""The machine's devices: choosing, describing, counting memory and threads."""

import os
import platform
from functools import cache
from pathlib import Path
from time import perf_counter

import psutil
import torch

from ul_engine.errors import ConfigError

BF16_GAIN = 1.2
"""By how much a product must be faster in bf16 for autocast, which casts besides, to pay on a CPU."""


def pick_device(name: str) -> torch.device:
    """`auto` takes CUDA, then Apple's MPS, then the CPU; another name must be a device this machine has."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"{name!r} is no device; write auto, cpu, cuda, cuda:1 or mps", field="device") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(f"{name}: this machine has {torch.cuda.device_count()} CUDA devices", field="device")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("mps: Apple's Metal is not available here", field="device")
    return device


def thread_count() -> int:
    """All cores but one, which the window keeps; never less than one."""
    return max(
        1,
        len(psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else range(os.cpu_count() or 1))
        - 1,
    )


@cache
def has_fast_bf16(device: torch.device) -> bool:
    """Whether bf16 arithmetic pays there: on GPUs, and on CPUs that multiply clearly faster in it, which a trial shows.

    The flags of a CPU do not tell: with AVX512-BF16 one reaches twice its rate of float32, another half of it. Without
    units for it bf16 is emulated, ten times and more slower.
    """
    if device.type != "cpu":
        return True
    features = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    if not any(features.get(name) is True for name in ("amx_bf16", "avx512_bf16", "bf16")):
        return False
    return BF16_GAIN * _product_seconds(torch.bfloat16) < _product_seconds(torch.float32)


def _product_seconds(dtype: torch.dtype) -> float:
    """The least of several times of one product of matrices on the CPU."""
    a = torch.ones(512, 512, dtype=dtype)
    seconds = []
    for _ in range(8):
        start = perf_counter()
        a @ a
        seconds.append(perf_counter() - start)
    return min(seconds)


def describe_device(device: torch.device) -> tuple[str, int]:
    """What a person calls the device, and its memory in bytes."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return properties.name, properties.total_memory
    name = "Apple GPU" if device.type == "mps" else _processor_name()
    return name, psutil.virtual_memory().total


def used_device_bytes(device: torch.device) -> int:
    """Memory that this process holds on a CUDA device; 0 elsewhere."""
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else 0


def _processor_name() -> str:
    """Model name of the CPU."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or platform.machine()
