"""What a sweep is: a recipe, values along axes, named variants, and how every point is measured. No torch."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from trainer.config.loading import apply_override, read_recipe
from trainer.recipes import RECIPES
from ul_engine.errors import ConfigError
from ul_engine.requests import MAX_SEED, FrozenModel, SamplerName

SWEEPS = RECIPES / "sweeps"
AxisValue = bool | int | float | str | None
SECTIONS = ("stage1", "stage2")


class MeasureSettings(FrozenModel):
    """How every point is measured on held-out samples, all points alike."""

    num_samples: int = Field(2048, ge=4, description="Held-out samples to reconstruct; at most those that are.")
    num_generated: int = Field(2048, ge=4, description="Samples to generate, for gFD-Small and KD-Small.")
    decoder_steps: int = Field(16, ge=1, le=1024, description="Sampler steps of the decoder.")
    base_steps: int = Field(24, ge=1, le=1024, description="Sampler steps of the base model.")
    sampler: SamplerName = Field(SamplerName.DPMPP_2M, description="Solver of both.")
    guidance: float = Field(
        1.0, ge=0.0, le=20.0, description="Guidance weight for models with a condition; 1: none, as in the paper."
    )
    bitrate_times: int = Field(16, ge=1, le=4096, description="Noise levels of the bitrate estimate.")
    num_gap_samples: int = Field(
        256, ge=2, description="Held-out samples for the gap between the right and a shuffled latent."
    )
    seed: int = Field(0, ge=0, le=MAX_SEED // 2, description="Seed of the first sample.")
    batch_size: int = Field(64, ge=1, le=4096, description="Samples at once; memory and speed only.")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="Arithmetic of the networks while measuring.")


class SweepConfig(FrozenModel):
    """One sweep. A key of an axis, a variant or a change is a setting of both stages by its dotted name; with
    ``stage1.`` or ``stage2.`` before it, of that stage alone."""

    name: str = Field(min_length=1, max_length=80, description="Title of table and chart.")
    description: str = Field("", description="A sentence or two below the title.")
    recipe: str | None = Field(None, description="Recipe that both sections are laid over; None: none.")
    stage1: dict[str, Any] = Field(default_factory=dict, description="Settings of Stage 1.")
    stage2: dict[str, Any] | None = Field(
        None, description="What Stage 2 has different from Stage 1; None: no Stage 2, and nothing is generated."
    )
    axes: dict[str, tuple[AxisValue, ...]] = Field(
        default_factory=dict, description="Values by setting; `ablation` takes names of ablations."
    )
    combine: Literal["grid", "zip"] = Field(
        "grid", description="grid: every value with every other. zip: first with first, second with second."
    )
    variants: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Further points by name: changes of settings, or `ablation` and a name."
    )
    measure: MeasureSettings = Field(default_factory=lambda: MeasureSettings())

    @model_validator(mode="after")
    def _has_points(self) -> Self:
        if not self.axes and not self.variants:
            raise ValueError("give at least one axis or one variant")
        empty = [key for key, values in self.axes.items() if not values]
        if empty:
            raise ValueError(f"axes.{empty[0]} has no values")
        if self.combine == "zip" and len({len(values) for values in self.axes.values()}) > 1:
            raise ValueError("combine zip needs as many values on every axis")
        return self


def sweep_file(name: str) -> Path:
    """The file at this path, or the sweep of that name that comes with the program; raises ConfigError."""
    path = Path(name)
    known = {file.stem: file for file in sorted(SWEEPS.glob("*.yaml"))}
    if path.is_file():
        return path
    if name in known:
        return known[name]
    raise ConfigError(f"there is no sweep file {name!r}, and no sweep of that name; known: {', '.join(known)}")


def read_sweep(path: Path, changes: Sequence[str] = (), axes: Sequence[str] = ()) -> SweepConfig:
    """The sweep in a YAML file. `changes` are ``key=value`` and `axes` ``key=v1,v2,...``, which replace or add one.

    Raises ConfigError with the field's dotted path.
    """
    data = read_recipe(path)
    for change in changes:
        _apply_change(data, change)
    for axis in axes:
        key, values = _axis(axis)
        data.setdefault("axes", {})[key] = values
    return parse_sweep(data)


def parse_sweep(data: dict[str, Any]) -> SweepConfig:
    """Validate decoded settings; raises ConfigError that names the first bad field."""
    try:
        return SweepConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(first["msg"].removeprefix("Value error, "), field=field or None) from error


def _apply_change(data: dict[str, Any], change: str) -> None:
    """`measure.…`, `stage1.…` and `stage2.…` as they stand; any other setting in both stages."""
    section = change.partition("=")[0].partition(".")[0]
    if section == "stage2" and data.get("stage2") is None:
        raise ConfigError(f"--set {change}: this sweep has no Stage 2", field="stage2")
    if section in (*SECTIONS, "measure"):
        apply_override(data, change)
        return
    for name in SECTIONS:
        if name == "stage1" or data.get(name) is not None:
            apply_override(data.setdefault(name, {}), change)


def _axis(text: str) -> tuple[str, list[Any]]:
    key, separator, values = text.partition("=")
    if not separator or not key or not values:
        raise ConfigError(f"--axis {text}: write it as key=value,value,… , for example seed=0,1,2")
    return key, [_value(value) for value in values.split(",")]


def _value(text: str) -> Any:
    value = yaml.safe_load(text)
    is_number = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", value)
    return float(value) if is_number else value
