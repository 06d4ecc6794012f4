"""From the form to what is asked of the engine: pictures, a way between two of them, or a grid over two settings."""

from dataclasses import dataclass

from pydantic import ValidationError
from PySide6.QtCore import QCoreApplication

from app.models.form_state import Between, FormState, Mode, generation, sentence_of, start_seed
from app.models.grid_axes import GRID_FIELDS, AxisProblem, axis_of
from app.models.model_offers import offers_of
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import GenerateRequest, GridAxis, GridRequest, InterpolateRequest, Request


@dataclass(frozen=True)
class Asked:
    """What the form asks for, or what is wrong, by field."""

    request: Request | None
    errors: dict[str, str]


def asked_for(state: FormState, model: ModelEntry | None) -> Asked:
    """The request of the form's mode; a mode that the model does not offer counts as the first one."""
    errors: dict[str, str] = {}
    base = generation(state, model, errors)
    if base is None:
        return Asked(None, errors)
    mode = state.mode if state.mode in offers_of(model).modes else Mode.PICTURES
    request: Request | None
    if mode is Mode.GRID:
        request = _grid(state, base, errors)
    elif mode is Mode.BETWEEN:
        request = _way(state, base, errors)
    else:
        request = _variations(base)
    return Asked(None if errors else request, errors)


def _variations(request: GenerateRequest) -> Request:
    """Several variations are of one picture: its seed stays, and the seed that it is turned towards moves on."""
    if request.variation_seed is None or request.num_images == 1:
        return request
    towards = tuple(request.variation_seed + index for index in range(request.num_images))
    return GridRequest(request=request, x=GridAxis(field="variation_seed", values=towards))


def is_variations(request: Request) -> bool:
    """Whether a grid stands for several variations of one picture, and is shown as any pictures."""
    return isinstance(request, GridRequest) and request.y is None and request.x.field == "variation_seed"


def _way(state: FormState, base: GenerateRequest, errors: dict[str, str]) -> InterpolateRequest | None:
    is_seeds = state.between is Between.SEEDS
    second_seed = start_seed(state.second_seed, "second_seed", errors) if is_seeds else None
    if errors:
        return None
    try:
        return InterpolateRequest(
            model=base.model,
            between="seeds" if is_seeds else "prompts",
            num_steps=state.num_steps,
            prompt=base.prompt,
            second_prompt="" if is_seeds else state.second_prompt.strip(),
            class_label=base.class_label if is_seeds else None,
            seed=base.seed,
            second_seed=second_seed if second_seed is not None else base.seed + 1,
            width_px=base.width_px,
            height_px=base.height_px,
            sampling=base.sampling,
            batch_size=base.batch_size,
            preview=base.preview,
        )
    except ValidationError as error:
        for item in error.errors():
            field = str(item["loc"][-1]) if item["loc"] else ("second_seed" if is_seeds else "second_prompt")
            errors.setdefault(field, _way_problem(field) if not item["loc"] else sentence_of(item))
        return None


def _way_problem(field: str) -> str:
    if field == "second_seed":
        return _tr("Take another seed for the end than for the beginning.")
    return _tr("Write another prompt for the end than for the beginning.")


def _grid(state: FormState, base: GenerateRequest, errors: dict[str, str]) -> GridRequest | None:
    x = _axis(state.x_field, state.x_values, "x_values", errors)
    y = _axis(state.y_field, state.y_values, "y_values", errors) if state.y_field else None
    if y is not None and x is not None and y.field == x.field:
        errors.setdefault("y_values", _tr("Both axes change the same setting."))
    if x is None or errors:
        return None
    shared = base.model_copy(update=_partners(base, state, {x.field} | ({y.field} if y else set())))
    try:
        return GridRequest(request=shared, x=x, y=y)
    except ValidationError as error:
        message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        is_y = y is not None and message.startswith(y.field)
        errors.setdefault("y_values" if is_y else "x_values", _grid_problem(message))
        return None


def _partners(base: GenerateRequest, state: FormState, fields: set[str]) -> dict[str, object]:
    """A variation axis needs a seed to turn towards, whatever the form's own variation is."""
    if "variation_strength" in fields and base.variation_seed is None:
        seed = state.variation_seed.strip()
        return {"variation_seed": int(seed) if seed.isdecimal() else base.seed + 1}
    return {}


def _axis(field: str, text: str, place: str, errors: dict[str, str]) -> GridAxis | None:
    found = axis_of(field, text)
    if isinstance(found, AxisProblem):
        errors.setdefault(place, found.sentence)
        return None
    return found


def _grid_problem(message: str) -> str:
    """The engine's verdict with the setting's own name."""
    for field, kind in GRID_FIELDS.items():
        if message.startswith(f"{field} "):
            return f"{kind.title()}{message[len(field) :]}."
    return f"{message[:1].upper()}{message[1:]}."


def _tr(text: str) -> str:
    return QCoreApplication.translate("Asking", text)
