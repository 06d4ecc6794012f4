"""What a run carries over a restart, as named tensors that can be written and read by any number of ranks."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ul_engine.ema import EMA


@dataclass
class TrainingState:
    """Networks, average, optimizers and the few numbers beside them; all randomness is a function of (seed, data step)
    and needs none.

    `numbers` are small tensors that somebody else owns and changes in place (the guard's averages). `skipped` are data
    steps that were left out after a roll-back.
    """

    module: nn.Module
    ema: EMA
    optimizers: list[torch.optim.Optimizer]
    numbers: dict[str, Tensor] = field(default_factory=dict)
    skipped: list[int] = field(default_factory=list)

    def tensors(self) -> dict[str, Any]:
        """Everything as a nested dictionary of the tensors themselves: saving reads them, loading writes into them.

        The optimizers' moments exist from the first step on; before, they are made here, as zeros.
        """
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.module.named_parameters()}
        moments: dict[str, dict[str, Tensor]] = {}
        for optimizer in self.optimizers:
            _make_moments(optimizer)
            for parameter, state in optimizer.state.items():
                moments[names[parameter]] = {key: value for key, value in state.items() if isinstance(value, Tensor)}
        return {
            "module": self.module.state_dict(),
            "ema": dict(self.ema.named_averages()),
            "optimizer": moments,
            "numbers": self.numbers,
        }


def _make_moments(optimizer: torch.optim.Optimizer) -> None:
    """Have the optimizer lay out its moments, by a step of no length on gradients of zero, if it has none yet."""
    if optimizer.state:
        return
    rates = [group["lr"] for group in optimizer.param_groups]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    gradients = [parameter.grad for parameter in parameters]
    with torch.no_grad():
        for group in optimizer.param_groups:
            group["lr"] = 0.0
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        for state in optimizer.state.values():
            if "step" in state:
                state["step"].zero_()
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
