"""Learning rate, choice of optimizer, clipping."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from tests.helpers.tiny import tiny_model
from trainer.config import OptimizerConfig
from trainer.optim import build_optimizers, clip_gradients, gradient_norm, rate_at, set_rate

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
    (optimizer,) = build_optimizers(nn.Linear(2, 2), config)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"]) == (3e-4, (0.8, 0.95), 0.02)
    set_rate([optimizer], 1e-5, config)
    assert group["lr"] == 1e-5


def test_muon_takes_the_matrices_of_the_blocks_and_adamw_the_rest() -> None:
    model = tiny_model().requires_grad_(True)
    config = OptimizerConfig(kind="muon", learning_rate=1e-2, muon_rate=0.5, weight_decay=0.01)
    rest, matrices = build_optimizers(model, config)
    names = {parameter: name for name, parameter in model.named_parameters()}
    by_muon = {names[parameter] for group in matrices.param_groups for parameter in group["params"]}
    by_adamw = {names[parameter] for group in rest.param_groups for parameter in group["params"]}
    assert by_muon | by_adamw == set(names.values())
    assert not by_muon & by_adamw
    assert any("attention" in name for name in by_muon)
    assert not any(key in name for name in by_muon for key in ("head.", "patch", "conditioner"))
    assert {model.get_parameter(name).ndim for name in by_muon} == {2, 4}
    assert all(name.endswith(".weight") for name in by_muon)
    set_rate([rest, matrices], 1e-3, config)
    assert [each.param_groups[0]["lr"] for each in (rest, matrices)] == [1e-3, 5e-4]
    assert matrices.param_groups[0]["weight_decay"] == 0.01


@pytest.mark.parametrize(("scale", "clip_norm"), [(1.0, 100.0), (50.0, 1.0)])
def test_the_norm_is_that_before_clipping(scale: float, clip_norm: float) -> None:
    torch.manual_seed(0)
    module = nn.Linear(3, 3)
    (scale * module(torch.ones(1, 3)).sum()).backward()
    parameters = list(module.parameters())
    norm = gradient_norm(parameters)
    assert float(norm) == pytest.approx(scale * math.sqrt(12), rel=1e-5)
    clip_gradients(parameters, norm, clip_norm)
    assert float(gradient_norm(parameters)) == pytest.approx(min(float(norm), clip_norm), rel=1e-4)
