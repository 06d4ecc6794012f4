"""Muon: steps whose matrices have all their singular values alike.

Torch's own takes matrices only and always multiplies in bf16; this one takes kernels of convolutions too, multiplies in
float32 where the run does, steps all parameters of one shape together, and lets the ranks of a run share the work.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from trainer.ranks import Ranks

NUM_ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
RMS_OF_ADAMW = 0.2
"""Root mean square of AdamW's usual updates at rate 1; the steps of Muon are scaled to it."""


class Muon(torch.optim.Optimizer):
    """Momentum whose sum is brought to the nearest (semi-)orthogonal matrix before it is used.

    Source: Jordan et al., "Muon" (2024); the scale by 0.2 sqrt(max(rows, columns)): Liu et al., "Muon is Scalable for
    LLM Training" (2025), so that a rate means about what it means for AdamW. Parameters have two or more axes; those
    behind the first count as one (a kernel `[out, in, h, w]` is a matrix `[out, in h w]`). in_bf16: multiply in bf16.
    ranks: those that hold the same parameters, or shards of them, and step together; each orthogonalises its part.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        in_bf16: bool = False,
        ranks: Ranks | None = None,
    ) -> None:
        self.in_bf16, self.ranks = in_bf16, ranks
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step; parameters without a gradient stay."""
        assert closure is None
        for group in self.param_groups:
            alike: defaultdict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for parameters in alike.values():
                self._step(parameters, group)

    def _step(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        """`parameters` have one shape."""
        updates = torch.stack([self._summed(parameter, group["momentum"]) for parameter in parameters])
        work = partial(orthogonalised, in_bf16=self.in_bf16)
        matrices = work(updates.flatten(2)) if self.ranks is None else self.ranks.shared_out(updates.flatten(2), work)
        scale = RMS_OF_ADAMW * max(matrices.shape[1:]) ** 0.5
        for parameter, matrix in zip(parameters, matrices, strict=True):
            if group["weight_decay"]:
                parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
            parameter.add_(_laid_out_as(parameter, matrix.reshape(parameter.shape)), alpha=-group["lr"] * scale)

    def _summed(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """The momentum with this gradient, looked ahead (Nesterov), whole on every rank."""
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        buffer = state["momentum_buffer"]
        buffer.lerp_(gradient, 1.0 - momentum)
        ahead = gradient.lerp(buffer, momentum)
        return ahead.full_tensor() if isinstance(ahead, DTensor) else ahead


def orthogonalised(matrices: Tensor, *, in_bf16: bool = False) -> Tensor:
    """`[N, rows, columns]` float32 -> the same shape, singular values between about 0.7 and 1.2: five steps of the
    quintic Newton-Schulz iteration from the matrices over their Frobenius norms. A matrix of zeros stays one."""
    is_tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if is_tall else matrices
    x = x / x.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]
    if in_bf16:
        x = x.bfloat16()
    a, b, c = COEFFICIENTS
    for _ in range(NUM_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if is_tall else x).to(matrices.dtype)


def _laid_out_as(parameter: nn.Parameter, whole: Tensor) -> Tensor:
    """This rank's share of `whole`, where the parameter is shared out."""
    if isinstance(parameter, DTensor):
        return distribute_tensor(whole, parameter.device_mesh, parameter.placements)
    return whole
