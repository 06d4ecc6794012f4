"""Guidance: the formula inside its interval, the conditional estimate alone outside it."""

import pytest
import torch
from torch import Tensor

from ul_engine.diffusion.guidance import guided

X_T = torch.tensor([[1.0, -2.0], [0.5, 4.0]])


class Estimates:
    """Two different denoisers that count their calls."""

    def __init__(self) -> None:
        self.calls = {"conditional": 0, "null": 0}

    def conditional(self, x_t: Tensor, logsnr: Tensor) -> Tensor:
        self.calls["conditional"] += 1
        return 0.7 * x_t + 0.1

    def null(self, x_t: Tensor, logsnr: Tensor) -> Tensor:
        self.calls["null"] += 1
        return 0.2 * x_t - 0.3

    def at(self, logsnr: float, *, weight: float) -> Tensor:
        denoise = guided(self.conditional, self.null, weight=weight, logsnr_low=-3.0, logsnr_high=1.5)
        return denoise(X_T, torch.full((2,), logsnr))


@pytest.mark.parametrize("logsnr", [-3.0, -1.0, 0.0, 1.5])
@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0, 4.0])
def test_formula_inside(logsnr: float, weight: float) -> None:
    estimates = Estimates()
    conditional, null = 0.7 * X_T + 0.1, 0.2 * X_T - 0.3
    torch.testing.assert_close(estimates.at(logsnr, weight=weight), null + weight * (conditional - null))
    assert estimates.calls == {"conditional": 1, "null": 1}


@pytest.mark.parametrize("logsnr", [-10.0, -3.001, 1.501, 5.0])
def test_outside_the_null_network_is_not_run(logsnr: float) -> None:
    estimates = Estimates()
    assert torch.equal(estimates.at(logsnr, weight=3.0), 0.7 * X_T + 0.1)
    assert estimates.calls == {"conditional": 1, "null": 0}


@pytest.mark.parametrize("logsnr", [-10.0, 0.0, 5.0])
def test_weight_1_is_the_conditional_estimate_at_one_evaluation(logsnr: float) -> None:
    estimates = Estimates()
    assert torch.equal(estimates.at(logsnr, weight=1.0), 0.7 * X_T + 0.1)
    assert estimates.calls["null"] == 0
