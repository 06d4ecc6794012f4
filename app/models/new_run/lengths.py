"""How long a run shall take, turned into steps and into how often things happen. No Qt."""

from collections.abc import Mapping
from typing import Any

from trainer.cost import RunEstimate

MOST_LOOKS = 16
"""Previews and validations of a run that is cut to a time."""
SAVES = 20
LENGTHS_S = (600.0, 3600.0, 8 * 3600.0)
"""Ten minutes to try it, an hour over lunch, a night."""
LEAST_STEPS = 20
STEPS_SHARE, LOOKS_SHARE = 0.7, 0.2
"""Of the time; the rest is left to starting, previews and saving."""
TRAINING_PASSES = 3
"""A training step costs as much as so many evaluations of each sample."""


def is_enough(estimate: RunEstimate, budget_s: float) -> bool:
    """Whether more than preparing and a handful of steps fits into this time."""
    return estimate.preparing_s + LEAST_STEPS * estimate.step.seconds <= budget_s


def for_duration(values: Mapping[str, Any], step_s: float, budget_s: float) -> dict[str, Any]:
    """Values by path for a run that takes about `budget_s` in all, if its steps take `step_s`."""
    affordable = budget_s / step_s
    steps = max(LEAST_STEPS, round(STEPS_SHARE * affordable))
    steps = int(round(steps, -max(0, len(str(steps)) - 2)))
    looks = int(LOOKS_SHARE * affordable / _look_in_steps(values))
    look_every = max(1, steps // min(max(looks, 1), MOST_LOOKS))
    optimizer, cadence = values["optimizer"], values["cadence"]
    return {
        "num_steps": steps,
        "optimizer.warmup_steps": min(optimizer["warmup_steps"], steps // 10),
        "cadence.log_every": max(1, min(cadence["log_every"], steps // 50)),
        "cadence.validate_every": look_every,
        "cadence.preview_every": look_every,
        "cadence.checkpoint_every": max(1, steps // SAVES),
    }


def _look_in_steps(values: Mapping[str, Any]) -> float:
    """How many training steps a validation costs, by evaluations: decodes and noise levels of each held-out sample."""
    validation = values["validation"]
    evaluations = float(validation["num_images"] * (validation["decoder_steps"] + validation["bitrate_times"]))
    return max(0.1, evaluations / (TRAINING_PASSES * int(values["batch_size"])))
