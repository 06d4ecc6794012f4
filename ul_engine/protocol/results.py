"""What jobs make: worker -> program. No torch.

All payload arrays lie one after the other without gaps, each in row-major order; `float32` is little endian.
"""

from typing import Literal

from pydantic import Field

from ul_engine.protocol.message import Message
from ul_engine.requests import CodecName, RestorerName

# ---- generation ---------------------------------------------------------------------------------------------------


class ImageResult(Message):
    """One finished picture or clip of a generation; the payload is uint8 ``shape`` [T, H, W, 3]."""

    type: Literal["image_result"] = "image_result"
    job_id: str
    index: int
    seed: int
    shape: tuple[int, int, int, int]
    fps: float | None = Field(None, description="Frames per second of a clip; None for a picture.")
    elapsed_s: float = Field(description="Time since the job began.")


# ---- comparison ---------------------------------------------------------------------------------------------------


class OriginalResult(Message):
    """An input as it was read, sent once before its other results; the payload is uint8 ``shape`` [T, H, W, 3]."""

    type: Literal["original_result"] = "original_result"
    job_id: str
    input: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    shape: tuple[int, int, int, int]
    fps: float | None = Field(None, description="Frames per second of a clip; None for a picture.")
    missing_measures: dict[str, str] = Field(
        default_factory=dict, description="Measures asked for that cannot be taken of it, each with the reason."
    )


class Figures(Message):
    """How far pictures are from their original. None: not asked for, or it cannot be taken (see `OriginalResult`)."""

    psnr_db: float = Field(description="Infinite for equal pictures.")
    ssim: float | None = None
    ms_ssim: float | None = None
    ms_ssim_scales: int | None = Field(
        None, description="Scales of MS-SSIM, 5 from 176 pixels a side; values over different numbers do not compare."
    )
    flip: float | None = Field(None, description="Mean of the FLIP error, 0 (no difference seen) to 1.")
    lpips: float | None = None


class ReconstructionResult(Figures):
    """One reconstruction; the payload is uint8 ``shape`` [T, H, W, 3], then, where `has_flip_map`, the FLIP error of
    every pixel, uint8 [T, H, W], 255 standing for an error of 1."""

    type: Literal["reconstruction_result"] = "reconstruction_result"
    job_id: str
    input: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    latent_logsnr: float
    decoder_logsnr: float | None = Field(None, description="Level the decoder started from; None: pure noise.")
    is_trained_level: bool = Field(True, description="False above the native level: the decoder never saw such.")
    psnr_db_per_frame: tuple[float, ...] = Field((), description="Of a clip, a figure per frame.")
    flicker_per_frame: tuple[float, ...] = Field(
        (), description="Of a clip: change from frame i to i + 1 that the original lacks, mean, in 8-bit levels; T - 1."
    )
    flicker_levels: float | None = Field(None, description="Mean of flicker_per_frame; None for a picture.")
    bits_per_pixel: float = Field(description="Upper bound on the information in z_0, not a file size.")
    bits_per_dim: float
    bits_per_pixel_prior: float | None = Field(None, description="The bound under the prior; None: not counted.")
    bits_per_pixel_base: float | None = Field(None, description="Under the base model; None: not counted.")
    has_flip_map: bool = False
    shape: tuple[int, int, int, int]


class SpreadResult(Message):
    """Several decodes of one latent; the payload is their mean, uint8 ``shape`` [T, H, W, 3], then their standard
    deviation in 8-bit levels, float32 [T, H, W]."""

    type: Literal["spread_result"] = "spread_result"
    job_id: str
    input: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    latent_logsnr: float
    decoder_logsnr: float | None = None
    num_decodes: int
    mean_psnr_db: float = Field(description="PSNR of the mean; no less than what the decodes reach on average.")
    mean_deviation: float = Field(description="Root mean square of the deviation, in 8-bit levels.")
    shape: tuple[int, int, int, int]


class BitMapResult(Message):
    """Where the bits of one input went, under one network; the payload is bits per latent cell, float32 ``shape``
    [T, h, w], their mean over `num_draws` draws of noise, then, of several draws, their standard deviation, of the same
    shape. The mean's standard error is the deviation divided by sqrt(num_draws)."""

    type: Literal["bit_map_result"] = "bit_map_result"
    job_id: str
    input: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    restorer: RestorerName = Field("prior", description="Whose bound it is.")
    shape: tuple[int, int, int]
    cell_px: int = Field(1, description="Pixels of a cell along height and width.")
    cell_frames: int = Field(1, description="Frames of a cell.")
    bands: tuple[tuple[float, float, float], ...] = Field(description="(low, high, bits) per band of log-SNR, rising.")
    band_deviations: tuple[float, ...] = Field((), description="Standard deviation per band over the draws.")
    terminal_bits: float = Field(0.0, description="What is paid at the noisiest level; in no band.")
    num_draws: int = 1
    bits_per_pixel: float
    bits_per_pixel_deviation: float | None = Field(None, description="Over the draws; None: there was one.")


