"""The points of a sweep: for each one the settings of its runs. No torch."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from trainer.config import RunConfig, Stage, parse_config, read_recipe, resolved_config
from trainer.recipes import recipe_file
from trainer.sweep.definition import SECTIONS, SweepConfig
from ul_engine.errors import ConfigError
from ul_engine.presets import apply_ablation

ABLATION = "ablation"


@dataclass(frozen=True)
class Point:
    """One point. `changes` is what it has different; `axes` are its values on all axes, also where a variant left them
    as they are. `folder` holds its runs."""

    name: str
    slug: str
    changes: Mapping[str, Any]
    axes: Mapping[str, Any]
    is_variant: bool
    folder: Path
    stages: Mapping[Stage, RunConfig]

    @property
    def changes_text(self) -> str:
        """Its changes in words."""
        return ", ".join(f"{key}={value_text(value)}" for key, value in self.changes.items()) or "nothing"


def points_of(sweep: SweepConfig, out: Path) -> list[Point]:
    """All points, those of the axes first. Raises ConfigError for settings that contradict, naming the point."""
    sections = _sections(sweep)
    points = [_point(sweep, sections, None, changes, out) for changes in _axis_points(sweep)]
    points += [_point(sweep, sections, name, changes, out) for name, changes in sweep.variants.items()]
    twins = {point.slug for point in points if sum(other.slug == point.slug for other in points) > 1}
    if twins:
        raise ConfigError(f"two points would share the folder {sorted(twins)[0]}; give one of them another name")
    return points


def value_text(value: Any) -> str:
    """A value as people write it: 2 for 2.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def axis_title(key: str) -> str:
    """The last part of a dotted name in plain words."""
    return key.rpartition(".")[2].replace("_", " ")


def _axis_points(sweep: SweepConfig) -> Iterator[dict[str, Any]]:
    if not sweep.axes:
        return
    rows = product(*sweep.axes.values()) if sweep.combine == "grid" else zip(*sweep.axes.values(), strict=True)
    for values in rows:
        yield dict(zip(sweep.axes, values, strict=True))


def _sections(sweep: SweepConfig) -> dict[Stage, dict[str, Any]]:
    """Settings of each stage as plain data, before any change."""
    first = _laid_over(_of_recipe(sweep.recipe, Stage.STAGE1), sweep.stage1)
    sections = {Stage.STAGE1: first | {"stage": Stage.STAGE1.value}}
    if sweep.stage2 is not None:
        own = _laid_over(_of_recipe(sweep.recipe, Stage.STAGE2), sweep.stage2)
        inherited = {key: value for key, value in first.items() if key != "init_from"}
        sections[Stage.STAGE2] = _laid_over(inherited, own) | {"stage": Stage.STAGE2.value}
    return sections


def _of_recipe(name: str | None, stage: Stage) -> dict[str, Any]:
    return read_recipe(recipe_file(name, stage.value)) if name is not None else {}


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(below))
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _laid_over(old, value) if both and old is not None else copy.deepcopy(value)
    return merged


def _point(
    sweep: SweepConfig,
    sections: Mapping[Stage, dict[str, Any]],
    variant: str | None,
    changes: dict[str, Any],
    out: Path,
) -> Point:
    name = variant or ", ".join(f"{axis_title(key)} {value_text(value)}" for key, value in changes.items())
    slug = _slug(name)
    try:
        stages = {stage: _settings(stage, data, changes, out / slug) for stage, data in sections.items()}
    except ConfigError as error:
        raise ConfigError(f"point {name!r}: {error}") from error
    resolved = stages[Stage.STAGE1].model_dump(mode="json")
    axes = {key: changes.get(key, _value_at(resolved, key)) for key in sweep.axes}
    return Point(name, slug, changes, axes, variant is not None, out / slug, stages)


def _settings(stage: Stage, section: dict[str, Any], changes: Mapping[str, Any], folder: Path) -> RunConfig:
    """The checked settings of one run of a point."""
    data = copy.deepcopy(section)
    if stage is Stage.STAGE2:
        data["init_from"] = str(folder / Stage.STAGE1.value / "model")
    ablations: list[str] = []
    for key, value in changes.items():
        first, _, rest = key.partition(".")
        if key == ABLATION:
            ablations += [str(name) for name in (value if isinstance(value, list | tuple) else [value])]
        elif first not in SECTIONS:
            _set(data, key, value)
        elif first == stage.value:
            _set(data, rest, value)
    config = resolved_config(data)
    model = config.model
    for name in ablations:
        model = apply_ablation(model, name)
    return parse_config(config.model_dump(mode="json") | {"model": model.model_dump(mode="json")})


def _set(data: dict[str, Any], key: str, value: Any) -> None:
    *parents, leaf = key.split(".")
    section = data
    for parent in parents:
        section = section.setdefault(parent, {})
        if not isinstance(section, dict):
            raise ConfigError(f"{parent} is a value, not a section", field=key)
    section[leaf] = value


def _value_at(data: Mapping[str, Any], key: str) -> Any:
    found: Any = data
    for part in key.removeprefix("stage1.").split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9.+-]+", "-", name.lower()).strip("-.")
    if not slug:
        raise ConfigError(f"{name!r} gives no name for a folder; use some letters or digits", field="variants")
    return slug
