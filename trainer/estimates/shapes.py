"""The model of a run at the size of the run's data, and which of its networks the run trains."""

from torch import nn

from trainer.config import RunConfig, Stage
from ul_engine.accounting import Operations, forward_operations
from ul_engine.accounting.operations import stage1_operations
from ul_engine.config import ModelConfig
from ul_engine.model_folder import NetworkName
from ul_engine.models.unified import UnifiedLatents


def sized_model(config: RunConfig) -> ModelConfig:
    """The model's configuration with the data's size in place of the one its schedule was made for."""
    return config.model.model_copy(update={"image_px": config.data.size_px})


def trained_networks(config: RunConfig, forward: dict[NetworkName, Operations]) -> tuple[NetworkName, ...]:
    """Names of the networks that the run trains."""
    return ("base",) if config.stage is Stage.STAGE2 else stage1_operations(config.model, forward)[0]


def operations(config: RunConfig, model: UnifiedLatents) -> tuple[dict[NetworkName, Operations], Operations]:
    """Multiply-adds of one forward pass for one sample: of each network, and of all that the run trains; `model` is on
    the meta device."""
    forward = forward_operations(model)
    names = trained_networks(config, forward)
    return forward, sum((forward[name] for name in names), Operations())


def modules(model: UnifiedLatents, names: tuple[NetworkName, ...]) -> list[nn.Module]:
    """The networks of these names."""
    return [getattr(model, name) for name in names]


def rank_batch(config: RunConfig, num_ranks: int) -> int:
    """Samples of a step on the rank that has most."""
    return -(-config.batch_size // num_ranks)


def micro_batch(config: RunConfig, num_ranks: int) -> int:
    """Samples at once on a device."""
    whole = rank_batch(config, num_ranks)
    return whole if config.scale.micro_batch is None else min(whole, config.scale.micro_batch)
