"""Settings of a training run. No torch."""

from trainer.config.data import (
    ClipsData,
    DataConfig,
    FileData,
    HubData,
    LoadingConfig,
    PhotographsData,
    PicturesData,
    ScenesData,
    num_frames_of,
)
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
    "PhotographsData",
    "PicturesData",
    "RunConfig",
    "ScaleConfig",
    "ScenesData",
    "Stage",
    "ValidationConfig",
    "load_config",
    "num_frames_of",
    "parse_config",
    "read_recipe",
    "resolved_config",
]
