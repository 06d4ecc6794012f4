"""What a run will cost, as plain values and JSON: parameters, operations, memory, time, disk. No torch."""

from pydantic import Field

from trainer.config import Stage
from ul_engine.model_folder import NetworkName
from ul_engine.requests import FrozenModel


class NetworkEstimate(FrozenModel):
    """One network."""

    parameters: int
    multiply_adds: int = Field(description="Of one forward pass for one sample.")
    is_trained: bool


class MemoryEstimate(FrozenModel):
    """Memory of one device during a step, in bytes."""

    micro_batch: int = Field(description="Samples at once.")
    needed: int = Field(description="Of a step with them.")
    fixed: int = Field(
        description="Of that, whatever the batch: weights, gradients, moments, average, frozen networks."
    )
    per_sample: int
    free: int
    total: int
    usable: int = Field(description="What an estimate may fill: part of the whole, and no more than is free.")
    largest_micro_batch: int = Field(description="Samples at once that fit; 0: none.")

    @property
    def fits(self) -> bool:
        """Whether a step fits into what is usable."""
        return self.needed <= self.usable


class DiskEstimate(FrozenModel):
    """What the run leaves on the disk, in bytes."""

    checkpoint: int = Field(description="One training state.")
    num_checkpoints: int = Field(description="Kept at the end, and one in the making.")
    model: int = Field(description="The exported model folder.")
    latents: int | None = Field(
        description="The cache of latents; None: there is none, or the data is not counted yet."
    )
    scenes: int = Field(0, description="Scenes that are to be rendered; a cache in the making counts in full.")
    previews: int
    free: int | None = Field(None, description="On the disk of the run folder; None: no folder was named.")

    @property
    def total(self) -> int:
        """Sum of what is known."""
        return self.checkpoint * self.num_checkpoints + self.model + (self.latents or 0) + self.scenes + self.previews


class StepTime(FrozenModel):
    """How long a step of the whole batch takes on one device."""

    seconds: float = Field(description="Of one step of the run.")
    is_measured: bool
    how: str = Field(description="Where the figure comes from, as a sentence.")
    flops_per_s: float = Field(description="Rate that the steps reach.")
    peak_bytes: int | None = Field(None, description="Most memory while measuring; None: not measured.")
    measured_batch: int | None = Field(None, description="Samples at once while measuring; None: not measured.")


class RunEstimate(FrozenModel):
    """What a run will cost."""

    stage: Stage
    device: str
    device_name: str
    num_ranks: int
    networks: dict[NetworkName, NetworkEstimate]
    flops_per_step: int = Field(description="Of all ranks together, forward and backward.")
    memory: MemoryEstimate
    step: StepTime
    rendering_s: float | None = Field(
        None, description="Of the Scenes that are to be rendered, seconds; None: none, or not measured."
    )
    encoding_s: float | None = Field(description="Of the cache of latents, seconds; None: none, or unknown.")
    total_s: float = Field(
        description="Of the steps, rendering and encoding; validations, previews and saving come on top."
    )
    disk: DiskEstimate

    @property
    def preparing_s(self) -> float:
        """Before the first step, seconds: what is known of it."""
        return (self.rendering_s or 0.0) + (self.encoding_s or 0.0)

    def stretched(self, num_steps: int) -> "RunEstimate":
        """The same run for another number of steps."""
        return self.model_copy(update={"total_s": self.step.seconds * num_steps + self.preparing_s})
