"""Guidance in one evaluation of twice the batch agrees with guidance in two, and encodings made once with those made
at every evaluation."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import class_conditioning, text_conditioning, tiny_config, tiny_model
from ul_engine.config import VideoConfig
from ul_engine.diffusion.guidance import Denoise, guided, guided_batched
from ul_engine.models.conditioning import Condition, joined_conditions
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import estimate_with_base

INTERVAL = {"logsnr_low": -3.0, "logsnr_high": 1.5}
CLIPS = VideoConfig(num_frames=4, temporal_downsampling=1, context_frames=2)
CONFIGS = {
    "text": tiny_config(conditioning=text_conditioning()),
    "class": tiny_config(conditioning=class_conditioning()),
    "clips": tiny_config(conditioning=text_conditioning(), video=CLIPS),
}


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def condition_of(model: UnifiedLatents) -> Condition:
    if model.config.conditioning.kind == "class":
        return Condition(torch.tensor([[0], [2]]))
    words = model.condition_from_prompts(["a red cube", "blue"])
    if model.config.video is None:
        return words
    return replace(words, frames=drawn(2, 4, 2, 4, 4, seed=3))


def estimate(model: UnifiedLatents, condition: Condition) -> Denoise:
    return lambda z_t, logsnr: estimate_with_base(model.base, z_t, logsnr, model.latent_std, condition)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("logsnr", [-1.0, 4.0])
@pytest.mark.parametrize("weight", [0.0, 1.0, 3.0])
def test_one_evaluation_of_both_is_two_evaluations(kind: str, logsnr: float, weight: float) -> None:
    model = tiny_model(CONFIGS[kind])
    condition, null = condition_of(model), model.base.conditioner.null(2)
    z_t, level = drawn(2, 4, model.config.num_frames, 4, 4, seed=1), torch.full((2,), logsnr)
    conditional = estimate(model, condition)
    apart = guided(conditional, estimate(model, null), weight=weight, **INTERVAL)
    both = estimate(model, joined_conditions(condition, null))
    together = guided_batched(conditional, both, weight=weight, **INTERVAL)
    torch.testing.assert_close(together(z_t, level), apart(z_t, level), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("logsnr", "weight", "sizes"), [(0.0, 2.0, [4]), (0.0, 1.0, [2]), (1.6, 2.0, [2])])
def test_only_one_network_evaluation_is_made(logsnr: float, weight: float, sizes: list[int]) -> None:
    seen = []

    def denoise(x_t: Tensor, level: Tensor) -> Tensor:
        assert len(x_t) == len(level)
        seen.append(len(x_t))
        return x_t * level[:, None]

    guided_batched(denoise, denoise, weight=weight, **INTERVAL)(drawn(2, 3), torch.full((2,), logsnr))
    assert seen == sizes


def test_joined_conditions_hold_both() -> None:
    first, second = Condition(torch.tensor([[5, 6, 0], [7, 0, 0]])), Condition(torch.tensor([[1], [1]]))
    joined = joined_conditions(first, second)
    assert joined.indices.tolist() == [[5, 6, 0], [7, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert joined.frames is None
    assert joined.has_frames is None
    frames = drawn(2, 4, 1, 2, 2)
    with_frames = joined_conditions(second, replace(first, frames=frames))
    assert with_frames.has_frames.tolist() == [False, False, True, True]
    assert torch.equal(with_frames.frames[2:], frames)
    some = replace(first, frames=frames, has_frames=torch.tensor([True, False]))
    assert joined_conditions(some, second).has_frames.tolist() == [True, False, False, False]


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_encoding_made_once_changes_nothing(kind: str) -> None:
    model = tiny_model(CONFIGS[kind])
    condition, z_t = condition_of(model), drawn(2, 4, model.config.num_frames, 4, 4, seed=1)
    encoded = model.base.conditioner.encoded(condition)
    for logsnr in (-2.0, 3.0):
        level = torch.full((2,), logsnr)
        assert torch.equal(model.base(z_t, level, encoded), model.base(z_t, level, condition))


def test_a_known_encoding_is_not_computed_again() -> None:
    model = tiny_model(CONFIGS["text"])
    encoded = model.base.conditioner.encoded(condition_of(model))
    calls = []
    model.base.conditioner.text.register_forward_hook(lambda *_: calls.append(1))
    model.base(drawn(2, 4, 1, 4, 4), torch.zeros(2), encoded)
    assert not calls
    model.base(drawn(1, 4, 1, 4, 4), torch.zeros(1), encoded.rows(0, 1))  # other rows: encoded anew
    assert len(calls) == 1


def test_an_unconditional_model_encodes_nothing() -> None:
    model = tiny_model()
    encoded = model.base.conditioner.encoded(Condition(torch.zeros(2, 0, dtype=torch.int64)))
    assert encoded.encoding.context is None
    assert encoded.encoding.pooled is None
