"""Clips of any length: windows are counted, continue exactly, and draw noise of their own."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.helpers.tiny import randomised, text_conditioning, tiny_model
from tests.helpers.tiny_clips import clip_config, deep_config, drawn
from ul_engine.config import ModelConfig
from ul_engine.diffusion.noise import SeededNoise, stream_seed
from ul_engine.diffusion.samplers import SamplerStep
from ul_engine.errors import Cancelled, ConfigError, ShapeError
from ul_engine.models.conditioning import Condition
from ul_engine.models.unified import UnifiedLatents
from ul_engine.pipelines import ClipJob, Phase, Pipeline, continue_clips, generate_clips, num_windows
from ul_engine.requests import GuidanceSettings, SamplerName, SamplerSettings, SamplingSettings

CPU = torch.device("cpu")
STEPS = SamplerSettings(name=SamplerName.DPMPP_2M_SDE, num_steps=2)
SAMPLING = SamplingSettings(base=STEPS, decoder=STEPS, guidance=GuidanceSettings(weight=1.0))
SIZE = (16, 24)


def pipeline_of(config: ModelConfig) -> Pipeline:
    model = randomised(UnifiedLatents(config), gain=1.0).eval().requires_grad_(False)
    model.latent_std.fill_(0.8)
    return Pipeline(model, CPU)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """8 frames at a time, of which 3 may be given; 2 frames per latent frame, so that 3 are padded to 4."""
    return pipeline_of(clip_config(2, num_frames=8, context_frames=3))


def job(*seeds: int, **changes: Any) -> ClipJob:
    return replace(ClipJob(seeds=seeds, size=SIZE, sampling=SAMPLING), **changes)


def clips(batch: int, num_frames: int, seed: int = 0) -> Tensor:
    return torch.tanh(drawn(batch, 3, num_frames, *SIZE, seed=seed))


def largest(difference: Tensor) -> float:
    return float(difference.abs().max())


# ---- counting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("num_frames", "context_frames"), [(8, 3), (8, 7), (8, 1), (16, 5), (4, 2)])
def test_windows_are_as_many_as_are_needed_and_no_more(num_frames: int, context_frames: int) -> None:
    """In closed form: the first gives N frames (N - c where frames are given), each later one N - c."""
    config = clip_config(2, num_frames=num_frames, context_frames=context_frames)
    new = num_frames - context_frames
    for wanted in range(1, 60):
        count = num_windows(config, wanted)
        assert num_frames + (count - 1) * new >= wanted
        assert count == 1 or num_frames + (count - 2) * new < wanted
        for given in (1, context_frames, 100):
            count = num_windows(config, wanted, given=given)
            assert count == -(-wanted // new)


def test_kinetics() -> None:
    """16 frames at once; 5 in, 11 out."""
    config = clip_config(4, num_frames=16, context_frames=5)
    assert [num_windows(config, n) for n in (1, 16, 17, 27, 28)] == [1, 1, 2, 2, 3]
    assert [num_windows(config, n, given=5) for n in (1, 11, 12, 22, 23)] == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("config", [clip_config(2, num_frames=8), deep_config()], ids=["clips", "pictures"])
def test_a_model_that_continues_nothing_says_so(config: ModelConfig) -> None:
    longest = config.num_frames
    assert num_windows(config, longest) == 1
    pipeline = Pipeline(tiny_model(config), CPU)
    assert generate_clips(pipeline, job(1), longest).shape == (1, 3, longest, *SIZE)
    for call in (
        lambda: num_windows(config, longest + 1),
        lambda: num_windows(config, 1, given=3),
        lambda: generate_clips(pipeline, job(1), longest + 1),
        lambda: continue_clips(pipeline, job(1), clips(1, 3), 1),
    ):
        with pytest.raises(ConfigError, match="continues none") as caught:
            call()
        assert caught.value.field == "num_frames"


@pytest.mark.parametrize("num_frames", [0, -1])
def test_no_frames_at_all_are_refused(pipeline: Pipeline, num_frames: int) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        generate_clips(pipeline, job(1), num_frames)
    with pytest.raises(ConfigError, match="at least 1"):
        continue_clips(pipeline, job(1), clips(1, 3), num_frames)


# ---- lengths ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_frames", [1, 2, 3, 7, 8, 9, 13, 14, 19])
def test_any_length(pipeline: Pipeline, num_frames: int) -> None:
    made = generate_clips(pipeline, job(1), num_frames)
    assert made.shape == (1, 3, num_frames, *SIZE)
    assert made.isfinite().all()
    assert float(made.abs().max()) <= 1.0
    assert continue_clips(pipeline, job(1), clips(1, 4), num_frames).shape == made.shape


@pytest.mark.parametrize("size", [(16, 16), (15, 21), (7, 30)])
def test_any_size(pipeline: Pipeline, size: tuple[int, int]) -> None:
    made = generate_clips(pipeline, job(1, size=size), 10)
    assert made.shape == (1, 3, 10, *size)
    assert continue_clips(pipeline, job(1, size=size), made, 3).shape == (1, 3, 3, *size)


@pytest.mark.parametrize("config", [clip_config(1, num_frames=5, context_frames=4), clip_config(4, context_frames=5)])
def test_other_factors(config: ModelConfig) -> None:
    """More frames are given than are new: what is looked at reaches back over several windows."""
    pipeline = pipeline_of(config)
    assert generate_clips(pipeline, job(1), 11).shape[2] == 11
    assert continue_clips(pipeline, job(1), clips(1, 2), 7).shape[2] == 7


# ---- windows ------------------------------------------------------------------------------------------------------


def test_a_clip_of_one_window_is_plain_generation(pipeline: Pipeline) -> None:
    z_0 = pipeline.sample_latents([5], (4, 2, 3), None, STEPS, SAMPLING.guidance)
    wanted = pipeline.decode(z_0, [5], STEPS, crop_to=SIZE)
    assert torch.equal(generate_clips(pipeline, job(5), 8), wanted)
    z_0 = pipeline.sample_latents([5], (3, 2, 3), None, STEPS, SAMPLING.guidance)
    shorter = pipeline.decode(z_0, [5], STEPS, crop_to=SIZE)[:, :, :5]
    assert torch.equal(generate_clips(pipeline, job(5), 5), shorter)


def test_a_longer_clip_begins_as_a_shorter_one(pipeline: Pipeline) -> None:
    longest = generate_clips(pipeline, job(5, 6), 20)
    for num_frames in (8, 9, 13, 14):
        assert torch.equal(generate_clips(pipeline, job(5, 6), num_frames), longest[:, :, :num_frames])
    assert torch.equal(continue_clips(pipeline, job(5, 6), longest[:, :, :8], 12), longest[:, :, 8:])


def test_a_window_knows_only_the_last_frames(pipeline: Pipeline) -> None:
    frames = clips(1, 9)
    made = continue_clips(pipeline, job(5), frames, 5)
    assert torch.equal(continue_clips(pipeline, job(5), frames[:, :, -3:], 5), made)
    older = frames.clone()
    older[:, :, :-3] = 0.5
    assert torch.equal(continue_clips(pipeline, job(5), older, 5), made)
    for index in (-1, -2, -3):
        changed = frames.clone()
        changed[:, :, index] *= -1
        assert largest(continue_clips(pipeline, job(5), changed, 5) - made) > 1e-3


def test_later_windows_know_only_the_frames_before_them(pipeline: Pipeline) -> None:
    """5 new frames a window: the second window sees the last 3 of the first, and nothing given."""
    made = continue_clips(pipeline, job(5), clips(1, 3), 10)
    own = [stream_seed(5, "window 2")]
    told = Condition(torch.zeros(1, 0, dtype=torch.int64), pipeline.context_latent(made[:, :, 2:5], own))
    z_0 = pipeline.sample_latents(own, (4, 2, 3), told, STEPS, SAMPLING.guidance)
    wanted = pipeline.decode(z_0, own, STEPS, crop_to=SIZE)[:, :, 3:]
    assert torch.equal(made[:, :, 5:], wanted)


def test_a_short_clip_counts_as_one_that_stood_still_before(pipeline: Pipeline) -> None:
    frames = clips(2, 2)
    padded = torch.cat((frames[:, :, :1], frames), dim=2)
    made = continue_clips(pipeline, job(5, 6), frames, 4)
    assert torch.equal(continue_clips(pipeline, job(5, 6), padded, 4), made)
    assert continue_clips(pipeline, job(5, 6), frames[:, :, :1], 4).shape == made.shape


def test_given_frames_are_encoded_alone_as_z_0(pipeline: Pipeline) -> None:
    frames = clips(64, 3)
    z_clean = pipeline.encode(frames)
    assert z_clean.shape[2] == 2  # 3 frames, padded to 4
    native = pipeline.context_latent(frames, range(64))
    alpha, sigma = math.sqrt(1 / (1 + math.exp(-5))), math.sqrt(1 / (1 + math.exp(5)))
    eps = SeededNoise(range(64), "context", shape=z_clean.shape[1:]).draw()
    torch.testing.assert_close(native, alpha * z_clean + sigma * eps)
    assert not torch.allclose(native, pipeline.native_latent(z_clean, range(64)), atol=1e-3)  # other noise than its own
    assert torch.equal(pipeline.context_latent(frames, range(64)), native)


# ---- seeds --------------------------------------------------------------------------------------------------------


def test_a_seed_makes_the_same_clip_in_any_batch(pipeline: Pipeline) -> None:
    frames = clips(3, 4)
    together = generate_clips(pipeline, job(3, 7, 2**40), 14)
    onward = continue_clips(pipeline, job(3, 7, 2**40), frames, 9)
    assert torch.equal(generate_clips(pipeline, job(3, 7, 2**40), 14), together)
    for index, seed in enumerate((3, 7, 2**40)):
        alone = generate_clips(pipeline, job(seed), 14)
        assert largest(alone[0] - together[index]) <= 2 / 255
        alone = continue_clips(pipeline, job(seed), frames[index : index + 1], 9)
        assert largest(alone[0] - onward[index]) <= 2 / 255
    assert largest(together[0] - together[1]) > 0.05


def test_windows_draw_noise_of_their_own(pipeline: Pipeline) -> None:
    """The first states of all windows of generating and of continuing are different."""
    states: list[Tensor] = []
    model = pipeline.model.base
    hook = model.register_forward_pre_hook(lambda _, given: states.append(given[0]))
    generate_clips(pipeline, job(5), 8 + 5 + 5)
    assert len(states) == 3 * STEPS.num_steps
    first = [states[index] for index in (0, 2, 4)]
    states.clear()
    continue_clips(pipeline, job(5), clips(1, 3), 5)
    hook.remove()
    for one in range(3):
        for other in range(one):
            correlation = torch.corrcoef(torch.stack((first[one].flatten(), first[other].flatten())))[0, 1]
            assert abs(float(correlation)) < 0.35  # 96 values
    assert torch.equal(states[0], first[1])  # continuing is the second window of generating
    assert not torch.equal(states[0], first[0])


# ---- what all windows share ---------------------------------------------------------------------------------------


def test_words_hold_for_all_windows_beside_the_frames() -> None:
    pipeline = pipeline_of(clip_config(2, context_frames=3, conditioning=text_conditioning()))
    seen: list[Condition | None] = []
    hook = pipeline.model.base.register_forward_pre_hook(lambda _, given: seen.append(given[2]))
    words = pipeline.model.condition_from_prompts(["red cube", "green"])
    generate_clips(pipeline, job(1, 2, condition=words), 14)
    assert all(told is not None and torch.equal(told.indices, words.indices) for told in seen)
    assert [told.frames is not None for told in seen if told is not None] == [False] * 2 + [True] * 4
    seen.clear()
    continue_clips(pipeline, job(1), clips(1, 3), 5)  # without words: the null ones
    hook.remove()
    null = pipeline.model.base.conditioner.null(1)
    assert all(told is not None and torch.equal(told.indices, null.indices) for told in seen)
    assert all(told is not None and told.frames is not None for told in seen)


def test_guidance_changes_a_continuation(pipeline: Pipeline) -> None:
    strong = SAMPLING.model_copy(update={"guidance": GuidanceSettings(weight=4.0, logsnr_low=-20.0, logsnr_high=20.0)})
    plain = continue_clips(pipeline, job(5), clips(1, 3), 5)
    assert largest(continue_clips(pipeline, job(5, sampling=strong), clips(1, 3), 5) - plain) > 1e-3


def test_each_window_is_watched_and_may_be_stopped(pipeline: Pipeline) -> None:
    heard: list[tuple[int, Phase, int]] = []

    def observe(window: int) -> Any:
        def hear(phase: Phase, step: SamplerStep) -> None:
            heard.append((window, phase, step.index))
            if (window, phase) == (2, "decoder"):
                raise Cancelled

        return hear

    with pytest.raises(Cancelled):
        generate_clips(pipeline, job(5, observe=observe), 30)
    whole = [(phase, step) for phase in ("base", "decoder") for step in (1, 2)]
    assert heard == [(window, *each) for window in range(3) for each in whole][:-1]
    heard.clear()
    continue_clips(pipeline, job(5, observe=observe), clips(1, 3), 10)
    assert sorted({window for window, _, _ in heard}) == [0, 1]


# ---- wrong use ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 3, 3, 16, 16), (2, 3, 3, *SIZE), (1, 3, 0, *SIZE)])
def test_clips_that_do_not_fit_the_job_are_refused(pipeline: Pipeline, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected"):
        continue_clips(pipeline, job(1), torch.zeros(shape), 5)
