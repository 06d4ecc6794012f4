"""The whole benchmark of one configuration, figure by figure."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal

import torch
from pydantic import Field

from ul_engine.accounting import (
    FLOPS_PER_MULTIPLY_ADD,
    TRAINING_PASSES,
    Operations,
    forward_operations,
    meta_model,
    num_parameters,
    sampling_cost,
)
from ul_engine.accounting.operations import stage1_operations
from ul_engine.bench.inputs import Inputs, full_condition, random_inputs
from ul_engine.bench.machine import Machine
from ul_engine.bench.timing import Timing, Work, measured
from ul_engine.bench.training import network_passes, stage1_step, stage2_step
from ul_engine.config import ModelConfig
from ul_engine.model_folder import NetworkName
from ul_engine.models.unified import UnifiedLatents, prefer_channels_last
from ul_engine.nn.compiling import compile_blocks
from ul_engine.pipelines import Pipeline
from ul_engine.requests import FrozenModel, SamplingSettings

Part = Literal["networks", "training", "sampling"]
PARTS: tuple[Part, ...] = ("networks", "training", "sampling")
MADE_PICTURES, MADE_CLIPS = 4, 1


class Setup(FrozenModel):
    """What is timed, and how."""

    source: str = Field(description="Where the configuration comes from.")
    config: ModelConfig
    batch_size: int = Field(16, ge=1, description="Samples per evaluation and training step.")
    precision: Literal["bf16", "fp32"] = Field("fp32", description="Arithmetic of the networks.")
    is_compiled: bool = Field(False, description="Whether the networks' blocks are compiled.")
    repeats: int = Field(5, ge=1, description="Timed repetitions; the median counts.")
    parts: tuple[Part, ...] = PARTS
    sampling: dict[str, SamplingSettings] = Field(default_factory=dict, description="Presets to generate with.")


class BenchReport(FrozenModel):
    """Everything that was measured."""

    machine: Machine
    setup: Setup
    num_parameters: dict[NetworkName, int]
    matmul_flops_per_s: dict[str, float] = Field(description="Measured peak by arithmetic.")
    timings: dict[str, Timing]


@dataclass
class Bench:
    """One configuration on one device; the weights are fresh ones, which take as long as trained ones."""

    setup: Setup
    device: torch.device
    matmul_flops_per_s: Mapping[str, float]
    model: UnifiedLatents = field(init=False)
    forward: dict[NetworkName, Operations] = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        meta = meta_model(self.setup.config)
        self.forward = forward_operations(meta)
        self.num_parameters = num_parameters(meta)
        self.model = UnifiedLatents(self.setup.config).to(self.device)
        prefer_channels_last(self.model)
        if self.setup.is_compiled:
            compile_blocks(self.model)

    def timings(self) -> Iterator[tuple[str, Timing]]:
        """Name and figures, one after the other; the parts asked for, in the order of `PARTS`."""
        inputs = random_inputs(self.setup.config, self.setup.batch_size, self.device)
        parts = {"networks": self._networks, "training": self._training, "sampling": self._sampling}
        for part in PARTS:
            if part in self.setup.parts:
                yield from parts[part](inputs)

    def _autocast(self) -> AbstractContextManager[None]:
        if self.setup.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def _timing(self, work: Work, multiply_adds: int, num_samples: int) -> Timing:
        return measured(
            work,
            self.device,
            num_samples=num_samples,
            flops=multiply_adds * FLOPS_PER_MULTIPLY_ADD * num_samples,
            peak_flops_per_s=self.matmul_flops_per_s[self.setup.precision],
            repeats=self.setup.repeats,
        )

    def _networks(self, inputs: Inputs) -> Iterator[tuple[str, Timing]]:
        for name, (forward, both) in network_passes(self.model, inputs, self._autocast).items():
            cost, batch = self.forward[name].total, self.setup.batch_size
            yield f"{name}_forward", self._timing(forward, cost, batch)
            yield f"{name}_forward_backward", self._timing(both, cost * TRAINING_PASSES, batch)

    def _training(self, inputs: Inputs) -> Iterator[tuple[str, Timing]]:
        _, stage1 = stage1_operations(self.setup.config, self.forward)
        costs = {"stage1_step": stage1.total, "stage2_step": self.forward["base"].total}
        for name, make in (("stage1_step", stage1_step), ("stage2_step", stage2_step)):
            step = make(self.model, inputs, self._autocast)
            yield name, self._timing(step, costs[name] * TRAINING_PASSES, self.setup.batch_size)
            self.model.zero_grad(set_to_none=True)

    def _sampling(self, inputs: Inputs) -> Iterator[tuple[str, Timing]]:
        config = self.setup.config
        count = MADE_PICTURES if config.video is None else MADE_CLIPS
        self.model.eval()
        for name, settings in self.setup.sampling.items():
            cost = sampling_cost(config, settings, self.forward)
            yield f"generate_{name.lower()}", self._timing(self._generation(settings, count), cost.total, count)
        for name, settings in list(self.setup.sampling.items())[:1]:
            cost = sampling_cost(config, settings, self.forward)
            operations = self.forward["encoder"].total + cost.decoder.total
            yield f"reconstruct_{name.lower()}", self._timing(self._reconstruction(settings, count), operations, count)

    def _pipeline(self) -> Pipeline:
        dtype = torch.bfloat16 if self.setup.precision == "bf16" else torch.float32
        return Pipeline(self.model, self.device, dtype)

    def _generation(self, settings: SamplingSettings, count: int) -> Work:
        pipeline, config, seeds = self._pipeline(), self.setup.config, range(count)
        _, frames, height, width = config.latent_shape(config.image_px, config.image_px, config.num_frames)

        def work() -> None:
            condition = full_condition(config, count, self.device)
            cells = (frames, height, width)
            z_0 = pipeline.sample_latents(seeds, cells, condition, settings.base, settings.guidance)
            pipeline.decode(z_0, seeds, settings.decoder)

        return work

    def _reconstruction(self, settings: SamplingSettings, count: int) -> Work:
        pipeline, seeds = self._pipeline(), range(count)
        x = random_inputs(self.setup.config, count, self.device).x

        def work() -> None:
            z_clean = pipeline.encode(x)
            pipeline.decode(pipeline.native_latent(z_clean, seeds), seeds, settings.decoder)

        return work
