"""What a pydantic model class asks for, as plain descriptions: sections of fields with kind, unit, range and help.

Nothing is written twice: titles come from names, units from their endings, help from descriptions, ranges from bounds.
"""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.models.config_form.words import choice_helps, title_at, title_of, unit_of

_MISSING = object()


class FieldKind(Enum):
    """Which control a field needs."""

    WHOLE = "whole number"
    DECIMAL = "decimal number"
    SWITCH = "switch"
    CHOICE = "choice"
    TEXT = "text"
    NUMBERS = "numbers"
    """Several numbers, parted by commas."""
    LINES = "lines"
    """Several texts, one per line."""
    OTHER = "other"
    """Anything else, written as YAML."""


@dataclass(frozen=True)
class Limits:
    """Bounds of a number; None: there is none. `is_..._open`: the bound itself is not allowed."""

    low: float | None = None
    high: float | None = None
    is_low_open: bool = False
    is_high_open: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    value: Any
    title: str
    help: str = ""


@dataclass(frozen=True)
class FieldSpec:
    """One setting."""

    path: str
    """Dotted, as ``--set`` takes it."""
    title: str
    kind: FieldKind
    help: str = ""
    unit: str = ""
    default: Any = None
    """As JSON has it; None where there is none."""
    is_required: bool = False
    is_optional: bool = False
    """Whether nothing (None) is a value of its own."""
    limits: Limits = Limits()
    choices: tuple[Choice, ...] = ()
    length: int | None = None
    """Of several values: how many there must be; None: any number."""
    section: str = ""
    """Title of the section it stands in; empty for the form itself."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class SectionSpec:
    """A group of settings: a nested model, or the whole form, whose path is empty."""

    path: str
    title: str
    parts: "tuple[FieldSpec | SectionSpec, ...]" = ()
    help: str = ""
    default: Any = None
    is_optional: bool = False
    """Whether the whole section may be absent."""
    tag_name: str = ""
    """Of a section of several kinds: the name of the field that tells them apart."""
    variants: "tuple[tuple[Choice, SectionSpec], ...]" = ()
    """Of a section of several kinds: each with its parts."""

    def variant(self, values: Mapping[str, Any]) -> "SectionSpec":
        """The section as the kind that `values` (the section's own) name; itself where there is but one kind."""
        tag = values.get(self.tag_name)
        return next((section for choice, section in self.variants if choice.value == tag), self)


def describe(model: type[BaseModel], path: str = "", title: str = "") -> SectionSpec:
    """The form of a model class."""
    parts = tuple(_part(_joined(path, name), name, info, title) for name, info in model.model_fields.items())
    return SectionSpec(path, title, parts, help=_first_sentence(model))


def walk(section: SectionSpec) -> Iterator[FieldSpec]:
    """All fields of a section and of those in it, in reading order; of every kind where there are several."""
    for part in (*section.parts, *(variant for _, variant in section.variants)):
        if isinstance(part, FieldSpec):
            yield part
        else:
            yield from walk(part)


def _part(path: str, name: str, info: FieldInfo, section: str) -> FieldSpec | SectionSpec:
    annotation, is_optional, bounds = _unwrapped(info.annotation, list(info.metadata))
    models = [each for each in _members(annotation) if _is_model(each)]
    if models and len(models) == len(_members(annotation)):
        return _section(path, name, info, models, is_optional=is_optional)
    kind, choices, length = _kind(annotation, info.description or "")
    default = json_value(_default(info))
    return FieldSpec(
        path,
        title_at(path),
        kind,
        info.description or "",
        unit_of(name),
        default=None if default is _MISSING else default,
        is_required=default is _MISSING,
        is_optional=is_optional,
        limits=_limits(bounds),
        choices=choices,
        length=length,
        section=section,
    )


def _section(path: str, name: str, info: FieldInfo, models: list[type[BaseModel]], *, is_optional: bool) -> SectionSpec:
    default = json_value(_default(info))
    settled = None if default is _MISSING else default
    tag_name = info.discriminator if isinstance(info.discriminator, str) else ""
    title, text = title_of(name), info.description or _first_sentence(models[0])
    if len(models) == 1 or not tag_name:
        parts = describe(models[0], path, title).parts
        return SectionSpec(path, title, parts, text, settled, is_optional)
    variants = []
    for model in models:
        (tag,) = typing.get_args(model.model_fields[tag_name].annotation)
        whole = describe(model, path, title)
        parts = tuple(part for part in whole.parts if part.path != _joined(path, tag_name))
        variant = SectionSpec(path, title, parts, whole.help)
        variants.append((Choice(json_value(tag), title_of(str(tag)), whole.help), variant))
    return SectionSpec(path, title, (), info.description or "", settled, is_optional, tag_name, tuple(variants))


def _unwrapped(annotation: Any, bounds: list[Any]) -> tuple[Any, bool, list[Any]]:
    """The type without ``Annotated`` and without None, whether None was in it, and all its bounds."""
    is_optional = False
    while True:
        if typing.get_origin(annotation) is Annotated:
            annotation, *more = typing.get_args(annotation)
            bounds = [*bounds, *more]
            continue
        members = _members(annotation)
        if type(None) not in members:
            return annotation, is_optional, bounds
        is_optional = True
        left = tuple(each for each in members if each is not type(None))
        annotation = left[0] if len(left) == 1 else typing.Union[left]  # noqa: UP007 - of a tuple


def _members(annotation: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if is_union else (annotation,)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _kind(annotation: Any, description: str) -> tuple[FieldKind, tuple[Choice, ...], int | None]:
    if annotation is bool:
        return FieldKind.SWITCH, (), None
    values = _choice_values(annotation)
    if values:
        helps = choice_helps(description, [str(value) for value in values])
        choices = tuple(Choice(value, title_of(str(value)), helps.get(str(value), "")) for value in values)
        return FieldKind.CHOICE, choices, None
    simple = {int: FieldKind.WHOLE, float: FieldKind.DECIMAL, str: FieldKind.TEXT}
    if annotation in simple:
        return simple[annotation], (), None
    if typing.get_origin(annotation) in (tuple, list):
        items = [each for each in typing.get_args(annotation) if each is not Ellipsis]
        is_fixed = typing.get_origin(annotation) is tuple and Ellipsis not in typing.get_args(annotation)
        length = len(items) if is_fixed else None
        if all(each in (int, float) for each in items):
            return FieldKind.NUMBERS, (), length
        if all(each is str or _choice_values(each) for each in items):
            return FieldKind.LINES, (), length
    return FieldKind.OTHER, (), None


def _choice_values(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is Literal:
        return typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(each.value for each in annotation)
    return ()


def _limits(bounds: list[Any]) -> Limits:
    low = high = None
    is_low_open = is_high_open = False
    for bound in bounds:
        if (limit := getattr(bound, "ge", None)) is not None:
            low = limit
        if (limit := getattr(bound, "gt", None)) is not None:
            low, is_low_open = limit, True
        if (limit := getattr(bound, "le", None)) is not None:
            high = limit
        if (limit := getattr(bound, "lt", None)) is not None:
            high, is_high_open = limit, True
    return Limits(low, high, is_low_open, is_high_open)


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    return _MISSING if value is PydanticUndefined else value


def json_value(value: Any) -> Any:
    """A value as JSON has it: models as mappings, enumerations by their values, tuples as lists."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [json_value(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): json_value(each) for key, each in value.items()}
    return value


def _first_sentence(model: type[BaseModel]) -> str:
    """Of the class's own docstring."""
    text = (model.__dict__.get("__doc__") or "").strip().split("\n\n")[0]
    return " ".join(text.replace("`", "").split())


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
