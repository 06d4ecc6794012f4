"""The request to reconstruct and compare. No torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ul_engine.requests.generation import MAX_SEED
from ul_engine.requests.settings import FrozenModel, SamplingSettings, TilingSettings


class ReconstructRequest(FrozenModel):
    """Encode pictures or clips, noise the latent to each log-SNR level, bring it back to its native level, decode.

    The second ladder starts the decoder from the picture itself, noised to each of `decoder_logsnrs`. All rungs share
    their noise, so that they differ by the level alone.
    """

    kind: Literal["reconstruct"] = "reconstruct"
    model: str = Field(description="Folder of the model.")
    inputs: tuple[str, ...] = Field(min_length=1, description="Picture or video files.")
    latent_logsnrs: tuple[float, ...] = Field(
        (5.0,), description="Levels of the noise ladder; 5 is native. May be empty where the decoder's ladder is asked."
    )
    decoder_logsnrs: tuple[float, ...] = Field(
        (), description="Levels of the picture from which the decoder starts, with the native latent."
    )
    restorer: Literal["prior", "base"] = Field(
        "prior", description="What brings a noised latent back: the prior, or the base model without a condition."
    )
    num_decodes: int = Field(
        1, ge=1, le=256, description="Decodes of each latent; more than one shows what is invented."
    )
    seed: int = Field(0, ge=0, le=MAX_SEED - 256, description="Seed of the latent and decoder noise.")
    sampling: SamplingSettings = Field(default_factory=lambda: SamplingSettings())
    tiling: TilingSettings = Field(default_factory=lambda: TilingSettings())
    bitrate_times: int = Field(32, ge=1, le=4096, description="Stratified noise levels in the bitrate estimate.")
    max_frames: int = Field(64, ge=1, le=4096, description="Frames taken of a video, from its beginning.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.latent_logsnrs and not self.decoder_logsnrs:
            raise ValueError("name at least one level")
        return self
