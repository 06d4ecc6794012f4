"""Exponential moving average of parameters, in float32."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn


class EMA:
    """Averages of a module's parameters: `ema <- decay ema + (1 - decay) parameter`, warmed up as `(1 + n) / (10 + n)`.

    Kept in float32 (in bf16 an average with decay 0.9999 does not move). `num_updates` counts calls of `update`.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.num_updates = 0
        self._names = [name for name, _ in module.named_parameters()]
        self._averages = [parameter.detach().float().clone() for parameter in module.parameters()]

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the module's present parameters."""
        decay = min(self.decay, (1 + self.num_updates) / (10 + self.num_updates))
        present = [parameter.detach().float() for parameter in module.parameters()]
        torch._foreach_lerp_(self._averages, present, 1.0 - decay)
        self.num_updates += 1

    def named_averages(self) -> Iterable[tuple[str, Tensor]]:
        """Names as in `module.named_parameters()`, with their averages."""
        return zip(self._names, self._averages, strict=True)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Overwrite the module's parameters by the averages."""
        parameters = dict(module.named_parameters())
        for name, average in self.named_averages():
            parameters[name].copy_(average)

    def state_dict(self) -> dict[str, Tensor]:
        """Averages by name, and the number of updates."""
        return {**dict(self.named_averages()), "num_updates": torch.tensor(self.num_updates)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        self.num_updates = int(state["num_updates"])
        for name, average in self.named_averages():
            average.copy_(state[name])
