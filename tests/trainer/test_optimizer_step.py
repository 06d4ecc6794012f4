"""Learning rate, clipping, and the guard that refuses a step which is not finite."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from trainer.config import OptimizerConfig
from trainer.optim import build_optimizer, guarded_step, rate_at
from ul_engine.errors import NumericsError

CONFIG = OptimizerConfig(learning_rate=1e-3, warmup_steps=10, decay_share=0.4)


def test_rate_rises_stays_and_falls_to_a_tenth() -> None:
    rates = [rate_at(step, 100, CONFIG) for step in range(100)]
    assert rates[:10] == pytest.approx([1e-3 * (step + 1) / 10 for step in range(10)])
    assert rates[10:61] == pytest.approx([1e-3] * 51)
    for step in range(61, 100):
        wanted = 1e-3 * (0.1 + 0.45 * (1 + math.cos(math.pi * (step - 60) / 40)))
        assert rates[step] == pytest.approx(wanted)
    assert all(a > b for a, b in pairwise(rates[60:]))
    assert rates[-1] == pytest.approx(1e-4, rel=0.02)


def test_rate_without_warm_up_or_decay() -> None:
    flat = OptimizerConfig(learning_rate=1e-3, warmup_steps=0, decay_share=0.0)
    assert [rate_at(step, 10, flat) for step in range(10)] == [1e-3] * 10
    falling = OptimizerConfig(learning_rate=1e-3, warmup_steps=0, decay_share=1.0)
    assert rate_at(5, 10, falling) == pytest.approx(0.55e-3)
    assert rate_at(0, 1, CONFIG) > 0


def test_settings_reach_the_optimizer() -> None:
    config = OptimizerConfig(learning_rate=3e-4, betas=(0.8, 0.95), weight_decay=0.02)
    (group,) = build_optimizer(nn.Linear(2, 2).parameters(), config).param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (3e-4, (0.8, 0.95), 0.02)


def stepped(scale: float, clip_norm: float) -> tuple[nn.Linear, float]:
    torch.manual_seed(0)
    module = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(module.parameters(), lr=9.0)
    loss = scale * module(torch.ones(1, 3)).sum()
    loss.backward()
    norm = guarded_step(optimizer, list(module.parameters()), loss.detach(), rate=0.5, clip_norm=clip_norm)
    return module, float(norm)


def test_step_takes_the_given_rate_and_clips_the_norm() -> None:
    torch.manual_seed(0)
    start = nn.Linear(3, 3)
    for scale, clip_norm in ((1.0, 100.0), (50.0, 1.0)):
        module, norm = stepped(scale, clip_norm)
        assert norm == pytest.approx(scale * math.sqrt(12), rel=1e-5)  # before clipping
        moved = torch.cat([(a - b).flatten() for a, b in zip(start.parameters(), module.parameters(), strict=True)])
        assert float(moved.detach().norm()) == pytest.approx(0.5 * min(norm, clip_norm), rel=1e-4)
        assert all(parameter.grad is None for parameter in module.parameters())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_what_is_not_finite_is_refused_before_the_step(value: float, where: str) -> None:
    torch.manual_seed(0)
    module = nn.Linear(3, 3)
    optimizer = build_optimizer(module.parameters(), CONFIG)
    for _ in range(3):
        loss = module(torch.ones(1, 3)).square().sum()
        loss.backward()
        guarded_step(optimizer, list(module.parameters()), loss.detach(), rate=1e-2, clip_norm=1.0)
    weights = copy.deepcopy(module.state_dict())
    moments = copy.deepcopy(optimizer.state_dict())
    loss = module(torch.ones(1, 3)).square().sum()
    loss.backward()
    if where == "gradient":
        assert module.weight.grad is not None
        module.weight.grad[0, 0] = value
    reported = torch.tensor(value) if where == "loss" else loss.detach()
    with pytest.raises(NumericsError, match="the step was not taken"):
        guarded_step(optimizer, list(module.parameters()), reported, rate=1e-2, clip_norm=1.0)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, weights[name])
    after = optimizer.state_dict()
    for index, state in moments["state"].items():
        for name, tensor in state.items():
            assert torch.equal(after["state"][index][name], tensor)
    assert module.weight.grad is None
    loss = module(torch.ones(1, 3)).square().sum()
    loss.backward()
    guarded_step(optimizer, list(module.parameters()), loss.detach(), rate=1e-2, clip_norm=1.0)  # and it goes on
