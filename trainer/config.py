"""Every setting of a training run, with its unit and legal range. No torch."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.requests import FrozenModel


class Stage(StrEnum):
    """Which networks a run trains."""

    STAGE1 = "stage1"
    STAGE2 = "stage2"


class ScenesData(FrozenModel):
    """Procedural Scenes, rendered once into a cache."""

    kind: Literal["scenes"] = "scenes"
    size_px: int = Field(64, ge=8, le=1024, description="Side of the square pictures, in pixels.")
    num_train: int = Field(60_000, ge=1, description="Training pictures.")
    num_valid: int = Field(1_000, ge=1, description="Held-out pictures, of another seed.")
    train_seed: int = Field(1, ge=0, lt=2**63, description="Seed of the training scenes.")
    valid_seed: int = Field(2, ge=0, lt=2**63, description="Seed of the held-out scenes; must differ from train_seed.")
    cache: str | None = Field(None, description="Folder of the rendered pictures; None: the user's cache folder.")

    @model_validator(mode="after")
    def _held_out(self) -> Self:
        if self.train_seed == self.valid_seed:
            raise ValueError("valid_seed must differ from train_seed, or nothing is held out")
        return self


class OptimizerConfig(FrozenModel):
    """AdamW with warm-up, a flat part and a cosine decay at the end."""

    learning_rate: float = Field(
        1e-3, gt=0.0, le=1.0, description="Peak rate; 1e-4 at the paper's scale, 1e-3 for small nets."
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


class CadenceConfig(FrozenModel):
    """How often things happen, in steps."""

    log_every: int = Field(10, ge=1, description="Steps between logged figures.")
    validate_every: int = Field(
        250, ge=1, description="Steps between validations; step 0 and the last are always validated."
    )
    preview_every: int = Field(250, ge=1, description="Steps between preview pictures; step 0 is the baseline.")
    checkpoint_every: int = Field(100, ge=1, description="Steps between checkpoints.")
    keep_checkpoints: int = Field(2, ge=1, description="Checkpoints kept; older ones are removed.")


class ValidationConfig(FrozenModel):
    """What is measured on held-out pictures."""

    num_images: int = Field(64, ge=2, description="Held-out pictures for losses and reconstructions.")
    decoder_steps: int = Field(8, ge=1, le=256, description="Sampler steps of the reconstructions.")
    bitrate_times: int = Field(16, ge=1, le=1024, description="Noise levels of the bitrate estimate.")


class RunConfig(FrozenModel):
    """One training run."""

    stage: Stage
    model: ModelConfig
    data: ScenesData = Field(default_factory=lambda: ScenesData())
    init_from: str | None = Field(
        None, description="Model folder to start from; Stage 2 takes encoder and decoder from it."
    )
    base_from: str | None = Field(None, description="Model folder whose base model Stage 2 starts from; None: fresh.")
    num_steps: int = Field(4_000, ge=1, description="Optimizer steps of the whole run.")
    batch_size: int = Field(64, ge=2, description="Samples per step.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of weights, order, noise.")
    precision: Literal["bf16", "fp32"] = Field(
        "bf16", description="Arithmetic of the networks; losses stay in float32."
    )
    num_threads: int = Field(0, ge=0, description="CPU threads; 0: torch's choice.")
    ema_decay: float = Field(
        0.999, ge=0.0, lt=1.0, description="Decay of the weights' moving average; 0.9999 at full scale."
    )
    optimizer: OptimizerConfig = Field(default_factory=lambda: OptimizerConfig())
    collapse: CollapseConfig = Field(default_factory=lambda: CollapseConfig())
    cadence: CadenceConfig = Field(default_factory=lambda: CadenceConfig())
    validation: ValidationConfig = Field(default_factory=lambda: ValidationConfig())
    preview_prompts: tuple[str, ...] = Field((), description="Prompts of the sample previews in Stage 2.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.stage is Stage.STAGE2 and self.init_from is None:
            raise ValueError("stage2 needs init_from: the folder of a Stage 1 model")
        if self.validation.num_images > self.data.num_valid:
            raise ValueError("validation.num_images must not exceed data.num_valid")
        if self.data.size_px % self.model.downsampling:
            raise ValueError(f"data.size_px must be a multiple of the model's down-sampling {self.model.downsampling}")
        return self


def load_config(path: str | Path, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a YAML recipe and apply ``dotted.key=value`` overrides; raises ConfigError with the field's dotted path."""
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid YAML ({error})") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: a mapping of settings was expected")
    for override in overrides:
        _apply_override(data, override)
    return parse_config(data)


def parse_config(data: dict[str, Any]) -> RunConfig:
    """Validate decoded settings; raises ConfigError that names the first bad field."""
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(first["msg"], field=field or None) from error


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {override}: write it as key=value, for example optimizer.learning_rate=5e-4")
    *parents, leaf = key.split(".")
    section = data
    for parent in parents:
        section = section.setdefault(parent, {})
        if not isinstance(section, dict):
            raise ConfigError(f"--set {override}: {parent} is a value, not a section", field=key)
    try:
        section[leaf] = _parse_value(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is no value ({error})", field=key) from error


def _parse_value(text: str) -> Any:
    """YAML value, with numbers such as 1e-3 (which YAML 1.1 takes for text) read as numbers."""
    value = yaml.safe_load(text)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
