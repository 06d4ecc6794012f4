"""What the figures were measured on, and the machine's matmul peak."""

import platform
import time

import psutil
import torch
from pydantic import Field

from ul_engine.bench.timing import synchronise
from ul_engine.devices import describe_device
from ul_engine.requests import FrozenModel

CPU_FEATURES = ("avx2", "avx512_f", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_fp16", "sve", "bf16")
"""Of what torch knows of a CPU: what decides how fast products are."""
SIDES = (256, 512, 1024, 2048, 4096, 8192, 16384)
LONG_S = 0.005
"""A product that takes longer fills the device; larger ones are no faster."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Machine(FrozenModel):
    """Hard- and software of a measurement."""

    device: str
    device_name: str
    device_bytes: int = Field(description="Memory of the device.")
    processor: str = Field(description="Name of the CPU.")
    capabilities: tuple[str, ...] = Field(description="Instruction sets that matter; on CUDA also its capability.")
    logical_cores: int
    num_threads: int = Field(description="CPU threads of torch.")
    system: str
    python: str
    torch: str
    uses_fast_products: bool = Field(description="Whether float32 products on the CPU go through oneDNN.")
    keeps_freed_memory: bool = Field(description="Whether the C library keeps the memory that tensors gave back.")


def machine_facts(device: torch.device, *, uses_fast_products: bool, keeps_freed_memory: bool) -> Machine:
    """Look around."""
    name, size = describe_device(device)
    return Machine(
        device=str(device),
        device_name=name,
        device_bytes=size,
        processor=describe_device(torch.device("cpu"))[0],
        capabilities=_capabilities(device),
        logical_cores=psutil.cpu_count() or 1,
        num_threads=torch.get_num_threads(),
        system=platform.platform(),
        python=platform.python_version(),
        torch=torch.__version__,
        uses_fast_products=uses_fast_products,
        keeps_freed_memory=keeps_freed_memory,
    )


def _capabilities(device: torch.device) -> tuple[str, ...]:
    features = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    found = [name for name in CPU_FEATURES if features.get(name)]
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        found.append(f"cuda {major}.{minor}")
    return (torch.backends.cpu.get_cpu_capability(), *found)


def matmul_peaks(device: torch.device) -> dict[str, float]:
    """Best FLOP/s of square matrix products, by arithmetic, as the process is set up."""
    return {name: max(_rates(device, dtype)) for name, dtype in DTYPES.items()}


def _rates(device: torch.device, dtype: torch.dtype) -> list[float]:
    """FLOP/s by size, up to the first that fills the device."""
    rates = []
    for side in SIDES:
        a, b = torch.randn(2, side, side, device=device).to(dtype).unbind(0)
        seconds = min(_product_seconds(a, b) for _ in range(8))
        rates.append(2.0 * side**3 / seconds)
        if seconds > LONG_S:
            break
    return rates


def _product_seconds(a: torch.Tensor, b: torch.Tensor) -> float:
    """Seconds of one product, by the clock that `Timing.flops_per_s` goes by."""
    is_alone = a.device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if is_alone else time.perf_counter
    synchronise(a.device)
    started = clock()
    torch.mm(a, b)
    synchronise(a.device)
    return clock() - started
