"""Every number that defines a Unified Latents model, with its unit and legal range. No torch.

Defaults are the paper's for 512-pixel pictures (arXiv 2602.17270, section 4) and, where it is silent, the project's.
"""

import math
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from ul_engine.requests import FrozenModel

HEAD_CHANNELS = 64
"""Channels of one attention head in the paper's networks."""


class EncoderConfig(FrozenModel):
    """ResNet encoder: 2x2 patches, then one stage per entry of `channels`, each but the last followed by a 2x
    down-sampling."""

    channels: tuple[int, ...] = Field((128, 256, 512, 512), min_length=1, description="Channels of each stage.")
    blocks_per_stage: int = Field(2, ge=1, le=16, description="Residual blocks in each stage but the last.")
    blocks_last_stage: int = Field(3, ge=1, le=16, description="Residual blocks in the last stage.")
    variance: Literal["fixed", "learned"] = Field(
        "fixed",
        description="fixed: the method's constant noise. learned: an ablation, a variance per latent value beside it.",
    )


class PriorConfig(FrozenModel):
    """Single-level vision transformer of Stage 1, and what it is to the encoder."""

    kind: Literal["diffusion", "detached", "normal"] = Field(
        "diffusion",
        description="diffusion: the method. Ablations: detached sends no gradient into the encoder, which a weak KL to "
        "the normal distribution holds instead; normal has no network, the latent pays its KL to the normal in full.",
    )
    normal_kl_weight: float = Field(
        1e-4, ge=0.0, le=1.0, description="Weight of the KL to the normal distribution for kind detached."
    )
    width: int = Field(1024, ge=32, description="Token channels.")
    num_blocks: int = Field(8, ge=1, le=64, description="Transformer blocks.")
    head_channels: int = Field(HEAD_CHANNELS, ge=8, description="Channels per attention head; a multiple of 8.")
    dropout: float = Field(0.0, ge=0.0, lt=1.0, description="Dropout rate in the blocks.")


class BaseConfig(FrozenModel):
    """Two-level vision transformer of Stage 2: outer blocks at the latent's resolution, inner blocks at half of it."""

    widths: tuple[int, int] = Field((512, 1024), description="Token channels of the outer and inner level.")
    num_blocks: tuple[int, int] = Field(
        (6, 16), description="Blocks of the outer (split before and after) and inner level."
    )
    head_channels: int = Field(HEAD_CHANNELS, ge=8, description="Channels per attention head; a multiple of 8.")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="Dropout rate in the blocks of both levels.")

    @model_validator(mode="after")
    def _even_outer(self) -> Self:
        if self.num_blocks[0] < 2 or self.num_blocks[0] % 2 or self.num_blocks[1] < 1:
            raise ValueError(
                "num_blocks: the outer level needs an even number of at least 2, the inner level at least 1"
            )
        return self


class DecoderConfig(FrozenModel):
    """U-ViT decoder: 2x2 patches, one convolution stage per entry of `channels`, a transformer at the latent's
    resolution."""

    channels: tuple[int, ...] = Field((128, 256, 512), min_length=1, description="Channels of each convolution stage.")
    blocks_per_stage: int = Field(
        2, ge=1, le=16, description="Residual blocks of a stage on the way down, and again up."
    )
    width: int = Field(1024, ge=32, description="Token channels of the transformer.")
    num_blocks: int = Field(8, ge=1, le=64, description="Transformer blocks.")
    head_channels: int = Field(HEAD_CHANNELS, ge=8, description="Channels per attention head; a multiple of 8.")
    dropout: float = Field(0.1, ge=0.0, lt=1.0, description="Dropout rate in the transformer.")


class TextConfig(FrozenModel):
    """Small text encoder trained with the base model, over a closed vocabulary of words."""

    vocabulary: tuple[str, ...] = Field(
        min_length=1, description="Words the model knows, lower case; order gives the token ids."
    )
    max_tokens: int = Field(
        32, ge=4, le=512, description="Longest prompt in words; longer ones are cut, with a notice."
    )
    width: int = Field(256, ge=32, description="Token channels.")
    num_blocks: int = Field(2, ge=1, le=32, description="Transformer blocks.")
    head_channels: int = Field(32, ge=8, description="Channels per attention head; a multiple of 8.")

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % self.head_channels or self.head_channels % 8:
            raise ValueError("width must be a multiple of head_channels, and that a multiple of 8")
        return self


