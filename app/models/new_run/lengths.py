"""How long a run shall take, turned into steps and into how often things happen. No Qt."""

from collections.abc import Mapping
from typing import Any

LOOKS = 16
"""Previews and validations of a run that is cut to a time."""
SAVES = 20
LENGTHS_S = (600.0, 3600.0, 8 * 3600.0)
"""Ten minutes to try it, an hour over lunch, a night."""
LEAST_STEPS = 20


def for_duration(values: Mapping[str, Any], step_s: float, budget_s: float) -> dict[str, Any]:
    """Values by path for a run whose steps take `budget_s` together; validations and previews come on top of that, so
    a tenth is left to them."""
    steps = max(LEAST_STEPS, round(0.9 * budget_s / step_s))
    digits = max(0, len(str(steps)) - 2)
    steps = int(round(steps, -digits))
    looks, saves = max(1, steps // LOOKS), max(1, steps // SAVES)
    optimizer, cadence = values["optimizer"], values["cadence"]
    return {
        "num_steps": steps,
        "optimizer.warmup_steps": min(optimizer["warmup_steps"], steps // 10),
        "cadence.log_every": max(1, min(cadence["log_every"], steps // 50)),
        "cadence.validate_every": looks,
        "cadence.preview_every": looks,
        "cadence.checkpoint_every": saves,
    }
