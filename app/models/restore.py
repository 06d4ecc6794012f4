"""What taking over a picture's settings would change in the form."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.models.form_state import Between, FormState, Mode, SeedMode, sampling_values
from app.models.grid_axes import GRID_FIELDS, values_text
from app.models.samplers import SAMPLER_TITLES
from ul_engine.metadata import EmbeddedRequest, folder_name
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import GenerateRequest, GridRequest, InterpolateRequest, SamplerName


@dataclass(frozen=True)
class Change:
    """One setting that differs."""

    label: str
    now: str
    new: str
    values: dict[str, Any] = field(default_factory=dict)
    """Fields of the form to set; empty for the model."""
    model: ModelEntry | None = None
    problem: str = ""
    """Why it cannot be taken over; empty if it can."""


@dataclass(frozen=True)
class RestoreOffer:
    """All differences between a picture's settings and the form."""

    path: str
    changes: tuple[Change, ...]
    num_equal: int
    note: str = ""
    """What a file with several results in it is; empty: it is one result."""


def offer(
    path: str,
    embedded: EmbeddedRequest,
    state: FormState,
    now_model: ModelEntry | None,
    its_model: ModelEntry | None,
) -> RestoreOffer:
    """Compare a picture's settings with the form; `its_model` made it, None if no such model is known here."""
    compared = [_model_change(embedded, now_model, its_model), *_beginning_changes(embedded, state)]
    compared += [_value_change(state, label, values, as_text) for label, values, as_text in _rows(embedded)]
    changes = tuple(change for change in compared if change is not None)
    return RestoreOffer(path, changes, len(compared) - len(changes), _whole_note(embedded))


def _whole_note(embedded: EmbeddedRequest) -> str:
    whole = embedded.whole
    if whole is None:
        return ""
    if whole.grid is not None:
        rows, columns = whole.grid.size
        words = _tr("It is a sheet of {count} pictures; these settings make all of them again.")
        return words.format(count=rows * columns)
    if embedded.way is not None:
        words = _tr("It is a whole way of {count} steps; these settings make all of them again.")
        return words.format(count=embedded.way.num_steps)
    words = _tr("It is a clip and its continuation; these are the settings of the continuation.")
    if whole.before is not None:
        words += " " + _tr("The clip before it was made with seed {seed}.").format(seed=whole.before.seed)
    return words


def _model_change(embedded: EmbeddedRequest, now: ModelEntry | None, its: ModelEntry | None) -> Change | None:
    current = now.name if now else _tr("none")
    if its is None:
        name = embedded.model_name or embedded.request.model
        return Change(_tr("Model"), current, name, problem=_tr("This model is not on this computer."))
    if now is not None and its.path == now.path:
        return None
    return Change(_tr("Model"), current, its.name, model=its)


def _beginning_changes(embedded: EmbeddedRequest, state: FormState) -> list[Change | None]:
    """What a file cannot bring back: it names the picture or clip it began with, but not where that is."""
    request = embedded.request
    begun = (
        (_tr("Start picture"), request.init_image, state.init_image),
        (_tr("Continued clip"), request.continue_from, state.continue_from),
    )
    found: list[Change | None] = []
    for label, its, now in begun:
        if its is not None:
            is_same = folder_name(now) == its
            problem = _tr("Only its name is in the file; choose it again.")
            found.append(None if is_same else Change(label, folder_name(now) or _tr("none"), its, problem=problem))
    return found


def _rows(embedded: EmbeddedRequest) -> list[tuple[str, dict[str, Any], Callable[[FormState], str]]]:
    """Label, fields and their text form, for everything that shapes a picture."""
    grid = embedded.whole.grid if embedded.whole is not None else None
    request = grid.request if grid is not None else embedded.request
    sampling = sampling_values(request.sampling)

    def part(*names: str) -> dict[str, Any]:
        return {name: sampling[name] for name in names}

    rows: list[tuple[str, dict[str, Any], Callable[[FormState], str]]] = []
    if request.prompt:
        rows.append((_tr("Prompt"), {"prompt": request.prompt}, _prompt_text))
    if request.class_label is not None:
        rows.append((_tr("Class"), {"class_label": request.class_label}, _class_text))
    rows += [
        (_tr("Seed"), {"seed": str(request.seed), "seed_mode": SeedMode.FIXED}, _seed_text),
        (_tr("Base model"), part("base_sampler", "base_steps"), _base_text),
        (_tr("Decoder"), part("decoder_sampler", "decoder_steps"), _decoder_text),
        (_tr("Guidance"), part("guidance_weight", "logsnr_low", "logsnr_high"), _guidance_text),
        (_tr("Size"), {"width_px": request.width_px, "height_px": request.height_px}, _size_text),
        (_tr("Variation"), _variation_values(request), _variation_text),
    ]
    if request.num_frames is not None:
        rows.append((_tr("Frames"), {"num_frames": request.num_frames}, _frames_text))
    if request.init_image is not None:
        rows.append((_tr("How much changes"), {"strength": request.strength}, _strength_text))
    if embedded.way is not None and embedded.way.pictures is None:
        rows.append((_tr("Between"), _way_values(embedded.way), _way_text))
    if grid is not None:
        rows.append((_tr("Grid"), _grid_values(grid), _grid_text))
    return rows


