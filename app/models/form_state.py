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


class Mode(StrEnum):
    """What the form is for; a model offers some of them."""

    PICTURES = "pictures"
    """Pictures, or clips where the model makes clips."""
    CONTINUE = "continue"
    GRID = "grid"
    BETWEEN = "between"


class Between(StrEnum):
    """What changes on the way from one picture to another."""

    SEEDS = "seeds"
    PROMPTS = "prompts"


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
    mode: Mode = Mode.PICTURES
    variation_strength: float = 0.0
    variation_seed: str = "2"
    init_image: str = Field("", description="Picture to start from; empty: none.")
    strength: float = 0.6
    mask_image: str = Field("", description="What of the start picture is made anew; empty: all of it.")
    num_frames: int | None = Field(None, description="New frames of a clip; None: as trained.")
    continue_from: str = Field("", description="Clip to continue.")
    between: Between = Between.SEEDS
    second_seed: str = "2"
    second_prompt: str = ""
    num_steps: int = 9
    x_field: str = "seed"
    x_values: str = "1..4"
    y_field: str = ""
    y_values: str = ""


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


def sampling_of_state(state: FormState) -> SamplingSettings | None:
    """The sampling that the form shows just now; None while something in it is wrong."""
    return _sampling(state, {})


def _sampling(state: FormState, errors: dict[str, str]) -> SamplingSettings | None:
    guidance = _part(GuidanceSettings, ("sampling", "guidance"), state, errors)
    base = _part(SamplerSettings, ("sampling", "base"), state, errors)
    decoder = _part(SamplerSettings, ("sampling", "decoder"), state, errors)
    if guidance is None or base is None or decoder is None:
        return None
    return SamplingSettings(base=base, decoder=decoder, guidance=guidance)


def preset_name(state: FormState, presets: Mapping[str, SamplingSettings]) -> str:
    """The preset that the form shows just now; empty if a field differs from all of them."""
    values = {name: getattr(state, name) for name in _SAMPLING_FIELDS}
    return next((name for name, sampling in presets.items() if sampling_values(sampling) == values), "")


def generation(state: FormState, model: ModelEntry | None, errors: dict[str, str]) -> GenerateRequest | None:
    """The generation that the form describes, or None; what is wrong is noted in `errors`, by field.

    What the model does not offer is left out: its fields are not on show either.
    """
    if model is None or model.manifest is None:
        errors["model"] = _tr("Choose a model first.")
    kind = model.manifest.model.conditioning.kind if model and model.manifest else "none"
    try:
        sampling = _sampling(state, errors)
        beginning = _beginning(state, model, errors)
        if sampling is None:
            return None
        request = GenerateRequest(
            model=state.model,
            prompt=state.prompt.strip() if kind == "text" else "",
            class_label=state.class_label if kind == "class" else None,
            num_images=state.num_images,
            seed=state.seed.strip(),
            width_px=state.width_px,
            height_px=state.height_px,
            sampling=sampling,
            batch_size=state.batch_size,
            preview=state.preview,
            **beginning,
        )
    except ValidationError as error:
        _collect(error, (), errors)
        return None
    return None if errors else request


def _beginning(state: FormState, model: ModelEntry | None, errors: dict[str, str]) -> dict[str, Any]:
    """What a generation begins with beside its seed: a start picture, a clip to continue, a variation."""
    manifest = model.manifest if model is not None else None
    found: dict[str, Any] = {}
    if state.variation_strength > 0:
        found = {"variation_strength": state.variation_strength}
        found["variation_seed"] = start_seed(state.variation_seed, "variation_seed", errors)
    if manifest is None:
        return found
    is_video = manifest.model.video is not None
    if is_video and state.num_frames is not None:
        found["num_frames"] = state.num_frames
    if is_video and state.mode is Mode.CONTINUE and manifest.model.context_frames:
        found["continue_from"] = state.continue_from or None
        if not state.continue_from:
            errors.setdefault("continue_from", _tr("Choose the clip to continue."))
    elif not is_video and state.init_image and manifest.can_reconstruct:
        found |= {"init_image": state.init_image, "strength": state.strength}
        if state.mask_image:
            found["mask_image"] = state.mask_image
    return found


def start_seed(text: str, field: str, errors: dict[str, str]) -> int | None:
    """The seed in a text, or None with what is wrong noted."""
    number = int(text) if text.strip().isdecimal() else -1
    if 0 <= number <= MAX_SEED - 256:
        return number
    errors.setdefault(field, _tr("A whole number from 0 to {limit} is needed.").format(limit=f"{MAX_SEED - 256}"))
    return None


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
        errors.setdefault(_FIELDS.get(path, path[-1] if path else "model"), sentence_of(item))


def sentence_of(item: Any) -> str:
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
