"""A configuration changed at dotted places and checked again, and plain words for a name that nobody knows."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from ul_engine.config import ModelConfig
from ul_engine.errors import ConfigError


def changed(config: ModelConfig, changes: Mapping[str, object]) -> ModelConfig:
    """`config` with new values at dotted paths, such as ``latent.channels``; raises ConfigError where they contradict
    the rest."""
    data: dict[str, Any] = config.model_dump()
    for path, value in changes.items():
        *parents, leaf = path.split(".")
        section = data
        for parent in parents:
            section = section[parent]
        section[leaf] = value
    return checked(data)


def checked(data: object) -> ModelConfig:
    """The configuration that decoded JSON or YAML describes; raises ConfigError with the field's dotted path."""
    try:
        return ModelConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(first["msg"], field=field or None) from error


def unknown_name(name: str, known: Iterable[str], kind: str, *, field: str) -> ConfigError:
    """The error for a name that is not among `known`: the nearest one, and all of them."""
    names = list(known)
    nearest = get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}? " if nearest else ""
    return ConfigError(f"there is no {kind} {name!r}; {hint}Known: {', '.join(names)}", field=field)
