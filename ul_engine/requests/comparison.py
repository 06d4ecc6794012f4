"""The requests to reconstruct and compare, to measure files, and to put pictures through ordinary codecs. No torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ul_engine.requests.generation import MAX_SEED
from ul_engine.requests.settings import FrozenModel, SamplingSettings, TilingSettings

RestorerName = Literal["prior", "base"]
MeasureName = Literal["ssim", "ms-ssim", "flip", "lpips"]
"""Measures beside PSNR, which is always taken."""
CodecName = Literal["jpeg", "webp", "avif", "jpegxl"]
ALL_CODECS: tuple[CodecName, ...] = ("jpeg", "webp", "avif", "jpegxl")


class ReconstructRequest(FrozenModel):
    """Encode pictures or clips, noise the latent to each log-SNR level, bring it back to its native level, decode.

    The second ladder starts the decoder from the picture itself, noised to each of `decoder_logsnrs`. All rungs share
    their noise, so that they differ by the level alone. The worker keeps what it made of the last inputs: asking again,
    for other rungs or measures, computes only what is new.
    """

    kind: Literal["reconstruct"] = "reconstruct"
    model: str = Field(description="Folder of the model.")
    inputs: tuple[str, ...] = Field(min_length=1, description="Picture or video files.")
    latent_logsnrs: tuple[float, ...] = Field(
        (5.0,), description="Levels of the noise ladder; 5 is native. May be empty where anything else is asked."
    )
    decoder_logsnrs: tuple[float, ...] = Field(
        (), description="Levels of the picture from which the decoder starts, with the native latent."
    )
    restorer: RestorerName = Field(
        "prior", description="What brings a noised latent back: the prior, or the base model without a condition."
    )
    num_decodes: int = Field(
        1, ge=1, le=256, description="Decodes of each latent; more than one shows what is invented."
    )
    measures: tuple[MeasureName, ...] = Field(("ssim",), description="Measures to take of each rung, beside PSNR.")
    want_flip_map: bool = Field(False, description="Send the FLIP error of every pixel with each rung.")
    want_bit_map: bool = Field(True, description="Send where the bits went, per latent cell and band of log-SNR.")
    want_latent: bool = Field(False, description="Send z_clean, z_0 and the principal components of each input.")
    seed: int = Field(0, ge=0, le=MAX_SEED - 256, description="Seed of the latent and decoder noise.")
    sampling: SamplingSettings = Field(default_factory=lambda: SamplingSettings())
    tiling: TilingSettings = Field(default_factory=lambda: TilingSettings())
    bitrate_times: int = Field(32, ge=1, le=4096, description="Stratified noise levels in the bitrate estimate.")
    bitrate_draws: int = Field(
        1, ge=1, le=64, description="Draws of noise in it; several show how far the bits of a cell spread."
    )
    bits_under: Literal["restorer", "both"] = Field(
        "restorer", description="Count the bits under the restorer, or under prior and base model where both are there."
    )
    max_frames: int = Field(64, ge=1, le=4096, description="Frames taken of a video, from its beginning.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.latent_logsnrs or self.decoder_logsnrs or self.want_latent):
            raise ValueError("name at least one level")
        return self


class CodecRequest(FrozenModel):
    """Put pictures through ordinary codecs: at given bits per pixel, and along each codec's whole range of qualities.

    Needs no model. Codecs that this machine lacks are reported, and the others go on.
    """

    kind: Literal["codecs"] = "codecs"
    inputs: tuple[str, ...] = Field(min_length=1, description="Picture files; of a video one frame is taken.")
    frame: int = Field(0, ge=0, le=4095, description="Which frame of a video, from 0.")
    codecs: tuple[CodecName, ...] = Field(ALL_CODECS, min_length=1, description="Codecs to try.")
    bits_per_pixel: tuple[float, ...] = Field(
        (), description="Rates to come near from below, such as the latent's bits per pixel."
    )
    want_curve: bool = Field(False, description="Measure several qualities of each codec, for a chart.")
    measures: tuple[MeasureName, ...] = Field(("ssim",), description="Measures to take, beside PSNR.")
    want_flip_map: bool = Field(False, description="Send the FLIP error of every pixel with each decoded picture.")

    @property
    def model(self) -> str:
        """No model is needed; as other requests name theirs."""
        return ""

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.bits_per_pixel and not self.want_curve:
            raise ValueError("name at least one rate, or ask for the curve")
        if any(rate <= 0 for rate in self.bits_per_pixel):
            raise ValueError("rates must be above 0 bits per pixel")
        return self


class MeasureRequest(FrozenModel):
    """Measure how far files are from another one, the reference. Needs no model.

    A file of another size, or a clip of another length, is told with the reason, and the others go on.
    """

    kind: Literal["measure"] = "measure"
    reference: str = Field(min_length=1, description="Picture or video file that the others are held against.")
    inputs: tuple[str, ...] = Field(min_length=1, description="Picture or video files.")
    measures: tuple[MeasureName, ...] = Field(("ssim",), description="Measures to take, beside PSNR.")
    want_flip_map: bool = Field(False, description="Send the FLIP error of every pixel.")
    max_frames: int = Field(64, ge=1, le=4096, description="Frames taken of a video, from its beginning.")

    @property
    def model(self) -> str:
        """No model is needed; as other requests name theirs."""
        return ""