class ConditioningConfig(FrozenModel):
    """What the base model is told besides the noisy latent. The decoder is never conditioned on more than z_0."""

    kind: Literal["none", "class", "text"] = Field(
        "none", description="What the base model is told. none: nothing. class: a class's number. text: words."
    )
    num_classes: int = Field(0, ge=0, description="Number of classes when kind is class.")
    text: TextConfig | None = None
    drop_rate: float = Field(0.1, ge=0.0, le=1.0, description="Share of training samples that see the null condition.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "class" and self.num_classes < 1:
            raise ValueError("kind class needs num_classes of at least 1")
        if self.kind == "text" and self.text is None:
            raise ValueError("kind text needs the section text")
        return self


class LatentConfig(FrozenModel):
    """The latent and its noise."""

    channels: int = Field(32, ge=1, le=256, description="Latent channels; the paper tries 4 to 64.")
    logsnr_max: float = Field(5.0, gt=-5.0, lt=20.0, description="Fixed log-SNR of z_0, the prior's least noise.")
    logsnr_min: float = Field(-10.0, gt=-30.0, lt=0.0, description="Log-SNR of z_1, nearly pure noise.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.logsnr_min >= self.logsnr_max:
            raise ValueError("logsnr_min must be below logsnr_max")
        return self


class DecoderLossConfig(FrozenModel):
    """Weight of the decoder's loss, `loss_factor * sigmoid(sigmoid_bias - logsnr)`, and its noise schedule."""

    kind: Literal["diffusion", "mse"] = Field(
        "diffusion", description="diffusion: the method. mse: an ablation, one evaluation and the squared error."
    )
    mse_nats: float = Field(
        50.0,
        gt=0.0,
        description="Nats per unit of squared error for kind mse: 1 / (2 variance) of a normal likelihood.",
    )
    loss_factor: float = Field(
        1.5,
        gt=0.0,
        le=100.0,
        description="More puts more bits in the latent; paper: 1.3 to 2.1 at 512 px, small pictures 2 to 6.",
    )
    sigmoid_bias: float | None = Field(
        None, description="Log-SNR where the sigmoid is one half; None: -3 + 2 ln(512 / image_px)."
    )
    logsnr_max: float = Field(10.0, gt=0.0, lt=20.0, description="Log-SNR of the picture at t = 0.")
    logsnr_min: float = Field(-10.0, gt=-30.0, lt=0.0, description="Log-SNR of the unshifted cosine schedule at t = 1.")
    noise_px: int = Field(32, ge=1, description="Picture size whose shifted schedule is reached at t = 1.")


class VideoConfig(FrozenModel):
    """What a model of clips has beyond a model of pictures; a picture is a clip of one frame."""

    num_frames: int = Field(16, ge=2, le=1024, description="Frames of a training clip.")
    temporal_downsampling: Literal[1, 2, 4] = Field(4, description="Frames per latent frame.")
    context_frames: int = Field(
        0, ge=0, le=512, description="Frames the base model may be shown and continues from; 0: none."
    )
    fps: float = Field(8.0, gt=0.0, le=240.0, description="Frames per second of the training clips.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.num_frames % self.temporal_downsampling:
            raise ValueError(
                f"num_frames: {self.num_frames} is not a multiple of temporal_downsampling {self.temporal_downsampling}"
            )
        if self.context_frames >= self.num_frames:
            raise ValueError("context_frames must be fewer than num_frames")
        return self


class LevelRange(NamedTuple):
    """Levels of log-SNR that a network was trained on; below the lowest there is nothing, above the highest it never
    looked."""

    lowest: float
    highest: float

    def holds(self, logsnr: float) -> bool:
        """Whether a level lies within."""
        return self.lowest <= logsnr <= self.highest


class ModelConfig(FrozenModel):
    """One Unified Latents model: encoder, prior, decoder and base model."""

    name: str = Field(min_length=1, max_length=80, description="Name shown to people.")
    image_px: int = Field(
        512,
        ge=8,
        description="Size the noise schedule and bias are made for: a training number that never follows the input.",
    )
    image_channels: int = Field(3, ge=1, le=4, description="Channels of a picture.")
    patch_px: int = Field(2, ge=1, le=8, description="Side of the space-to-depth patches of encoder and decoder.")
    pixel_std: float = Field(
        0.5, gt=0.0, description="Standard deviation of the pixels in [-1, 1], for scaling the decoder's input."
    )
    video: VideoConfig | None = Field(None, description="Absent for a model of pictures.")
    training: Literal["two-stage", "single-elbo", "single-weighted"] = Field(
        "two-stage",
        description="two-stage: the method. Ablations train the base model with encoder and decoder: on the bound "
        "itself, or on a weighted bound with a decoder that is told the latent's log-SNR.",
    )
    latent: LatentConfig = Field(default_factory=lambda: LatentConfig())
    encoder: EncoderConfig = Field(default_factory=lambda: EncoderConfig())
    prior: PriorConfig = Field(default_factory=lambda: PriorConfig())
    base: BaseConfig = Field(default_factory=lambda: BaseConfig())
    decoder: DecoderConfig = Field(default_factory=lambda: DecoderConfig())
    decoder_loss: DecoderLossConfig = Field(default_factory=lambda: DecoderLossConfig())
    base_sigmoid_bias: float = Field(
        0.0, description="b_0 of the base model's weight sigmoid(b_0 - 2 ln s - logsnr), s the latent's std."
    )
    conditioning: ConditioningConfig = Field(default_factory=lambda: ConditioningConfig())

    @property
    def downsampling(self) -> int:
        """Pixels per latent cell along height and width."""
        return int(self.patch_px * 2 ** (len(self.encoder.channels) - 1))

    @property
    def temporal_downsampling(self) -> int:
        """Frames per latent frame; 1 for a model of pictures."""
        return self.video.temporal_downsampling if self.video is not None else 1

    @property
    def num_frames(self) -> int:
        """Frames of a training sample; 1 for a model of pictures."""
        return self.video.num_frames if self.video is not None else 1

    @property
    def context_frames(self) -> int:
        """Frames the base model may be shown; 0 where it continues nothing."""
        return self.video.context_frames if self.video is not None else 0

    @property
    def has_prior_network(self) -> bool:
        """Whether Stage 1 trains a prior: not under a normal prior, nor where the base model stands in its place."""
        return self.prior.kind != "normal" and self.training == "two-stage"

    @property
    def decoder_sigmoid_bias(self) -> float:
        """The decoder's sigmoid bias, with the default for the picture size filled in."""
        if self.decoder_loss.sigmoid_bias is not None:
            return self.decoder_loss.sigmoid_bias
        return -3.0 + 2.0 * math.log(512 / self.image_px)

    @property
    def latent_levels(self) -> LevelRange:
        """Of the latent: its noisiest level, and the native one, at which the decoder sees it."""
        return LevelRange(self.latent.logsnr_min, self.latent.logsnr_max)

    @property
    def picture_levels(self) -> LevelRange:
        """Of the picture in the decoder's diffusion: its noisiest level, shifted by the size, and its cleanest."""
        shift = 2.0 * math.log(self.decoder_loss.noise_px / self.image_px)
        return LevelRange(self.decoder_loss.logsnr_min + shift, self.decoder_loss.logsnr_max)

    def latent_shape(self, height_px: int, width_px: int, num_frames: int = 1) -> tuple[int, int, int, int]:
        """(channels, frames, height, width) of the latent that covers a clip of this size."""
        factor, frames = self.downsampling, self.temporal_downsampling
        return self.latent.channels, -(-num_frames // frames), -(-height_px // factor), -(-width_px // factor)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        decoder_factor = self.patch_px * 2 ** len(self.decoder.channels)
        if decoder_factor != self.downsampling:
            raise ValueError(
                f"decoder.channels: {len(self.decoder.channels)} stages reach 1/{decoder_factor} of the picture, "
                f"but the encoder's latent is at 1/{self.downsampling}; give the decoder one stage fewer"
            )
        if self.temporal_downsampling > 2 ** len(self.decoder.channels):
            raise ValueError(
                f"video.temporal_downsampling: {self.temporal_downsampling} needs as many halvings of the picture "
                "after the patches; give encoder and decoder more stages"
            )
        if self.image_px % self.downsampling:
            raise ValueError(f"image_px: {self.image_px} is not a multiple of the down-sampling {self.downsampling}")
        widths = (self.prior.width, *self.base.widths, self.decoder.width)
        heads = (self.prior.head_channels, self.base.head_channels, self.base.head_channels, self.decoder.head_channels)
        for width, head in zip(widths, heads, strict=True):
            if width % head or head % 8:
                raise ValueError(f"width {width} must be a multiple of head_channels {head}, and that a multiple of 8")
        return self
