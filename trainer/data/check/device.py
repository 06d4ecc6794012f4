"""The graphics card that a preset is suggested for."""

import torch


def graphics_memory() -> int | None:
    """Bytes of memory of the first CUDA device; None where there is none."""
    return torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else None
