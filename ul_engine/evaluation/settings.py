"""What an evaluation is asked to do. No torch."""

import hashlib
from typing import Any, Literal

from pydantic import Field

from ul_engine.requests import MAX_SEED, FrozenModel, SamplingSettings, TilingSettings

MAX_SAMPLES = 10_000_000
MAX_DECODES = 256


class EvaluationSettings(FrozenModel):
    """How samples are taken, reconstructed, generated and measured; sample i uses seed + i.

    Two runs with equal settings, data, model and program give equal figures; `batch_size` alone changes none.
    """

    limit: int | None = Field(None, ge=1, le=MAX_SAMPLES, description="Take the first so many samples; None: all.")
    size_px: int | None = Field(
        None, ge=8, le=8192, description="Scale and cut every picture to this square; None: each at its own size."
    )
    seed: int = Field(0, ge=0, le=MAX_SEED - MAX_SAMPLES, description="Seed of the first sample.")
    sampling: SamplingSettings = Field(default_factory=lambda: SamplingSettings())
    tiling: TilingSettings = Field(default_factory=lambda: TilingSettings())
    num_decodes: int = Field(1, ge=1, le=MAX_DECODES, description="Decodes of each latent; the first one is measured.")
    bitrate_times: int = Field(32, ge=1, le=4096, description="Stratified noise levels in the bitrate estimate.")
    restorer: Literal["prior", "base", "both"] = Field("both", description="Whose bound counts the bits.")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="Arithmetic of the networks.")
    batch_size: int = Field(
        16, ge=1, le=4096, description="Samples of the training size at once; of larger ones fewer. Memory and speed."
    )
    clip_stride: int | None = Field(
        None, ge=1, description="Frames from one clip's beginning to the next one's; None: the model's clip length."
    )
    clip_fps: float | None = Field(
        None, gt=0.0, le=1000.0, description="Rate that videos are brought to; None: every frame of the file."
    )
    num_generated: int | None = Field(
        None, ge=2, le=MAX_SAMPLES, description="Samples to generate for distances; None: as many as there are data."
    )
    prompts: tuple[str, ...] = Field(
        (), description="Texts, or classes by name or number, that generated samples take in turn; empty: none."
    )
    continues: bool = Field(False, description="Generated clips go on from the first frames of the data's clips.")
    skip_broken: bool = Field(False, description="Leave out what cannot be read instead of stopping.")

    def identity(self) -> dict[str, Any]:
        """All that figures depend on, as JSON; prompts by their number and SHA-256."""
        data = self.model_dump(mode="json", exclude={"batch_size", "prompts"})
        digest = hashlib.sha256("\n".join(self.prompts).encode()).hexdigest() if self.prompts else None
        return data | {"num_prompts": len(self.prompts), "prompts_sha256": digest}