def _grid_values(grid: GridRequest) -> dict[str, Any]:
    return {
        "mode": Mode.GRID,
        "x_field": grid.x.field,
        "x_values": values_text(grid.x),
        "y_field": grid.y.field if grid.y is not None else "",
        "y_values": values_text(grid.y) if grid.y is not None else "",
    }


def _way_values(way: InterpolateRequest) -> dict[str, Any]:
    values: dict[str, Any] = {"mode": Mode.BETWEEN, "num_steps": way.num_steps}
    if way.between == "seeds":
        return values | {"between": Between.SEEDS, "second_seed": str(way.second_seed)}
    return values | {"between": Between.PROMPTS, "second_prompt": way.second_prompt}


def _variation_values(request: GenerateRequest) -> dict[str, Any]:
    if request.variation_seed is None:
        return {"variation_strength": 0.0}
    return {"variation_strength": request.variation_strength, "variation_seed": str(request.variation_seed)}


def _value_change(
    state: FormState, label: str, values: dict[str, Any], as_text: Callable[[FormState], str]
) -> Change | None:
    new = state.model_copy(update=values)
    return None if new == state else Change(label, as_text(state), as_text(new), values)


def _prompt_text(state: FormState) -> str:
    return state.prompt or _tr("empty")


def _class_text(state: FormState) -> str:
    return _tr("none") if state.class_label is None else str(state.class_label)


def _seed_text(state: FormState) -> str:
    modes = {
        SeedMode.FIXED: _tr("fixed"),
        SeedMode.RANDOM: _tr("random"),
        SeedMode.INCREMENT: _tr("increment"),
    }
    if state.seed_mode is SeedMode.RANDOM:
        return modes[state.seed_mode]
    return f"{state.seed} ({modes[state.seed_mode]})"


def _base_text(state: FormState) -> str:
    return _sampler_text(state.base_sampler, state.base_steps)


def _decoder_text(state: FormState) -> str:
    return _sampler_text(state.decoder_sampler, state.decoder_steps)


def _sampler_text(sampler: SamplerName, num_steps: int) -> str:
    return _tr("{sampler}, {count} steps").format(sampler=SAMPLER_TITLES[sampler], count=num_steps)


def _guidance_text(state: FormState) -> str:
    return _tr("{weight} from {low} to {high}").format(
        weight=f"{state.guidance_weight:g}", low=f"{state.logsnr_low:g}", high=f"{state.logsnr_high:g}"
    )


def _variation_text(state: FormState) -> str:
    if not state.variation_strength:
        return _tr("none")
    return _tr("{strength} towards seed {seed}").format(
        strength=f"{state.variation_strength:g}", seed=state.variation_seed
    )


def _way_text(state: FormState) -> str:
    if state.mode is not Mode.BETWEEN:
        return _tr("one picture")
    if state.between is Between.SEEDS:
        return _tr("{count} steps to seed {seed}").format(count=state.num_steps, seed=state.second_seed)
    return _tr("{count} steps to “{prompt}”").format(count=state.num_steps, prompt=state.second_prompt)


def _grid_text(state: FormState) -> str:
    if state.mode is not Mode.GRID:
        return _tr("no grid")
    axes = ((state.x_field, state.x_values), (state.y_field, state.y_values))
    told = [f"{GRID_FIELDS[field].title()}: {values}" for field, values in axes if field in GRID_FIELDS]
    return "; ".join(told)


def _frames_text(state: FormState) -> str:
    return _tr("as trained") if state.num_frames is None else str(state.num_frames)


def _strength_text(state: FormState) -> str:
    return f"{state.strength:g}"


def _size_text(state: FormState) -> str:
    if state.width_px is None and state.height_px is None:
        return _tr("as trained")
    return f"{state.width_px or '–'} × {state.height_px or '–'}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Restore", text)
