"""Settings of a training run. No torch."""

from trainer.config.data import ClipsData, DataConfig, FileData, HubData, LoadingConfig, PicturesData, ScenesData
from trainer.config.loading import load_config, parse_config, read_recipe, resolved_config
from trainer.config.run import (
    CadenceConfig,
    CollapseConfig,
    GuardConfig,
    LatentsConfig,
    OptimizerConfig,
    RunConfig,
    Stage,
    ValidationConfig,
)
from trainer.config.scale import ScaleConfig

__all__ = [
    "CadenceConfig",
    "ClipsData",
    "CollapseConfig",
    "DataConfig",
    "FileData",
    "GuardConfig",
    "HubData",
    "LatentsConfig",
    "LoadingConfig",
    "OptimizerConfig",
    "PicturesData",
    "RunConfig",
    "ScaleConfig",
    "ScenesData",
    "Stage",
    "ValidationConfig",
    "load_config",
    "parse_config",
    "read_recipe",
    "resolved_config",
]
