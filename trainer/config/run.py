"""Every setting of a training run, with its unit and legal range. No torch."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from trainer.config.data import DataConfig, LoadingConfig, PicturesData, ScenesData, num_frames_of
from trainer.config.scale import ScaleConfig
from ul_engine.config import ModelConfig
from ul_engine.requests import FrozenModel


class Stage(StrEnum):
    """Which networks a run trains."""

    STAGE1 = "stage1"
    STAGE2 = "stage2"


class OptimizerConfig(FrozenModel):
    """Optimizer with warm-up, a flat part and a cosine decay at the end."""

    kind: Literal["adamw", "muon"] = Field(
        "adamw",
        description="adamw: fused AdamW. muon: matrices inside the blocks by Muon, everything else by AdamW.",
    )
    learning_rate: float = Field(
        1e-3, gt=0.0, le=1.0, description="Peak rate; 1e-4 at the paper's scale, 1e-3 for small nets."
    )
    muon_rate: float = Field(
        3.0,
        gt=0.0,
        le=10.0,
        description="Muon's rate for matrices as a multiple of learning_rate, at the update size of AdamW.",
    )
    betas: tuple[float, float] = Field((0.9, 0.99), description="Decay rates of the two moments.")
    weight_decay: float = Field(0.0, ge=0.0, description="Decoupled weight decay.")
    warmup_steps: int = Field(100, ge=0, description="Steps over which the rate rises linearly.")
    decay_share: float = Field(
        0.3, ge=0.0, le=1.0, description="Share of the run, at its end, over which the rate falls to a tenth."
    )
    clip_norm: float = Field(1.0, gt=0.0, description="Largest gradient norm; longer gradients are scaled down.")


class CollapseConfig(FrozenModel):
    """Remedies against the latent dying early; all off is the plain method."""

    prior_gradient_ramp: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Share of the run over which the prior's gradient into the encoder rises from 0 to 1.",
    )
    loss_factor_warmup: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="Share of the run over which the loss factor falls to its value from loss_factor_start.",
    )
    loss_factor_start: float = Field(8.0, gt=0.0, le=100.0, description="Loss factor at step 0 of its warm-up.")


class GuardConfig(FrozenModel):
    """What happens before a step whose loss or gradient is not finite, or far beyond what is usual."""

    spike_factor: float = Field(
        50.0,
        ge=0.0,
        description="A gradient norm this many times its recent average is a spike; 0: only what is not finite counts.",
    )
    on_bad_step: Literal["stop", "rollback"] = Field(
        "stop",
        description="stop: save nothing, keep the evidence, end. rollback: go back to the newest checkpoint and leave "
        "that batch out.",
    )
    max_rollbacks: int = Field(3, ge=1, le=100, description="More roll-backs than this end the run.")


class CadenceConfig(FrozenModel):
    """How often things happen, in steps."""

    log_every: int = Field(10, ge=1, description="Steps between logged figures, which are means over them.")
    validate_every: int = Field(
        250, ge=1, description="Steps between validations; step 0 and the last are always validated."
    )
    preview_every: int = Field(
        250,
        ge=1,
        description="Steps between previews at first; from the eighth on twice as many, and so on. Step 0 is the "
        "baseline.",
    )
    checkpoint_every: int = Field(100, ge=1, description="Steps between checkpoints.")
    keep_checkpoints: int = Field(2, ge=1, description="Newest checkpoints kept; older ones are removed.")
    keep_best: bool = Field(True, description="Also keep the checkpoint with the best validation figure.")
    milestone_every: int = Field(0, ge=0, description="Checkpoints at multiples of this many steps stay; 0: none.")


class ValidationConfig(FrozenModel):
    """What is measured on held-out samples."""

    num_images: int = Field(64, ge=2, description="Held-out samples for losses and reconstructions.")
    decoder_steps: int = Field(8, ge=1, le=256, description="Sampler steps of the reconstructions.")
    bitrate_times: int = Field(16, ge=1, le=1024, description="Noise levels of the bitrate estimate.")


class LatentsConfig(FrozenModel):
    """Where Stage 2 takes its latents from."""

    source: Literal["cache", "encoder"] = Field(
        "cache",
        description="cache: every sample is encoded once, without augmentation but flips. encoder: encoded anew each "
        "time, with augmentation.",
    )
    storage: Literal["float16", "uint8"] = Field(
        "float16",
        description="uint8: half the size, a range per channel; adds about a hundredth to the latent's noise.",
    )
    folder: str | None = Field(None, description="Folder of the cache; None: `latents` in the run folder.")


class RunConfig(FrozenModel):
    """One training run."""

    stage: Stage
    preset: str | None = Field(None, description="Name of the model preset that `model` started from; None: none.")
    model: ModelConfig
    data: DataConfig = Field(default_factory=lambda: ScenesData())
    condition_on: Literal["model", "auto", "none"] = Field(
        "model",
        description="What the base model is told. model: as model.conditioning says. auto: captions where the data has "
        "them, else classes, else nothing. none: nothing.",
    )
    context_drop_rate: float = Field(
        0.3,
        ge=0.0,
        le=1.0,
        description="Share of training clips whose frames before are hidden, so that the model makes clips from "
        "nothing too. Only for models of clips that continue frames.",
    )
    context_noise: float = Field(
        0.0,
        ge=0.0,
        le=10.0,
        description="The frames before get up to so much more noise than the latent has, in log-SNR, drawn anew for "
        "each clip: a model that continues its own clips is not led astray by what is wrong in them. 0: none.",
    )
    init_from: str | None = Field(
        None, description="Model or run folder to start from; Stage 2 takes encoder and decoder from it."
    )
    fixed_latent: bool = Field(
        False,
        description="Stage 1 only: encoder and prior are those of init_from and stay as they are; the decoder alone "
        "goes on learning.",
    )
    base_from: str | None = Field(None, description="Model folder whose base model Stage 2 starts from; None: fresh.")
    num_steps: int = Field(4_000, ge=1, description="Optimizer steps of the whole run.")
    batch_size: int = Field(64, ge=2, description="Samples per step, over all devices.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of weights, order, noise.")
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto",
        description="Arithmetic of the networks; losses stay in float32. auto: bf16 where the device is quick at it.",
    )
    num_threads: int = Field(0, ge=0, description="CPU threads; 0: torch's choice.")
    ema_decay: float = Field(
        0.999, ge=0.0, lt=1.0, description="Decay of the weights' moving average; 0.9999 at full scale."
    )
    optimizer: OptimizerConfig = Field(default_factory=lambda: OptimizerConfig())
    collapse: CollapseConfig = Field(default_factory=lambda: CollapseConfig())
    guard: GuardConfig = Field(default_factory=lambda: GuardConfig())
    cadence: CadenceConfig = Field(default_factory=lambda: CadenceConfig())
    validation: ValidationConfig = Field(default_factory=lambda: ValidationConfig())
    latents: LatentsConfig = Field(default_factory=lambda: LatentsConfig())
    loading: LoadingConfig = Field(default_factory=lambda: LoadingConfig())
    scale: ScaleConfig = Field(default_factory=lambda: ScaleConfig())
    preview_prompts: tuple[str, ...] = Field((), description="Prompts of the sample previews in Stage 2.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.stage is Stage.STAGE2 and self.init_from is None:
            raise ValueError("stage2 needs init_from: the folder of a Stage 1 model or run")
        if self.fixed_latent and (self.stage is not Stage.STAGE1 or self.init_from is None):
            raise ValueError("fixed_latent is for stage1 with init_from: the folder whose encoder and prior stay")
        if self.fixed_latent and self.model.training != "two-stage":
            raise ValueError("fixed_latent needs model.training two-stage: otherwise nothing is left of the latent")
        if self.validation.num_images > self.data.num_valid:
            raise ValueError("validation.num_images must not exceed data.num_valid")
        if self.data.size_px % self.model.downsampling:
            raise ValueError(f"data.size_px must be a multiple of the model's down-sampling {self.model.downsampling}")
        if isinstance(self.data, PicturesData) and self.data.fit == "buckets":
            if self.data.bucket_step_px % self.model.downsampling:
                factor = self.model.downsampling
                raise ValueError(f"data.bucket_step_px must be a multiple of the down-sampling {factor}")
            if self.stage is Stage.STAGE2 and self.latents.source == "cache":
                raise ValueError("data.fit buckets gives latents of several shapes; set latents.source to encoder")
        self._check_frames()
        return self

    def _check_frames(self) -> None:
        data, video, frames = self.data, self.model.video, num_frames_of(self.data)
        if frames != self.model.num_frames:
            raise ValueError(
                f"the model takes {self.model.num_frames} frames and the data gives {frames}; a model of clips needs "
                "data of kind clips or scenes with the same num_frames"
            )
        if isinstance(data, ScenesData) and video is not None and data.fps != video.fps:
            raise ValueError(
                f"the model plays {video.fps:g} frames per second and the data shows {data.fps:g}; data.fps and "
                "model.video.fps must agree"
            )
