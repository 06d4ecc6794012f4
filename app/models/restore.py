"""What taking over a picture's settings would change in the form."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.models.form_state import Between, FormState, Mode, SeedMode, sampling_values
from app.models.samplers import SAMPLER_TITLES
from ul_engine.metadata import EmbeddedRequest, folder_name
from ul_engine.model_folder import ModelEntry
from ul_engine.requests import GenerateRequest, InterpolateRequest, SamplerName


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
    return RestoreOffer(path, changes, len(compared) - len(changes))


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
    request = embedded.request
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
    return rows


def _way_values(way: InterpolateRequest) -> dict[str, Any]:
    return {
        "mode": Mode.BETWEEN,
        "between": Between.PROMPTS,
        "second_prompt": way.second_prompt,
        "num_steps": way.num_steps,
    }


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
    return _tr("{count} steps to “{prompt}”").format(count=state.num_steps, prompt=state.second_prompt)


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
