"""From YAML, a preset's name and ``key=value`` changes to a checked `RunConfig`. No torch."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from trainer.config.run import RunConfig
from ul_engine.errors import ConfigError
from ul_engine.presets import model_preset


def load_config(path: str | Path, overrides: tuple[str, ...] = ()) -> RunConfig:
    """Read a YAML recipe and apply ``dotted.key=value`` overrides; raises ConfigError with the field's dotted path."""
    return resolved_config(read_recipe(path), overrides)


def read_recipe(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file, unchecked; raises ConfigError where there is none.

    `extends: FILE` in it, seen from the file's own folder, takes over that file's `model` and `data`: parts of
    one recipe share them, and so do models of one family.
    """
    data = _mapping(path)
    if (other := data.pop("extends", None)) is not None:
        below = read_recipe(Path(path).parent / str(other))
        data = _merged({name: below[name] for name in ("model", "data") if name in below}, data)
    return data


def _mapping(path: str | Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid YAML ({error})") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: a mapping of settings was expected")
    return data


def resolved_config(data: dict[str, Any], overrides: tuple[str, ...] = ()) -> RunConfig:
    """Settings as plain data, with overrides applied and the preset's model filled in under `model`'s own values."""
    for override in overrides:
        apply_override(data, override)
    if data.get("preset") is not None:
        model = model_preset(str(data["preset"])).config.model_dump(mode="json")
        data = {**data, "model": _merged(model, data.get("model") or {})}
    return parse_config(data)


def parse_config(data: dict[str, Any]) -> RunConfig:
    """Validate decoded settings; raises ConfigError that names the first bad field."""
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        loc = [str(part) for part in first["loc"]]
        if loc[:1] == ["data"]:
            del loc[1:2]  # which kind of section it is has no place in a dotted path
        field = ".".join(loc)
        message = f"has to be said: --set {field}=VALUE" if first["type"] == "missing" else first["msg"]
        raise ConfigError(message, field=field or None) from error


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`below` with the values of `above` laid over it, section by section."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def apply_override(data: dict[str, Any], override: str) -> None:
    """Write one ``dotted.key=value`` into `data`; raises ConfigError where it cannot stand there."""
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {override}: write it as key=value, for example optimizer.learning_rate=5e-4")
    *parents, leaf = key.split(".")
    section = data
    for parent in parents:
        section = section.setdefault(parent, {})
        if not isinstance(section, dict):
            raise ConfigError(f"--set {override}: {parent} is a value, not a section", field=key)
    try:
        section[leaf] = _parse_value(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is no value ({error})", field=key) from error


def _parse_value(text: str) -> Any:
    """YAML value, with numbers such as 1e-3 (which YAML 1.1 takes for text) read as numbers."""
    value = yaml.safe_load(text)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
