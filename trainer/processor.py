"""How a training process uses its machine, set once at its start."""

import torch

from ul_engine.devices import describe_device, pick_device
from ul_engine.processor import keep_freed_memory, use_fast_products


def make_quick(device: str) -> None:
    """On a CPU: the faster library for float32 products, and freed memory kept. For whole processes only."""
    if pick_device(device).type == "cpu":
        use_fast_products()
        keep_freed_memory()


def machine_text(device: torch.device) -> str:
    """The device by its name, a CPU with the threads of this process."""
    name, count = describe_device(device)[0], torch.get_num_threads()
    return name if device.type != "cpu" else f"{name}, one thread" if count == 1 else f"{name}, {count} threads"
