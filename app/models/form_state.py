"""The generate form as plain values, and their check by the engine's own request models. No Qt."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field, ValidationError
from PySide6.QtCore import QCoreApplication

from ul_engine.model_folder import ModelEntry
from ul_engine.requests import (
    MAX_SEED,
    FrozenModel,
    GenerateRequest,
    GuidanceSettings,
    SamplerName,
    SamplerSettings,
    SamplingSettings,
)

_FIELDS = {
    ("sampling", "base", "name"): "base_sampler",
    ("sampling", "base", "num_steps"): "base_steps",
    ("sampling", "decoder", "name"): "decoder_sampler",
    ("sampling", "decoder", "num_steps"): "decoder_steps",
    ("sampling", "guidance", "weight"): "guidance_weight",
    ("sampling", "guidance", "logsnr_low"): "logsnr_low",
    ("sampling", "guidance", "logsnr_high"): "logsnr_high",
    ("sampling", "guidance"): "logsnr_low",
}
_SAMPLING_FIELDS = (
    "base_sampler",
    "base_steps",
    "decoder_sampler",
    "decoder_steps",
    "guidance_weight",
    "logsnr_low",
    "logsnr_high",
)


class SeedMode(StrEnum):
    """What happens to the seed when pictures are asked for."""

    RANDOM = "random"
    INCREMENT = "increment"
    FIXED = "fixed"


class FormState(FrozenModel):
    """Everything a person can set, as they set it: values may be wrong until checked."""

    model: str = ""
    prompt: str = ""
    class_label: int | None = None
    num_images: int = 4
    seed: str = "1"
    seed_mode: SeedMode = SeedMode.RANDOM
    base_sampler: SamplerName = SamplerName.DPMPP_2M_SDE
    base_steps: int = 32
    decoder_sampler: SamplerName = SamplerName.DPMPP_2M_SDE
    decoder_steps: int = 24
    guidance_weight: float = 2.0
    logsnr_low: float = -3.0
    logsnr_high: float = 1.5
    width_px: int | None = None
    height_px: int | None = None
    batch_size: int = 8
    preview: bool = Field(True, description="Show pictures while they come to be.")


def sampling_values(sampling: SamplingSettings) -> dict[str, Any]:
    """The form's fields for these settings."""
    return {
        "base_sampler": sampling.base.name,
        "base_steps": sampling.base.num_steps,
        "decoder_sampler": sampling.decoder.name,
        "decoder_steps": sampling.decoder.num_steps,
        "guidance_weight": sampling.guidance.weight,
        "logsnr_low": sampling.guidance.logsnr_low,
        "logsnr_high": sampling.guidance.logsnr_high,
    }


def preset_name(state: FormState, presets: Mapping[str, SamplingSettings]) -> str:
    """The preset that the form shows just now; empty if a field differs from all of them."""
    values = {name: getattr(state, name) for name in _SAMPLING_FIELDS}
    return next((name for name, sampling in presets.items() if sampling_values(sampling) == values), "")


def check(state: FormState, model: ModelEntry | None) -> tuple[GenerateRequest | None, dict[str, str]]:
    """The request that the form asks for, or None and what is wrong, by field."""
    errors: dict[str, str] = {}
    if model is None or model.manifest is None:
        errors["model"] = _tr("Choose a model first.")
    kind = model.manifest.model.conditioning.kind if model and model.manifest else "none"
    try:
        guidance = _part(GuidanceSettings, ("sampling", "guidance"), state, errors)
        base = _part(SamplerSettings, ("sampling", "base"), state, errors)
        decoder = _part(SamplerSettings, ("sampling", "decoder"), state, errors)
        if guidance is None or base is None or decoder is None:
            return None, errors
        request = GenerateRequest(
            model=state.model,
            prompt=state.prompt.strip() if kind == "text" else "",
            class_label=state.class_label if kind == "class" else None,
            num_images=state.num_images,
            seed=state.seed.strip(),
            width_px=state.width_px,
            height_px=state.height_px,
            sampling=SamplingSettings(base=base, decoder=decoder, guidance=guidance),
            batch_size=state.batch_size,
            preview=state.preview,
        )
    except ValidationError as error:
        _collect(error, (), errors)
        return None, errors
    return (None if errors else request), errors


def _part(kind: type[FrozenModel], place: tuple[str, ...], state: FormState, errors: dict[str, str]) -> Any:
    """One section of the request, or None with its errors noted."""
    names = {path[-1]: field for path, field in _FIELDS.items() if path[:-1] == place}
    try:
        return kind.model_validate({name: getattr(state, field) for name, field in names.items()})
    except ValidationError as error:
        _collect(error, place, errors)
        return None


def _collect(error: ValidationError, place: tuple[str, ...], errors: dict[str, str]) -> None:
    for item in error.errors():
        path = (*place, *(str(part) for part in item["loc"]))
        errors.setdefault(_FIELDS.get(path, path[-1] if path else "model"), _sentence(item))


def _sentence(item: Any) -> str:
    """Pydantic's verdict in plain words."""
    limits = item.get("ctx", {})
    match item["type"]:
        case "greater_than_equal":
            return _tr("At least {limit}, please.").format(limit=f"{limits['ge']:,}".replace(",", " "))
        case "less_than_equal":
            return _tr("At most {limit}, please.").format(limit=f"{limits['le']:,}".replace(",", " "))
        case "int_parsing" | "int_parsing_size" | "int_type" | "int_from_float":
            return _tr("A whole number from 0 to {limit} is needed.").format(limit=f"{MAX_SEED - 256}")
        case "string_too_long":
            return _tr("Too long: at most {limit} characters.").format(limit=limits["max_length"])
        case "value_error" if "logsnr_low" in item["msg"]:
            return _tr("The interval must begin below its end.")
    return str(item["msg"])


def _tr(text: str) -> str:
    return QCoreApplication.translate("FormState", text)
