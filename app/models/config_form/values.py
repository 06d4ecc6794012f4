"""Nested settings as plain data: read and changed by dotted path, compared, written as overrides. No Qt."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Values = Mapping[str, Any]


def value_at(values: Values, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    found: Any = values
    for name in path.split(".") if path else ():
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found


def with_value(values: Values, path: str, value: Any) -> dict[str, Any]:
    """The same settings but for one value; sections on the way are made where there are none."""
    name, _, rest = path.partition(".")
    below = values.get(name)
    if rest:
        value = with_value(below if isinstance(below, Mapping) else {}, rest, value)
    return {**values, name: value}


def merged(below: Values, above: Values) -> dict[str, Any]:
    """`below` with the values of `above` laid over it, section by section."""
    result = dict(below)
    for name, value in above.items():
        old = result.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            value = merged(old, value)
        result[name] = value
    return result


def differences(old: Values, new: Values, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths at which `new` differs, with its values; of a section that has other fields now, the section as a whole."""
    for name, value in new.items():
        here = f"{path}.{name}" if path else name
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping) and value.keys() == before.keys():
            yield from differences(before, value, here)
        elif name not in old or not same(before, value):
            yield here, value


def same(first: Any, second: Any) -> bool:
    """Whether two values mean the same setting: 1 and 1.0 do, True and 1 do not."""
    return bool(first == second) and isinstance(first, bool) == isinstance(second, bool)


def override(path: str, value: Any) -> str:
    """``path=value`` as ``--set`` takes it."""
    return f"{path}={json.dumps(value, ensure_ascii=False)}"
