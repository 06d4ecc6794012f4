"""Sizes of the base model, for any preset.

The paper's base model has two levels of 512 and 1024 channels with 6 and 16 blocks, and its plots know base models of
100, 300 and 970 GFLOPs, which it calls small, medium and large. It does not say which of them the (6, 16) blocks are,
nor whether a GFLOP there is a multiply-add or one of its two operations. On latents of 32x32 cells the (6, 16) blocks
cost 81 G multiply-adds, or 161 GFLOPs, per picture (projections and attention, as the paper counts). Of the three
figures 100 is the nearest by ratio in either unit (0.81 and 1.61 against 0.27 and 0.54), so they are small here.
Medium and large are ours: wider and deeper, so that they cost 300 and 972 G multiply-adds.
"""

from collections.abc import Mapping
from typing import Literal

from ul_engine.config import BaseConfig, ModelConfig
from ul_engine.presets.changes import changed, unknown_name

BaseSize = Literal["small", "medium", "large"]

BASE_SIZES: Mapping[str, BaseConfig] = {
    "small": BaseConfig(widths=(512, 1024), num_blocks=(6, 16)),
    "medium": BaseConfig(widths=(768, 1536), num_blocks=(10, 28)),
    "large": BaseConfig(widths=(1280, 2560), num_blocks=(10, 36)),
}
"""Widths and blocks of the outer and inner level; heads of 64 channels, dropout 0.1."""


def with_base(config: ModelConfig, size: str) -> ModelConfig:
    """`config` with the base model of another size; raises ConfigError for a name that is not in BASE_SIZES."""
    if size not in BASE_SIZES:
        raise unknown_name(size, BASE_SIZES, "base size", field="base")
    return changed(config, {"base": BASE_SIZES[size].model_dump()})
