"""How a run is spread over devices and fitted into their memory. No torch."""

from typing import Literal

from pydantic import Field

from ul_engine.requests import FrozenModel


class ScaleConfig(FrozenModel):
    """Nothing here changes what a run computes, except in the last digits of rounding (and dropout's masks)."""

    strategy: Literal["auto", "ddp", "fsdp"] = Field(
        "auto",
        description="ddp: a whole copy on every device. fsdp: weights, gradients and moments are shared out. auto: ddp "
        "for more than one process.",
    )
    micro_batch: int | None = Field(
        None, ge=1, description="Samples at once on a device; gradients add up to the whole batch. None: all at once."
    )
    auto_micro_batch: bool = Field(
        False, description="When a device's memory runs out, halve the micro-batch and go on; the batch stays as it is."
    )
    checkpoint_activations: bool = Field(
        False, description="Compute every block again in the backward pass: less memory, about a third more time."
    )
    compile_blocks: bool = Field(False, description="Compile every block; pays on CUDA in runs of an hour or more.")
