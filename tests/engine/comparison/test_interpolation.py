"""Ways between seeds, prompts and pictures: their ends are what they lead from and to, and noise stays noise."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from tests.helpers.desk import SAMPLING, Counted
from tests.helpers.tiny import class_conditioning, simple_pictures, text_conditioning, tiny_config, tiny_model
from tests.helpers.tiny_clips import clip_config
from ul_engine.comparison import interpolate_pictures, interpolate_prompts, interpolate_seeds
from ul_engine.data.pixels import clip_from_array
from ul_engine.diffusion.noise import BlendedSeed, Seed, SeededNoise, derived_seed
from ul_engine.errors import ShapeError
from ul_engine.pipelines import Pipeline

CPU = torch.device("cpu")
SHARES = (0.0, 0.3, 0.7, 1.0)
SIZE = (16, 20)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(tiny_model(tiny_config(conditioning=text_conditioning())), CPU)


def generated(pipeline: Pipeline, seeds: Sequence[Seed], prompts: Sequence[str]) -> Tensor:
    condition = pipeline.model.condition_from_prompts(list(prompts))
    z_0 = pipeline.sample_latents(seeds, (1, 4, 5), condition, SAMPLING.base, SAMPLING.guidance)
    return pipeline.decode(z_0, seeds, SAMPLING.decoder, crop_to=SIZE)


# ---- noise ----------------------------------------------------------------------------------------------------------


def noise_of(*seeds: Seed, draws: int = 1) -> Tensor:
    source = SeededNoise(seeds, "base", shape=(200, 200))
    return torch.stack([source.draw() for _ in range(draws)])[-1]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("draws", [1, 3])
def test_blended_noise_is_standard_normal_and_turns_from_one_to_the_other(share: float, draws: int) -> None:
    first, second, blended = noise_of(1, 2, BlendedSeed(1, 2, share), draws=draws)
    assert float(blended.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(blended.var()) == pytest.approx(1.0, abs=0.02)
    angle = share * math.pi / 2
    assert float((blended * first).mean()) == pytest.approx(math.cos(angle), abs=0.02)
    assert float((blended * second).mean()) == pytest.approx(math.sin(angle), abs=0.02)


def test_at_its_ends_it_is_one_seeds_own() -> None:
    first, second, start, end = noise_of(1, 2, BlendedSeed(1, 2, 0.0), BlendedSeed(1, 2, 1.0))
    assert torch.equal(start, first)
    assert torch.equal(end, second)


# Once: a seed blended with itself was cos + sin times its noise, of up to twice the variance.
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_seed_blended_with_itself_stays_itself(share: float) -> None:
    own, blended = noise_of(3, BlendedSeed(3, 3, share))
    assert torch.equal(own, blended)


def test_uses_of_a_blend_are_blends_of_uses() -> None:
    derived = derived_seed(BlendedSeed(1, 2, 0.3), "window 1")
    assert derived == BlendedSeed(int(derived_seed(1, "window 1")), int(derived_seed(2, "window 1")), 0.3)  # type: ignore[arg-type]


# ---- seeds ----------------------------------------------------------------------------------------------------------


def test_between_seeds_the_ends_are_the_seeds_own_pictures(pipeline: Pipeline) -> None:
    condition = pipeline.model.condition_from_prompts(["a red cube"] * 4)
    way = interpolate_seeds(pipeline, SHARES, (5, 9), condition, size=SIZE, sampling=SAMPLING)
    plain = generated(pipeline, [5, 5, 9, 9], ["a red cube"] * 4)
    assert way.shape == (4, 3, 1, *SIZE)
    assert torch.equal(way[0], plain[0])
    assert torch.equal(way[3], plain[3])
    assert not torch.allclose(way[1], way[0], atol=0.05)
    assert not torch.allclose(way[1], way[2], atol=0.05)


def test_back_is_the_same_way(pipeline: Pipeline) -> None:
    there = interpolate_seeds(pipeline, (0.25, 0.5), (5, 9), None, size=SIZE, sampling=SAMPLING)
    back = interpolate_seeds(pipeline, (0.75, 0.5), (9, 5), None, size=SIZE, sampling=SAMPLING)
    torch.testing.assert_close(there, back, atol=1e-4, rtol=0)


@pytest.mark.parametrize("between", ["seeds", "prompts", "pictures", "restored pictures"])
def test_a_step_does_not_depend_on_its_batch(pipeline: Pipeline, between: str) -> None:
    pictures = [clip_from_array(picture[None]) for picture in simple_pictures(2)]

    def way(shares: Sequence[float]) -> Tensor:
        first, second = (
            pipeline.model.condition_from_prompts([prompt] * len(shares)) for prompt in ("red cube", "green sphere")
        )
        if between == "seeds":
            return interpolate_seeds(pipeline, shares, (5, 9), first, size=SIZE, sampling=SAMPLING)
        if between == "prompts":
            return interpolate_prompts(pipeline, shares, (first, second), 5, size=SIZE, sampling=SAMPLING)
        level = 0.0 if between == "restored pictures" else None
        ends = pictures[0], pictures[1]
        return interpolate_pictures(pipeline, shares, ends, 5, sampling=SAMPLING, restore_logsnr=level)

    whole = way(SHARES)
    alone = torch.cat([way([share]) for share in SHARES])
    assert float((whole - alone).abs().max()) <= 2 / 255


# ---- prompts --------------------------------------------------------------------------------------------------------


def test_between_prompts_the_ends_are_the_prompts_own_pictures(pipeline: Pipeline) -> None:
    first, second = (pipeline.model.condition_from_prompts([prompt] * 4) for prompt in ("a red cube", "blue sphere"))
    way = interpolate_prompts(pipeline, SHARES, (first, second), 5, size=SIZE, sampling=SAMPLING)
    level = 1 / 255  # the ends are guided in one batch of twice the size
    torch.testing.assert_close(way[0], generated(pipeline, [5] * 4, ["a red cube"] * 4)[0], atol=level, rtol=0)
    torch.testing.assert_close(way[3], generated(pipeline, [5] * 4, ["blue sphere"] * 4)[3], atol=level, rtol=0)
    assert float((way[1] - way[0]).abs().max()) > 10 * level
    assert float((way[1] - way[2]).abs().max()) > 10 * level


def test_both_prompts_are_asked_at_every_step_and_guidance_once(pipeline: Pipeline) -> None:
    first, second = (pipeline.model.condition_from_prompts([prompt]) for prompt in ("a red cube", "blue sphere"))
    plain = SAMPLING.model_copy(update={"guidance": SAMPLING.guidance.model_copy(update={"weight": 1.0})})
    with Counted(pipeline.model.base) as calls:
        interpolate_prompts(pipeline, [0.5], (first, second), 5, size=SIZE, sampling=plain)
    assert len(calls) == 2 * SAMPLING.base.num_steps


# ---- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (13, 10)])
def test_between_pictures_the_ends_are_their_reconstructions(pipeline: Pipeline, size: tuple[int, int]) -> None:
    ends = [clip_from_array(picture[None])[..., : size[0], : size[1]] for picture in simple_pictures(2)]
    way = interpolate_pictures(pipeline, SHARES, (ends[0], ends[1]), 5, sampling=SAMPLING)
    assert way.shape == (4, 3, 1, *size)
    for index, picture in ((0, ends[0]), (3, ends[1])):
        z_0 = pipeline.native_latent(torch.cat([pipeline.encode(picture)] * 4), [5] * 4)
        wanted = pipeline.decode(z_0, [5] * 4, SAMPLING.decoder, crop_to=size)
        torch.testing.assert_close(way[index], wanted[0], atol=1e-5, rtol=0)
    assert not torch.allclose(way[1], way[2], atol=1e-3)


def test_mixtures_reach_the_decoder_at_the_native_level(pipeline: Pipeline) -> None:
    """`alpha ((1 - share) z_1 + share z_2) + sigma eps`, scaled as the decoder sees it, with one eps for all."""
    pictures = [clip_from_array(picture[None]) for picture in simple_pictures(2)]
    with Counted(pipeline.model.decoder) as calls:
        interpolate_pictures(pipeline, SHARES, (pictures[0], pictures[1]), 5, sampling=SAMPLING)
    seen = calls.inputs[0][2]
    for share, z_0 in zip(SHARES, seen, strict=True):
        torch.testing.assert_close(z_0, (1 - share) * seen[0] + share * seen[3], atol=1e-5, rtol=1e-5)
    alpha_squared = torch.sigmoid(torch.tensor(5.0))
    unit = (alpha_squared * 0.8**2 + 1 - alpha_squared).rsqrt()
    z = [pipeline.encode(picture)[0] for picture in pictures]
    torch.testing.assert_close(seen[3] - seen[0], unit * alpha_squared.sqrt() * (z[1] - z[0]), atol=1e-5, rtol=1e-4)


def test_restoring_goes_through_the_base_model(pipeline: Pipeline) -> None:
    pictures = [clip_from_array(picture[None]) for picture in simple_pictures(2)]
    ends = pictures[0], pictures[1]
    made = {}
    for level, evaluations in ((None, 0), (5.0, 0), (0.0, 1), (-10.0, 3)):
        with Counted(pipeline.model.base) as calls:
            made[level] = interpolate_pictures(pipeline, (0.0, 1.0), ends, 5, sampling=SAMPLING, restore_logsnr=level)
        assert len(calls) == evaluations
    assert not torch.equal(made[0.0], made[None])
    apart = {level: float((pair[0] - pair[1]).abs().mean()) for level, pair in made.items()}
    assert apart[-10.0] < 0.1 * apart[5.0]  # hardly anything of either picture is left


def test_pictures_of_two_sizes(pipeline: Pipeline) -> None:
    first = clip_from_array(simple_pictures(1))
    with pytest.raises(ShapeError, match="one size"):
        interpolate_pictures(pipeline, [0.5], (first, first[..., :12]), 5, sampling=SAMPLING)


# ---- other models ---------------------------------------------------------------------------------------------------


def test_classes_and_no_condition() -> None:
    pipeline = Pipeline(tiny_model(tiny_config(conditioning=class_conditioning(2))), CPU)
    label = pipeline.model.condition_from_class(1, 2)
    told = interpolate_seeds(pipeline, (0.0, 0.5), (1, 2), label, size=SIZE, sampling=SAMPLING)
    untold = interpolate_seeds(pipeline, (0.0, 0.5), (1, 2), None, size=SIZE, sampling=SAMPLING)
    assert not torch.allclose(told, untold, atol=1e-3)


def test_clips_on_the_way_between_seeds() -> None:
    pipeline = Pipeline(tiny_model(clip_config(2)), CPU)
    way = interpolate_seeds(pipeline, (0.0, 0.5), (1, 2), None, size=(16, 16), sampling=SAMPLING)
    assert way.shape == (2, 3, 8, 16, 16)
    ends = [clip_from_array(simple_pictures(3, seed=seed)) for seed in (0, 1)]
    mixed = interpolate_pictures(pipeline, (0.0, 0.5), (ends[0], ends[1]), 1, sampling=SAMPLING)
    assert mixed.shape == (2, 3, 3, 16, 16)
