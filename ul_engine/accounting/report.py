"""Everything that a model's configuration costs, as one object that becomes JSON."""

from collections.abc import Mapping

from pydantic import Field

from ul_engine.accounting.memory import (
    DEVICE_SHARE,
    InferenceMemory,
    TrainingMemory,
    inference_memory,
    stage1_memory,
    stage2_memory,
)
from ul_engine.accounting.networks import latent_shape, meta_model, num_parameters
from ul_engine.accounting.operations import (
    TRAINING_PASSES,
    Operations,
    forward_operations,
    stage1_operations,
)
from ul_engine.accounting.sampling import SamplingCost, sampling_cost
from ul_engine.config import ModelConfig
from ul_engine.model_folder import NetworkName
from ul_engine.requests import FrozenModel, SamplingSettings


class NetworkCost(FrozenModel):
    """One network."""

    parameters: int
    forward: Operations = Field(description="Multiply-adds of one pass for one sample.")


class StageCost(FrozenModel):
    """One stage of training."""

    networks: tuple[NetworkName, ...]
    training: Operations = Field(description="Multiply-adds per sample: three times the forward pass.")
    memory: TrainingMemory


class LatentFacts(FrozenModel):
    """The latent of a training sample, and what a bit per pixel is in it."""

    shape: tuple[int, int, int, int] = Field(description="Channels, frames, height, width.")
    num_values: int
    num_tokens: int = Field(description="Cells, the tokens of prior and decoder.")
    num_pixels: int = Field(description="Height x width x frames of the sample.")
    bits_per_value: float = Field(description="Bits per latent value at 1 bit per pixel.")


class ModelCost(FrozenModel):
    """Parameters, operations and memory of a model."""

    config: ModelConfig
    latent: LatentFacts
    networks: dict[NetworkName, NetworkCost]
    stage1: StageCost
    stage2: StageCost | None = Field(description="None in single-stage training.")
    inference: InferenceMemory
    sampling: dict[str, SamplingCost] = Field(description="By the name of the sampling preset.")
    device_share: float = Field(DEVICE_SHARE, description="Part of a device's memory that the estimates may fill.")

    @property
    def num_parameters(self) -> int:
        """Of all networks."""
        return sum(network.parameters for network in self.networks.values())


def model_cost(config: ModelConfig, *, batch_size: int, sampling: Mapping[str, SamplingSettings]) -> ModelCost:
    """Count everything for training steps of `batch_size` and for each of the `sampling` presets.

    Nothing is allocated and nothing runs: a few seconds for a model of any size.
    """
    model = meta_model(config)
    parameters, forward = num_parameters(model), forward_operations(model)
    is_two_stage = config.training == "two-stage"
    stage1_names, stage1_forward = stage1_operations(config, forward)
    return ModelCost(
        config=config,
        latent=latent_facts(config),
        networks={name: NetworkCost(parameters=count, forward=forward[name]) for name, count in parameters.items()},
        stage1=StageCost(
            networks=stage1_names,
            training=stage1_forward.times(TRAINING_PASSES),
            memory=stage1_memory(model, batch_size),
        ),
        stage2=StageCost(
            networks=("base",),
            training=forward["base"].times(TRAINING_PASSES),
            memory=stage2_memory(model, batch_size),
        )
        if is_two_stage
        else None,
        inference=inference_memory(model),
        sampling={name: sampling_cost(config, settings, forward) for name, settings in sampling.items()},
    )


def latent_facts(config: ModelConfig) -> LatentFacts:
    """Shape and units of the latent of a training sample."""
    channels, frames, height, width = shape = latent_shape(config)
    num_pixels = config.num_frames * config.image_px**2
    num_values = channels * frames * height * width
    return LatentFacts(
        shape=shape,
        num_values=num_values,
        num_tokens=frames * height * width,
        num_pixels=num_pixels,
        bits_per_value=num_pixels / num_values,
    )
