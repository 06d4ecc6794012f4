"""The values of a generated form: what is set, what of it was changed, what is wrong with it."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import QObject, Signal

from app.models.config_form.fields import FieldSpec, SectionSpec, describe, json_value, walk
from app.models.config_form.values import differences, merged, override, same, value_at, with_value
from app.models.config_form.words import numbers_needed, sentence

_PATHS_IN_TEXT = re.compile(r"[A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*")


class ConfigForm(QObject):
    """Compares, stores, checks, tells. Values are kept as JSON has them, right or wrong; a wrong one is kept too, so
    that a person can mend it.
    """

    values_changed = Signal(object)  # frozenset[str]: paths whose values are others now
    errors_changed = Signal(object)  # Mapping[str, str]: sentences by path
    structure_changed = Signal()  # a section appeared, went, or is of another kind

    def __init__(
        self,
        model: type[BaseModel],
        values: Mapping[str, Any] | None = None,
        *,
        basic: Iterable[str] = (),
        hidden: Iterable[str] = (),
        rule: Callable[[BaseModel], Mapping[str, str]] | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`values` are the start and what "changed" is measured by; what they leave out has its default. `basic` are
        the paths of what everybody sees (nothing: all), `hidden` of what somebody else asks for; a section's path
        means all in it. `rule` finds what is wrong beyond the model's own rules, by path.
        """
        super().__init__(parent)
        self._model = model
        self.spec = describe(model)
        self._basic, self._hidden = tuple(basic), tuple(hidden)
        self._rule = rule
        self._baseline: dict[str, Any] = {}
        self._values: dict[str, Any] = {}
        self._errors: dict[str, str] = {}
        self._result: BaseModel | None = None
        self.restart(values or {})

    # ---- what it holds --------------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[str, Any]:
        """All values, as JSON has them."""
        return self._values

    @property
    def errors(self) -> Mapping[str, str]:
        """What is wrong, by path; the empty path is the form as a whole."""
        return self._errors

    @property
    def result(self) -> Any:
        """The checked settings; None while something is wrong."""
        return self._result

    def value(self, path: str) -> Any:
        """The value at a path."""
        return value_at(self._values, path)

    def baseline(self, path: str) -> Any:
        """What `reset` would set."""
        return value_at(self._baseline, path)

    def is_changed(self, path: str) -> bool:
        """Whether a value, or any in a section, is not the one it began with."""
        return not same(value_at(self._baseline, path), value_at(self._values, path))

    def changed_paths(self) -> list[str]:
        """All paths that differ from the start."""
        return [path for path, _ in differences(self._baseline, self._values)]

    def overrides(self) -> tuple[str, ...]:
        """The changes as ``--set`` takes them."""
        return tuple(override(path, value) for path, value in differences(self._baseline, self._values))

    @property
    def basic(self) -> tuple[str, ...]:
        """Paths of what everybody sees, in the order in which it is shown; empty: everything."""
        return self._basic

    def is_basic(self, path: str) -> bool:
        """Whether everybody sees it."""
        return not self._basic or _is_among(path, self._basic)

    def is_hidden(self, path: str) -> bool:
        """Whether nobody sees it."""
        return _is_among(path, self._hidden)

    def section(self, spec: SectionSpec) -> SectionSpec:
        """A section as the kind it now is."""
        here = self.value(spec.path) if spec.path else self._values
        return spec.variant(here if isinstance(here, Mapping) else {})

    def fields(self, section: SectionSpec | None = None) -> list[FieldSpec]:
        """All visible fields that the present values ask for, in reading order."""
        found: list[FieldSpec] = []
        section = self.section(section or self.spec)
        if section.path and section.is_optional and self.value(section.path) is None:
            return found
        for part in section.parts:
            if self.is_hidden(part.path):
                continue
            if isinstance(part, FieldSpec):
                found.append(part)
            else:
                found += self.fields(part)
        return found

    def matching(self, text: str) -> set[str]:
        """Paths of the fields in whose title, path or help every word of `text` stands."""
        words = text.lower().replace("_", " ").replace(".", " ").split()
        return {field.path for field in self.fields() if all(word in _searched(field) for word in words)}

    # ---- what changes it ------------------------------------------------------------------------------------------

    def restart(self, values: Mapping[str, Any]) -> None:
        """Begin anew from these values."""
        self._baseline = merged(self._defaults(values), json_value(values))
        self._set(self._baseline)
        self.structure_changed.emit()

    def set(self, path: str, value: Any) -> None:
        """Set one value, or a whole section."""
        value = json_value(value)
        if not same(self.value(path), value):
            is_section = isinstance(value, Mapping) or isinstance(self.value(path), Mapping)
            self._set(with_value(self._values, path, value))
            if is_section:
                self.structure_changed.emit()

    def update(self, values: Mapping[str, Any]) -> None:
        """Set several values by path."""
        changed = self._values
        for path, value in values.items():
            changed = with_value(changed, path, json_value(value))
        self._set(changed)

    def choose_kind(self, section: SectionSpec, tag: Any) -> None:
        """Make a section one of another kind; values of fields that both kinds have are kept."""
        old = self.value(section.path) or {}
        variant = section.variant({section.tag_name: tag})
        start = {part.path.rpartition(".")[2]: part.default for part in variant.parts if not _is_needed(part)}
        kept = {name: old[name] for name in (part.path.rpartition(".")[2] for part in variant.parts) if name in old}
        self.set(section.path, {section.tag_name: tag, **start, **kept})

    def add_section(self, section: SectionSpec) -> None:
        """Put an optional section in, with its defaults."""
        parts = {part.path.rpartition(".")[2]: part.default for part in section.parts if not _is_needed(part)}
        self.set(section.path, self.baseline(section.path) or parts)

    def reset(self, path: str) -> None:
        """Set what it began with."""
        self.set(path, self.baseline(path))

    def reset_all(self) -> None:
        """Set everything to what it began with."""
        self._set(self._baseline)
        self.structure_changed.emit()

    # ---- inside ---------------------------------------------------------------------------------------------------

    def _defaults(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return _section_defaults(self.spec, values)

    def _set(self, values: Mapping[str, Any]) -> None:
        changed = {path for path, _ in differences(self._values, values)}
        changed |= {path for path, _ in differences(values, self._values)}
        self._values = dict(values)
        self._check()
        if changed:
            self.values_changed.emit(frozenset(changed))

    def _check(self) -> None:
        errors: dict[str, str] = {}
        self._result = None
        try:
            checked = self._model.model_validate(self._values)
        except ValidationError as error:
            for item in error.errors():
                path, words = self._place(item)
                errors.setdefault(path, words)
        else:
            errors = dict(self._rule(checked)) if self._rule is not None else {}
            self._result = None if errors else checked
        if errors != self._errors:
            self._errors = errors
            self.errors_changed.emit(dict(errors))

    def _place(self, error: Any) -> tuple[str, str]:
        """The path of the field that an error is about, and the sentence about it."""
        field, path = self._field_at(error["loc"])
        if field is not None:
            words = sentence(error)
            if field.length is not None and error["type"] in ("missing", "too_long", "too_short"):
                words = numbers_needed(field.length)
            return field.path, words
        named = self._named(path, str(error["msg"])) if error["type"] == "value_error" else []
        words = sentence(error)
        for word, spec in sorted(named, key=lambda pair: -len(pair[0])):
            title = f"{spec.section}: {spec.title}" if "." in word else spec.title
            words = re.sub(rf"(?<![\w.]){re.escape(word)}(?!\.?\w)", f"“{title}”", words, flags=re.IGNORECASE)
        return (named[0][1].path if named else path), words

    def _field_at(self, places: Iterable[Any]) -> tuple[FieldSpec | None, str]:
        """The field at pydantic's location, which names kinds of sections and places in lists too; else the section."""
        section, path = self.spec, ""
        for part in places:
            here = f"{path}.{part}" if path else str(part)
            child = next((each for each in self.section(section).parts if each.path == here), None)
            if isinstance(child, FieldSpec):
                return child, here
            if child is not None:
                section, path = child, here
        return None, path

    def _named(self, path: str, text: str) -> list[tuple[str, FieldSpec]]:
        """The fields that a rule over several names, in its order."""
        known = {field.path: field for field in walk(self.spec)}
        found = []
        text = text.removeprefix("Value error, ")
        for word in dict.fromkeys(_PATHS_IN_TEXT.findall(text)):
            spec = known.get(f"{path}.{word}" if path else word) or known.get(word)
            is_meant = "_" in word or "." in word or text.startswith(word)  # other words may just be words
            if spec is not None and is_meant:
                found.append((word, spec))
        return found


def _section_defaults(section: SectionSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of a section of these values: deeply, for a section that is partly given begins from its own."""
    chosen = section.variant(values)
    found: dict[str, Any] = {}
    for part in chosen.parts:
        name = part.path.rpartition(".")[2]
        if isinstance(part, FieldSpec):
            if not part.is_required:
                found[name] = part.default
            continue
        given = values.get(name)
        if isinstance(given, Mapping):
            tag = {part.tag_name: given[part.tag_name]} if part.tag_name and part.tag_name in given else {}
            found[name] = {**tag, **_section_defaults(part, given)}
        else:
            found[name] = part.default if part.is_optional or part.variants else _section_defaults(part, {})
    return found


def _is_needed(part: FieldSpec | SectionSpec) -> bool:
    return isinstance(part, FieldSpec) and part.is_required


def _is_among(path: str, paths: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in paths)


def _searched(field: FieldSpec) -> str:
    return f"{field.title} {field.path.replace('_', ' ').replace('.', ' ')} {field.help}".lower()
