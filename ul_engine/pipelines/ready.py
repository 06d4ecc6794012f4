"""A loaded model made ready to be used, not trained."""

import torch

from ul_engine.models.unified import UnifiedLatents, prefer_channels_last
from ul_engine.nn.half import halve_weights
from ul_engine.pipelines.pipeline import Pipeline


def natural_dtype(device: torch.device) -> torch.dtype:
    """What the networks compute in unless something else is asked: bf16 on CUDA, float32 elsewhere."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def ready_pipeline(model: UnifiedLatents, device: torch.device, dtype: torch.dtype) -> Pipeline:
    """The model as a pipeline, its weights laid out, and for bf16 rounded, in place and for good: half the memory, and
    to the bit what autocast would make of them at every evaluation."""
    prefer_channels_last(model)
    if dtype is torch.bfloat16:
        halve_weights(model)
    return Pipeline(model, device, dtype)
