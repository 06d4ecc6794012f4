"""What people do with a model, as a library: encode, noise, bring back, decode, generate, continue."""

from ul_engine.pipelines.clips import ClipJob, continue_clips, generate_clips, num_windows
from ul_engine.pipelines.keeping import Kept, cells_of
from ul_engine.pipelines.pipeline import ConditionBlend, Pipeline, Restorer, pad_to_multiple
from ul_engine.pipelines.ready import natural_dtype, ready_pipeline
from ul_engine.pipelines.sampling import (
    FIRST_ORDER,
    SAMPLERS,
    Observe,
    Phase,
    Start,
    default_guidance,
    ignore,
    out_of_memory,
    sampling_grid,
)

__all__ = [
    "FIRST_ORDER",
    "SAMPLERS",
    "ClipJob",
    "ConditionBlend",
    "Kept",
    "Observe",
    "Phase",
    "Pipeline",
    "Restorer",
    "Start",
    "cells_of",
    "continue_clips",
    "default_guidance",
    "generate_clips",
    "ignore",
    "natural_dtype",
    "num_windows",
    "out_of_memory",
    "pad_to_multiple",
    "ready_pipeline",
    "sampling_grid",
]
