"""Models by name: the paper's, some for one graphics card, toys; and the paper's ablations of any of them. No torch."""

from ul_engine.presets.ablations import ABLATIONS, BIAS_SWEEP, Ablation, apply_ablation
from ul_engine.presets.base_sizes import BASE_SIZES, with_base
from ul_engine.presets.changes import checked, unknown_name
from ul_engine.presets.registry import MODEL_PRESETS, ModelPreset, model_preset
from ul_engine.presets.words import with_vocabulary

__all__ = [
    "ABLATIONS",
    "BASE_SIZES",
    "BIAS_SWEEP",
    "MODEL_PRESETS",
    "Ablation",
    "ModelPreset",
    "apply_ablation",
    "checked",
    "model_preset",
    "unknown_name",
    "with_base",
    "with_vocabulary",
]
