"""The request in a result's file as rows of name and value, for people."""

import json
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.models.samplers import SAMPLER_TITLES
from ul_engine.requests import SamplerName


def request_rows(text: str) -> list[tuple[str, str]]:
    """Name and value of what shaped a result; nothing for a file that does not say. `text` is the embedded JSON."""
    if not text:
        return []
    embedded = json.loads(text)
    request = embedded["request"]
    rows = [(_tr("Model"), str(embedded.get("model_name") or request.get("model", "")))]
    rows += _whole_rows(embedded)
    rows += [(_tr("Prompt"), request.get("prompt"))] if request.get("second_prompt") else []
    rows += [(_name(field), _shown(request[field])) for field in _PLAIN if request.get(field) not in (None, "")]
    if request.get("variation_seed") is not None:
        strength = request.get("variation_strength", 0)
        rows.append((_tr("Variation"), _tr("{share} towards seed {seed}").format(
            share=f"{strength:.0%}".replace("%", "\u202f%"), seed=request["variation_seed"])))  # fmt: skip
    if request.get("init_image"):
        rows.append((_tr("Strength"), f"{request.get('strength', 0):g}"))
    sampling = request.get("sampling") or {}
    rows += [(title, _steps(sampling[part])) for part, title in _parts() if sampling.get(part)]
    if sampling.get("guidance"):
        rows.append((_tr("Guidance"), _guidance(sampling["guidance"])))
    return [(name, value) for name, value in rows if value]


def _whole_rows(embedded: dict[str, Any]) -> list[tuple[str, str]]:
    """What a file with several results in it is; the other rows are then those of one of them."""
    whole, way = embedded.get("whole"), embedded.get("way")
    if not whole:
        return []
    if grid := whole.get("grid"):
        columns, rows = (len(axis["values"]) if axis else 1 for axis in (grid["x"], grid["y"]))
        return [(_tr("Holds"), _tr("a sheet of {columns} × {rows} pictures").format(columns=columns, rows=rows))]
    if way:
        return [(_tr("Holds"), _tr("a whole way of {count} steps").format(count=way["num_steps"]))]
    return [(_tr("Holds"), _tr("a clip and its continuation"))]


_PLAIN = ("second_prompt", "class_label", "seed", "second_seed", "init_image", "continue_from")


def _name(field: str) -> str:
    return {
        "second_prompt": _tr("Second prompt"),
        "class_label": _tr("Class"),
        "seed": _tr("Seed"),
        "second_seed": _tr("Second seed"),
        "init_image": _tr("Start picture"),
        "continue_from": _tr("Continues"),
    }[field]


def _shown(value: Any) -> str:
    return str(value)


def _parts() -> tuple[tuple[str, str], ...]:
    return (("base", _tr("Base")), ("decoder", _tr("Decoder")))


def _steps(settings: dict[str, Any]) -> str:
    name = settings.get("name", "")
    title = SAMPLER_TITLES[SamplerName(name)] if name in set(SamplerName) else str(name)
    return _tr("{count} × {sampler}").format(count=settings.get("num_steps", "?"), sampler=title)


def _guidance(settings: dict[str, Any]) -> str:
    span = f"{settings.get('logsnr_low', 0):g} … {settings.get('logsnr_high', 0):g}".replace("-", "−")
    return f"{settings.get('weight', 0):g}  ({span})"


def _tr(text: str) -> str:
    return QCoreApplication.translate("RequestRows", text)
