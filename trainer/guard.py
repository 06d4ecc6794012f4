"""The guard before every optimizer step: nothing that is not finite, and no spike, reaches the weights."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.config import GuardConfig
from ul_engine.errors import NumericsError

MEMORY = 0.98
"""Of the average of the norm's logarithm: about fifty steps."""
SMALLEST_NORM = 1e-12
"""A gradient of exactly nothing has no logarithm, and would spoil the average for good."""
FIRST_STEPS = 50
"""Before so many steps no norm counts as a spike: the first ones are far from usual."""


class BadStep(NumericsError):
    """A step that was not taken. `step`, `loss`, `norm` and the usual `average_norm` say which and why."""

    def __init__(self, step: int, loss: float, norm: float, average_norm: float) -> None:
        self.step, self.loss, self.norm, self.average_norm = step, loss, norm, average_norm
        if math.isfinite(loss) and math.isfinite(norm):
            what = f"the gradient norm is {norm:.4g}, where {average_norm:.4g} is usual"
        else:
            what = f"the loss is {loss:.4g} and the gradient norm {norm:.4g}"
        super().__init__(
            f"{what}; step {step + 1} was not taken. Lower the learning rate, continue with precision fp32, or let the "
            "run go back and leave that batch out by itself (guard.on_bad_step=rollback)"
        )


@dataclass(frozen=True)
class Verdict:
    """What the guard saw of one step, still on the device: [is_bad, loss, norm, average norm]."""

    step: int
    values: Tensor
    copied: torch.cuda.Event | None

    def check(self) -> None:
        """Raise BadStep if the step was bad. On CUDA this waits until the device has reached it."""
        if self.copied is not None:
            self.copied.synchronize()
        is_bad, loss, norm, average = self.values.tolist()
        if is_bad:
            raise BadStep(self.step, loss, norm, average)


class StepGuard:
    """Judges loss and gradient norm on the device. `average` is the state it carries: [mean of log norm, steps]."""

    def __init__(self, config: GuardConfig, device: torch.device) -> None:
        self._factor = config.spike_factor
        self.average = torch.zeros(2, dtype=torch.float32, device=device)

    @torch.no_grad()
    def judge(self, step: int, loss: Tensor, norm: Tensor) -> tuple[Verdict, Tensor]:
        """The verdict, and whether the step is bad as a float scalar on the device (1 or 0), without waiting for it.

        A bad step does not enter the average.
        """
        log_norm = norm.clamp(min=SMALLEST_NORM).log()
        mean, count = self.average.unbind()
        is_bad = ~(torch.isfinite(loss) & torch.isfinite(norm))
        if self._factor:
            is_bad = is_bad | ((count >= FIRST_STEPS) & (log_norm > mean + math.log(self._factor)))
        seen = torch.stack((is_bad.float(), loss.float(), norm.float(), mean.exp()))
        share = torch.maximum(1.0 / (count + 1.0), torch.full_like(count, 1.0 - MEMORY))
        moved = torch.stack((torch.lerp(mean, log_norm, share), count + 1.0))
        self.average.copy_(torch.where(is_bad, self.average, moved))
        return _on_its_way(step, seen), seen[0]


def _on_its_way(step: int, values: Tensor) -> Verdict:
    if values.device.type != "cuda":
        return Verdict(step, values, None)
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True).copy_(values, non_blocking=True)
    copied = torch.cuda.Event()
    copied.record()
    return Verdict(step, host, copied)
