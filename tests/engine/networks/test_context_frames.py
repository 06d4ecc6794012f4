"""Frames a base model continues from: hidden they are not there, seen they stand where the target repeats them."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import class_conditioning, randomised, text_conditioning
from tests.helpers.tiny_clips import clip_config, deep_config, drawn
from ul_engine.config import ConditioningConfig, ModelConfig
from ul_engine.errors import ConfigError
from ul_engine.models.conditioning import Condition, drop_condition
from ul_engine.models.sequence import TokenSequence
from ul_engine.models.unified import UnifiedLatents
from ul_engine.models.vit import BaseModel
from ul_engine.nn.blocks import TransformerBlock
from ul_engine.nn.rotary import Rotary
from ul_engine.objectives import estimate_with_base, stage2_nats
from ul_engine.pipelines import Pipeline
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings

LEVELS = torch.tensor([0.5, 0.5, 0.5])
GRID = (4, 3, 2)
Z = drawn(3, 4, *GRID)
FRAMES = drawn(3, 4, 2, 3, 2, seed=1)
EVERYBODY, NOBODY = torch.ones(3, dtype=torch.bool), torch.zeros(3, dtype=torch.bool)


def config_of(conditioning: ConditioningConfig | None = None) -> ModelConfig:
    changes = {} if conditioning is None else {"conditioning": conditioning}
    return clip_config(2, context_frames=3, **changes)


def base_of(conditioning: ConditioningConfig | None = None) -> BaseModel:
    return randomised(BaseModel(config_of(conditioning)), gain=1.0).eval()


@pytest.fixture(scope="module")
def base() -> BaseModel:
    return base_of().requires_grad_(False)


def no_words(batch: int = 3) -> Tensor:
    return torch.zeros(batch, 0, dtype=torch.int64)


def largest(difference: Tensor) -> float:
    return float(difference.abs().max())


# ---- seen and hidden ----------------------------------------------------------------------------------------------


def test_frames_change_the_answer_and_so_does_each_of_them(base: BaseModel) -> None:
    without = base(Z, LEVELS)
    seen = base(Z, LEVELS, Condition(no_words(), FRAMES))
    assert largest(seen - without) > 1e-2
    for index in range(2):
        other = FRAMES.clone()
        other[:, :, index] += 1.0
        assert largest(base(Z, LEVELS, Condition(no_words(), other)) - seen) > 1e-3
    swapped = base(Z, LEVELS, Condition(no_words(), FRAMES.flip(2)))
    assert largest(swapped - seen) > 1e-3


def test_hidden_frames_are_as_if_there_were_none(base: BaseModel) -> None:
    hidden = base(Z, LEVELS, Condition(no_words(), FRAMES, NOBODY))
    torch.testing.assert_close(hidden, base(Z, LEVELS), rtol=1e-5, atol=1e-6)
    other = base(Z, LEVELS, Condition(no_words(), 100 * FRAMES, NOBODY))
    torch.testing.assert_close(other, hidden, rtol=1e-5, atol=1e-6)
    everybody = base(Z, LEVELS, Condition(no_words(), FRAMES, EVERYBODY))
    torch.testing.assert_close(everybody, base(Z, LEVELS, Condition(no_words(), FRAMES)), rtol=1e-5, atol=1e-6)


def test_frames_are_hidden_sample_by_sample(base: BaseModel) -> None:
    mixed = base(Z, LEVELS, Condition(no_words(), FRAMES, torch.tensor([True, False, True])))
    seen, hidden = base(Z, LEVELS, Condition(no_words(), FRAMES)), base(Z, LEVELS)
    torch.testing.assert_close(mixed, torch.stack((seen[0], hidden[1], seen[2])), rtol=1e-5, atol=1e-6)


def test_training_takes_the_same_path(base: BaseModel) -> None:
    with torch.no_grad():
        quiet = base(Z, LEVELS, Condition(no_words(), FRAMES, torch.tensor([True, False, True])))
    loud = base(
        Z.clone().requires_grad_(True), LEVELS, Condition(no_words(), FRAMES, torch.tensor([True, False, True]))
    )
    torch.testing.assert_close(loud.detach(), quiet, rtol=1e-4, atol=1e-5)


def test_gradients_reach_the_mark_only_where_frames_are_seen() -> None:
    base = base_of()
    for has_frames, is_reached in ((EVERYBODY, True), (None, True), (NOBODY, False)):
        base.zero_grad()
        base(Z, LEVELS, Condition(no_words(), FRAMES, has_frames)).square().sum().backward()
        assert base.frame_mark is not None
        assert base.frame_mark.grad is not None
        assert (largest(base.frame_mark.grad) > 1e-3) == is_reached


# ---- where they stand ---------------------------------------------------------------------------------------------


def test_frame_k_of_the_context_has_the_position_of_frame_k_of_the_target() -> None:
    cells = 6
    sequence = TokenSequence(torch.zeros(1, (2 + 4) * cells, 8), GRID, 2, None)
    for stride in (1.0, 2.0):
        rotary = sequence.rotary(16, stride)
        context, target = rotary.cos[: 2 * cells], rotary.cos[2 * cells :]
        assert torch.equal(context, target[: 2 * cells])
        assert torch.equal(rotary.sin[: 2 * cells], rotary.sin[2 * cells : 4 * cells])
        assert not torch.equal(context[:cells], target[cells : 2 * cells])
    assert torch.equal(sequence.target(torch.arange(36).view(1, 36, 1)), torch.arange(12, 36).view(1, 24, 1))


def test_both_levels_are_told_positions_of_all_their_tokens(base: BaseModel) -> None:
    seen: list[tuple[int, Rotary]] = []
    hooks = [
        module.register_forward_pre_hook(lambda _, given: seen.append((given[0].shape[1], given[2])))
        for module in base.modules()
        if isinstance(module, TransformerBlock)
    ]
    base(Z, LEVELS, Condition(no_words(), FRAMES, NOBODY))
    for hook in hooks:
        hook.remove()
    assert [count for count, _ in seen] == [6 * 4 * 2, 6 * 2 * 1, 6 * 4 * 2]  # 3 x 2 cells are padded to 4 x 2
    assert all(len(rotary.cos) == count for count, rotary in seen)


def test_frames_that_repeat_the_whole_target_without_a_mark_add_nothing() -> None:
    """Every key is there twice, at the same place: the softmax gives the same mix. So places and levels are right."""
    base = base_of().requires_grad_(False)
    assert base.frame_mark is not None
    told = Condition(no_words(), Z)
    assert largest(base(Z, LEVELS, told) - base(Z, LEVELS)) > 1e-3
    base.frame_mark.zero_()
    torch.testing.assert_close(base(Z, LEVELS, told), base(Z, LEVELS), rtol=1e-4, atol=1e-5)
    shifted = Condition(no_words(), Z.roll(1, dims=2))
    assert largest(base(Z, LEVELS, shifted) - base(Z, LEVELS)) > 1e-3


@pytest.mark.parametrize("size", [(1, 1), (2, 4), (3, 3), (5, 2)])
@pytest.mark.parametrize("num_context", [1, 2, 5])
def test_any_grid_and_any_number_of_frames(base: BaseModel, size: tuple[int, int], num_context: int) -> None:
    z, frames = drawn(2, 4, 3, *size), drawn(2, 4, num_context, *size, seed=1)
    v_hat = base(z, LEVELS[:2], Condition(no_words(2), frames))
    assert v_hat.shape == z.shape
    assert v_hat.isfinite().all()


def test_frames_are_scaled_as_what_they_are_z_0(base: BaseModel) -> None:
    """Whatever the level of the target, the frames are at log-SNR 5."""
    seen: list[tuple[Tensor, Condition]] = []
    hook = base.register_forward_pre_hook(lambda _, given: seen.append((given[0], given[2])))
    logsnr, std = torch.tensor([-6.0, 0.0, 4.0]), torch.tensor(0.6)
    estimate_with_base(base, Z, logsnr, std, Condition(no_words(), FRAMES, EVERYBODY))
    hook.remove()
    ((z_t, told),) = seen
    native = 1 / (1 + math.exp(-5))
    torch.testing.assert_close(told.frames, FRAMES / math.sqrt(native * 0.36 + 1 - native))
    scale = (torch.sigmoid(logsnr) * 0.36 + torch.sigmoid(-logsnr)).rsqrt().view(3, 1, 1, 1, 1)
    torch.testing.assert_close(z_t, Z * scale)
    assert told.has_frames is EVERYBODY


# ---- with words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_frames", [None, [True, False, True], [False, False, False]])
def test_frames_and_words_together(has_frames: list[bool] | None) -> None:
    """Prompts of different lengths and frames that only some see: each row is what it is alone, unpadded, unhidden."""
    config = config_of(text_conditioning())
    model = UnifiedLatents(config, networks=frozenset(("base",)))
    base = randomised(model.base, gain=1.0).eval().requires_grad_(False)
    words = model.condition_from_prompts(["red cube", "", "a blue sphere on a red floor"])
    mask = torch.tensor(has_frames) if has_frames is not None else None
    whole = base(Z, LEVELS, replace(words, frames=FRAMES, has_frames=mask))
    for row, length in enumerate((2, 1, 6)):
        alone = Condition(words.indices[row : row + 1, :length], FRAMES[row : row + 1])
        if mask is not None and not mask[row]:
            alone = replace(alone, frames=None)
        torch.testing.assert_close(base(Z[row : row + 1], LEVELS[:1], alone)[0], whole[row], rtol=1e-4, atol=1e-5)
    silent = base(Z, LEVELS, replace(model.condition_from_prompts([""] * 3), frames=FRAMES, has_frames=mask))
    assert largest(silent[0] - whole[0]) > 1e-3


def test_a_class_and_frames_together() -> None:
    base = base_of(class_conditioning(2)).requires_grad_(False)
    first, second = (Condition(torch.full((3, 1), label), FRAMES, NOBODY) for label in (0, 1))
    assert largest(base(Z, LEVELS, first) - base(Z, LEVELS, second)) > 1e-3
    torch.testing.assert_close(
        base(Z, LEVELS, first), base(Z, LEVELS, replace(first, frames=None)), rtol=1e-5, atol=1e-6
    )


def test_every_parameter_takes_part() -> None:
    config = config_of(text_conditioning())
    model = UnifiedLatents(config, networks=frozenset(("base",)))
    randomised(model.base)
    words = model.condition_from_prompts(["red cube", "", "a blue sphere"])
    model.base(
        Z, LEVELS, replace(words, frames=FRAMES, has_frames=torch.tensor([True, True, False]))
    ).square().sum().backward()
    silent = [n for n, p in model.base.named_parameters() if p.grad is None or float(p.grad.abs().max()) == 0]
    assert silent == []


def test_the_loss_is_told_the_frames() -> None:
    base = base_of().requires_grad_(False)
    t, eps = torch.tensor([0.2, 0.5, 0.8]), drawn(*Z.shape, seed=3)

    def nats(condition: Condition | None) -> Tensor:
        std = torch.tensor(0.9)
        return stage2_nats(base, Z, t, eps, config=config_of(), latent_std=std, condition=condition)

    told = nats(Condition(no_words(), FRAMES, torch.tensor([True, False, True])))
    untold = nats(None)
    torch.testing.assert_close(told[1], untold[1], rtol=1e-4, atol=1e-4)
    assert (told - untold).abs()[[0, 2]].min() > 1e-3


# ---- dropping, moving, wrong use ----------------------------------------------------------------------------------


def test_dropping_words_and_frames() -> None:
    condition = Condition(torch.tensor([[5], [6], [7]]), FRAMES)
    null = Condition(torch.tensor([[9], [9], [9]]))
    is_dropped, lost = torch.tensor([True, False, False]), torch.tensor([False, True, False])
    plain = drop_condition(condition, null, is_dropped)
    assert plain.has_frames is None
    assert plain.frames is FRAMES
    dropped = drop_condition(condition, null, is_dropped, are_frames_dropped=lost)
    assert dropped.indices.tolist() == [[9], [6], [7]]
    assert dropped.has_frames is not None
    assert dropped.has_frames.tolist() == [True, False, True]
    again = drop_condition(dropped, null, NOBODY, are_frames_dropped=torch.tensor([False, False, True]))
    assert again.has_frames is not None
    assert again.has_frames.tolist() == [True, False, False]
    without_words = drop_condition(Condition(no_words(), FRAMES), Condition(no_words()), is_dropped)
    assert without_words.indices.shape == (3, 0)


def test_rows_and_devices_take_everything_along() -> None:
    condition = Condition(torch.tensor([[5], [6], [7]]), FRAMES, torch.tensor([True, False, True]))
    rows = condition.rows(1, 3)
    assert rows.indices.tolist() == [[6], [7]]
    assert torch.equal(rows.frames, FRAMES[1:])
    assert rows.has_frames.tolist() == [False, True]
    moved = condition.to("meta")
    assert moved.indices.is_meta
    assert moved.frames.is_meta
    assert moved.has_frames.is_meta
    assert Condition(torch.tensor([[5]])).to("meta").frames is None


@pytest.mark.parametrize("config", [deep_config(), clip_config(2)], ids=["pictures", "clips"])
def test_frames_given_to_a_model_that_continues_none_are_refused(config: ModelConfig) -> None:
    with pytest.raises(ConfigError, match="continues no frames") as caught:
        BaseModel(config)(Z, LEVELS, Condition(no_words(), FRAMES))
    assert caught.value.field == "video.context_frames"


# ---- guidance -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["none", "text"])
def test_guidance_contrasts_with_neither_words_nor_frames(kind: str) -> None:
    config = config_of(text_conditioning() if kind == "text" else None)
    model = randomised(UnifiedLatents(config), gain=1.0).eval().requires_grad_(False)
    model.latent_std.fill_(0.8)
    pipeline = Pipeline(model, torch.device("cpu"))
    words = model.condition_from_prompts(["red", "cube"]) if kind == "text" else Condition(no_words(2))
    told = replace(words, frames=FRAMES[:2])
    seen: list[Condition | None] = []
    hook = model.base.register_forward_pre_hook(lambda _, given: seen.append(given[2]))
    settings = SamplerSettings(name=SamplerName.DDIM, num_steps=1)
    interval = GuidanceSettings(weight=3.0, logsnr_low=-20.0, logsnr_high=20.0)
    pipeline.sample_latents([1, 2], GRID, told, settings, interval)
    hook.remove()
    (joined,) = seen
    assert joined is not None
    assert joined.has_frames is not None
    assert joined.has_frames.tolist() == [True, True, False, False]
    if kind == "text":
        length = words.indices.shape[1]
        assert torch.equal(joined.indices[:2], words.indices)
        assert torch.equal(joined.indices[2:], model.base.conditioner.null(2, length).indices)


def test_small_and_large_batches_are_guided_alike() -> None:
    """Both conditions in one evaluation, or in two: the same clips."""
    model = randomised(UnifiedLatents(config_of(text_conditioning())), gain=1.0).eval().requires_grad_(False)
    pipeline = Pipeline(model, torch.device("cpu"))
    words = model.condition_from_prompts(["red", "cube"] * 5)
    told = replace(words, frames=FRAMES[:1].expand(10, -1, -1, -1, -1))
    settings = SamplerSettings(name=SamplerName.DDIM, num_steps=3)
    interval = GuidanceSettings(weight=3.0, logsnr_low=-20.0, logsnr_high=20.0)
    large = pipeline.sample_latents(range(10), GRID, told, settings, interval)
    small = pipeline.sample_latents(range(2), GRID, told.rows(0, 2), settings, interval)
    torch.testing.assert_close(large[:2], small, atol=1e-4, rtol=1e-4)
