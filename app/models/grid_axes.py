"""The axes of a grid as people write them: which settings there are, and how a list of values reads."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication

from app.models.form_state import FormState
from app.models.samplers import SAMPLER_TITLES
from ul_engine.requests import GridAxis

MAX_VALUES = 256
_RANGE = re.compile(r"^(-?\d+)\s*(?:\.\.|–|—|\bto\b)\s*(-?\d+)$")

Value = str | int | float | None
Kind = Literal["int", "float", "text", "sampler"]


@dataclass(frozen=True)
class GridField:
    """One setting that an axis can change."""

    kind: Kind
    title: Callable[[], str]
    usual: Callable[[FormState], str]
    """Values to begin with, made of what the form has now."""
    needs: str = ""
    """``text``: a model of words; ``class``: one of classes; ``start``: a picture to start from; empty: nothing."""


@dataclass(frozen=True)
class AxisProblem:
    """Why a list of values is none."""

    sentence: str


def axis_of(field: str, text: str) -> GridAxis | AxisProblem:
    """The axis that a person wrote: values between commas, whole ranges as ``1..5``, texts between ``|``."""
    kind = GRID_FIELDS[field].kind if field in GRID_FIELDS else "text"
    parts = _parts(text, kind)
    if not parts:
        return AxisProblem(_tr("Write the values, for example {example}.").format(example=_example(kind)))
    values: list[Value] = []
    for part in parts:
        found = _values(part, kind)
        if isinstance(found, AxisProblem):
            return found
        values += found
    if len(values) > MAX_VALUES:
        return AxisProblem(_tr("At most {count} values, please.").format(count=MAX_VALUES))
    if len(set(values)) < len(values):
        return AxisProblem(_tr("One value is there twice."))
    return GridAxis(field=field, values=tuple(values))


def values_text(axis: GridAxis) -> str:
    """The values of an axis as a person writes them: `axis_of` reads them back."""
    kind = GRID_FIELDS[axis.field].kind if axis.field in GRID_FIELDS else "text"
    titles = {str(name): title for name, title in SAMPLER_TITLES.items()}
    words = [f"{value:g}" if isinstance(value, float) else titles.get(str(value), str(value)) for value in axis.values]
    return (" | " if kind == "text" else ", ").join(words)


def axis_label(axis: GridAxis, index: int) -> str:
    """What stands beside a row or column: the setting as the form calls it, and its value."""
    value = axis.values[index]
    kind = GRID_FIELDS.get(axis.field)
    if kind is None or kind.kind == "text":
        return axis.label(index)
    if kind.kind == "sampler":
        return next((title for name, title in SAMPLER_TITLES.items() if name == value), str(value))
    return f"{kind.title()} {value:g}" if isinstance(value, float) else f"{kind.title()} {value}"


def _parts(text: str, kind: Kind) -> list[str]:
    signs = r"[|\n]" if kind == "text" else r"[,;|\n]"
    return [part.strip() for part in re.split(signs, text) if part.strip()]


def _values(part: str, kind: Kind) -> list[Value] | AxisProblem:
    if kind == "text":
        return [part]
    if kind == "sampler":
        return _sampler(part)
    if kind == "int" and (match := _RANGE.match(part)):
        return _range(int(match[1]), int(match[2]))
    try:
        return [int(part) if kind == "int" else float(part)]
    except ValueError:
        words = _tr("{value} is no whole number.") if kind == "int" else _tr("{value} is no number.")
        return AxisProblem(words.format(value=part))


def _range(first: int, last: int) -> list[Value] | AxisProblem:
    if abs(last - first) >= MAX_VALUES:
        return AxisProblem(_tr("At most {count} values, please.").format(count=MAX_VALUES))
    return list(range(first, last + 1)) if last >= first else list(range(first, last - 1, -1))


def _sampler(part: str) -> list[Value] | AxisProblem:
    """A sampler by any writing of its name."""

    def bare(text: str) -> str:
        return re.sub(r"[^a-z0-9]", "", text.lower().replace("++", "pp"))

    for name, title in SAMPLER_TITLES.items():
        if bare(part) in (bare(title), bare(name)):
            return [str(name)]
    known = ", ".join(SAMPLER_TITLES.values())
    return AxisProblem(_tr("There is no sampler {name}; there are {known}.").format(name=part, known=known))


def _example(kind: Kind) -> str:
    examples = {"int": "1, 2, 3", "float": "1, 1.5, 2", "text": _tr("a red cube | a blue cube")}
    return examples.get(kind, ", ".join(list(SAMPLER_TITLES.values())[:2]))


def _seeds(state: FormState) -> str:
    first = int(state.seed) if state.seed.strip().isdecimal() else 1
    return f"{first}..{first + 3}"


def _prompts(state: FormState) -> str:
    return state.prompt.strip()


GRID_FIELDS: dict[str, GridField] = {
    "seed": GridField("int", lambda: _tr("Seed"), _seeds),
    "prompt": GridField("text", lambda: _tr("Prompt"), _prompts, "text"),
    "class_label": GridField("int", lambda: _tr("Class"), lambda _state: "0..3", "class"),
    "sampling.guidance.weight": GridField("float", lambda: _tr("Guidance"), lambda _state: "1, 2, 4"),
    "sampling.guidance.logsnr_low": GridField("float", lambda: _tr("Guided from log-SNR"), lambda _state: "-6, -3, 0"),
    "sampling.guidance.logsnr_high": GridField("float", lambda: _tr("Guided to log-SNR"), lambda _state: "0, 1.5, 4"),
    "sampling.base.num_steps": GridField("int", lambda: _tr("Base model steps"), lambda _state: "4, 8, 16, 32"),
    "sampling.decoder.num_steps": GridField("int", lambda: _tr("Decoder steps"), lambda _state: "4, 8, 16, 32"),
    "sampling.base.name": GridField(
        "sampler", lambda: _tr("Base model sampler"), lambda _state: ", ".join(SAMPLER_TITLES.values())
    ),
    "sampling.decoder.name": GridField(
        "sampler", lambda: _tr("Decoder sampler"), lambda _state: ", ".join(SAMPLER_TITLES.values())
    ),
    "variation_strength": GridField("float", lambda: _tr("Variation"), lambda _state: "0, 0.1, 0.2, 0.4"),
    "strength": GridField("float", lambda: _tr("Strength of change"), lambda _state: "0.2, 0.4, 0.6, 0.8", "start"),
    "width_px": GridField("int", lambda: _tr("Width"), lambda _state: "64, 128"),
    "height_px": GridField("int", lambda: _tr("Height"), lambda _state: "64, 128"),
}


def _tr(text: str) -> str:
    return QCoreApplication.translate("GridAxes", text)
