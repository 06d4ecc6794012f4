"""How a request is carried out: samplers, steps, guidance, tiles; and the base of all settings. No torch."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FrozenModel(BaseModel):
    """Immutable settings object; unknown fields and numbers that are not finite are errors, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SamplerName(StrEnum):
    """The solvers of the denoising loop."""

    DDPM = "ddpm"
    DDIM = "ddim"
    DPMPP_2M = "dpmpp-2m"
    DPMPP_2M_SDE = "dpmpp-2m-sde"


class SamplerSettings(FrozenModel):
    """One diffusion sampling loop."""

    name: SamplerName = Field(SamplerName.DPMPP_2M_SDE, description="Solver. 2M needs the fewest steps.")
    num_steps: int = Field(28, ge=1, le=1024, description="Network evaluations (doubled by guidance), 1 to 1024.")


class GuidanceSettings(FrozenModel):
    """Classifier-free guidance, applied only inside an interval of log-SNR."""

    weight: float = Field(
        2.0, ge=0.0, le=20.0, description="1 means no guidance, 0 ignores the prompt; usual: 1.5 to 4."
    )
    logsnr_low: float = Field(-3.0, ge=-20.0, le=20.0, description="Noisiest log-SNR at which guidance acts.")
    logsnr_high: float = Field(1.5, ge=-20.0, le=20.0, description="Cleanest log-SNR at which guidance acts.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.logsnr_low > self.logsnr_high:
            raise ValueError("logsnr_low must not exceed logsnr_high")
        return self


class TilingSettings(FrozenModel):
    """How pictures much larger than the training size are worked on: in overlapping tiles, blended at every step."""

    mode: Literal["auto", "on", "off"] = Field(
        "auto", description="auto tiles what is longer than twice the training size; off takes every picture whole."
    )
    tile_px: int | None = Field(None, ge=16, le=4096, description="Side of a tile; None: the training size.")
    overlap_share: float = Field(0.25, ge=0.0, le=0.75, description="Part of a tile shared with its neighbour.")
    tiles_per_batch: int = Field(8, ge=1, le=256, description="Tiles denoised together; changes memory and speed only.")


class SamplingSettings(FrozenModel):
    """Both diffusions of one generation."""

    base: SamplerSettings = Field(
        default_factory=lambda: SamplerSettings(), description="Latent diffusion (base model)."
    )
    decoder: SamplerSettings = Field(
        default_factory=lambda: SamplerSettings(), description="Pixel diffusion (decoder)."
    )
    guidance: GuidanceSettings = Field(default_factory=lambda: GuidanceSettings())


PRESETS: dict[str, SamplingSettings] = {
    "Preview": SamplingSettings(
        base=SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=12),
        decoder=SamplerSettings(name=SamplerName.DPMPP_2M, num_steps=8),
    ),
    "Balanced": SamplingSettings(
        base=SamplerSettings(name=SamplerName.DPMPP_2M_SDE, num_steps=32),
        decoder=SamplerSettings(name=SamplerName.DPMPP_2M_SDE, num_steps=24),
    ),
    "Paper": SamplingSettings(
        base=SamplerSettings(name=SamplerName.DDPM, num_steps=256),
        decoder=SamplerSettings(name=SamplerName.DDPM, num_steps=256),
    ),
}
"""Defaults for a model whose card states no calibration of its own."""