class LatentResult(Message):
    """The latent of one input. The payload is z_clean (what the encoder says), float32 ``shape`` [C, T, h, w]; z_0
    (with the fixed noise; what the decoder sees), the same; and the first three principal components of z_clean over
    its cells as red, green and blue, uint8 [T, h, w, 3]."""

    type: Literal["latent_result"] = "latent_result"
    job_id: str
    input: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    shape: tuple[int, int, int, int]
    cell_px: int = Field(description="Pixels of a cell along height and width.")
    cell_frames: int = Field(description="Frames of a cell.")
    channel_means: tuple[float, ...] = Field(description="Of z_clean, per channel, over this input's cells.")
    channel_stds: tuple[float, ...] = Field(description="Of z_clean, per channel, over this input's cells.")
    principal_shares: tuple[float, ...] = Field(description="Share of the variance in each of the components shown.")
    latent_std: float = Field(description="Standard deviation of z_clean over the training data.")
    alpha_0: float = Field(description="z_0 = alpha_0 z_clean + sigma_0 eps.")
    sigma_0: float = Field(description="Standard deviation of the fixed noise.")


# ---- codecs -------------------------------------------------------------------------------------------------------


class CodecMissing(Message):
    """A codec that was asked for and cannot be used on this machine."""

    type: Literal["codec_missing"] = "codec_missing"
    job_id: str
    codec: CodecName
    label: str
    reason: str = Field(description="What is missing and what to do.")


class CodecPoint(Figures):
    """One setting of a codec: its rate and figures. Bits are those of the whole file."""

    bits_per_pixel: float
    num_bytes: int
    quality: float = Field(description="On the codec's own scale.")
    setting: str = Field(description="Quality and options in words.")


class CodecResult(CodecPoint):
    """A picture that went through a codec; the payload is the decoded pixels, uint8 ``shape`` [1, H, W, 3], then, where
    `has_flip_map`, the FLIP error of every pixel, uint8 [1, H, W], 255 standing for an error of 1."""

    type: Literal["codec_result"] = "codec_result"
    job_id: str
    input: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    codec: CodecName
    label: str
    asked_bits_per_pixel: float
    is_floor: bool = Field(description="The codec cannot go as low: this is its smallest file, and must be marked so.")
    has_flip_map: bool = False
    shape: tuple[int, int, int, int]


class CodecCurveResult(Message):
    """A codec's rate-distortion curve on one picture, from few bits to many."""

    type: Literal["codec_curve_result"] = "codec_curve_result"
    job_id: str
    input: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    codec: CodecName
    label: str
    points: tuple[CodecPoint, ...]


# ---- files --------------------------------------------------------------------------------------------------------


class FileFigures(Figures):
    """How far one file is from another; the payload is, where `has_flip_map`, the FLIP error of every pixel, uint8
    ``shape`` [T, H, W], 255 standing for an error of 1."""

    type: Literal["file_figures"] = "file_figures"
    job_id: str
    input: str
    reference: str = Field(description="What it was held against.")
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    psnr_db_per_frame: tuple[float, ...] = Field((), description="Of a clip, a figure per frame.")
    flicker_per_frame: tuple[float, ...] = Field(
        (),
        description="Of a clip: change from frame i to i + 1 that the reference lacks, mean, in 8-bit levels; T - 1.",
    )
    flicker_levels: float | None = Field(None, description="Mean of flicker_per_frame; None for a picture.")
    missing_measures: dict[str, str] = Field(
        default_factory=dict, description="Measures asked for that cannot be taken of it, each with the reason."
    )
    has_flip_map: bool = False
    shape: tuple[int, int, int]


class FileUnlike(Message):
    """A file that cannot be measured against the reference, such as one of another size."""

    type: Literal["file_unlike"] = "file_unlike"
    job_id: str
    input: str
    reference: str
    number: int = Field(0, description="Place among the request's inputs, from 0.")
    reason: str
