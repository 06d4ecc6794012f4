"""Lists as people type them: separated by commas."""

import math

from ul_engine.errors import ConfigError


def names_in(text: str) -> tuple[str, ...]:
    """The names, without blanks."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def numbers_in(text: str, field: str) -> tuple[float, ...]:
    """The numbers; raises ConfigError about `field` for anything else, and for what is not finite."""
    try:
        numbers = tuple(float(part) for part in names_in(text))
    except ValueError:
        raise ConfigError("write numbers separated by commas, such as 5,3,1,-1", field=field) from None
    if not all(map(math.isfinite, numbers)):
        raise ConfigError("every number must be finite", field=field)
    return numbers
