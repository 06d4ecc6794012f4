"""A study of one picture: everything is computed once, rungs share their noise, figures agree with one another."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.helpers.desk import SAMPLING, Counted
from tests.helpers.tiny import simple_pictures, tiny_config, tiny_model
from tests.helpers.tiny_clips import clip_config
from ul_engine.comparison import Rung, Study, StudyMemory
from ul_engine.config import ModelConfig, PriorConfig
from ul_engine.data.pixels import Uint8Array, array_from_clips, clip_from_array
from ul_engine.diffusion.parameterization import unit_variance_scale
from ul_engine.errors import CheckpointError, ConfigError
from ul_engine.metrics.distortion import psnr_db
from ul_engine.models.unified import UnifiedLatents
from ul_engine.objectives import picture_schedule_of
from ul_engine.pipelines import Pipeline
from ul_engine.requests import SamplerName, SamplerSettings

CPU = torch.device("cpu")
NATIVE = Rung(5.0)
PICTURE = simple_pictures(1)
PICTURE_BYTES = 16 * 16 * 3


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(tiny_model(), CPU)


@pytest.fixture(scope="module")
def fresh() -> Pipeline:
    """Networks that predict v = 0: the ideal denoisers of unit Gaussian data."""
    torch.manual_seed(0)
    return Pipeline(UnifiedLatents(tiny_config()).eval().requires_grad_(False), CPU)


def study_of(pipeline: Pipeline, original: Uint8Array = PICTURE, **options: Any) -> Study:
    return Study(pipeline, original, **({"sampling": SAMPLING, "bitrate_times": 4} | options))


def psnr(study: Study, picture: Uint8Array) -> float:
    return float(psnr_db(study.x, clip_from_array(picture)))


# ---- once -----------------------------------------------------------------------------------------------------------


def test_nothing_is_computed_twice(pipeline: Pipeline) -> None:
    study = study_of(pipeline)
    model, patches = pipeline.model, pipeline.model.encoder.patchify  # the encoder is not called as a module
    rungs = [NATIVE, Rung(2.0), Rung(7.0), Rung(5.0, -2.0)]
    with Counted(patches) as encoded, Counted(model.prior) as restored, Counted(model.decoder) as decoded:
        first = [study.picture(rung) for rung in rungs]
        draws = [study.picture(NATIVE, draw=draw) for draw in range(3)]
        study.bits_per_pixel()
        counts = len(encoded), len(restored), len(decoded)
        assert counts == (1, 1 + 4, 3 * 4 + 3 + 2 * 4)  # 2 is a fifth of the way up, -2 two thirds
        assert all(study.picture(rung) is picture for rung, picture in zip(rungs, first, strict=True))
        assert study.picture(NATIVE, draw=2) is draws[2]
        study.spread(NATIVE, 3)
        study.bits_per_dim()
        study.bit_map()
        study.band_bits()
        study.bitrate()
        assert (len(encoded), len(restored), len(decoded)) == counts


def test_the_least_recently_used_decode_goes_first(pipeline: Pipeline) -> None:
    study = study_of(pipeline, memory=StudyMemory(2 * PICTURE_BYTES))
    a, b, c = Rung(5.0), Rung(4.0), Rung(3.0)
    study.picture(a)
    study.picture(b)
    study.picture(a)
    assert [study.is_cached(rung) for rung in (a, b, c)] == [True, True, False]
    study.picture(c)
    assert [study.is_cached(rung) for rung in (a, b, c)] == [True, False, True]
    assert not study.is_cached(a, draw=1)
    first = study.picture(b)
    assert [study.is_cached(rung) for rung in (a, b, c)] == [False, True, True]
    study.picture(a)
    study.picture(c)
    assert np.array_equal(study.picture(b), first)


def test_a_decode_larger_than_the_cache_is_kept_until_the_next(pipeline: Pipeline) -> None:
    study = study_of(pipeline, memory=StudyMemory(1))
    picture = study.picture(NATIVE)
    assert study.picture(NATIVE) is picture
    study.picture(Rung(4.0))
    assert not study.is_cached(NATIVE)
    assert np.array_equal(study.picture(NATIVE), picture)


def test_the_latent_of_a_level_goes_with_its_last_decode(pipeline: Pipeline) -> None:
    study = study_of(pipeline, memory=StudyMemory(2 * PICTURE_BYTES))
    kept = study.memory.latents
    low, from_picture = Rung(3.0), Rung(5.0, -2.0)
    study.picture(low)
    study.picture(NATIVE)
    assert set(kept) == {3.0, 5.0}
    study.picture(from_picture)  # lets go of the low rung, and of all that was decoded of it
    assert set(kept) == {5.0}
    study.picture(low, draw=1)  # lets go of the native rung, whose latent another one still needs
    assert set(kept) == {5.0, 3.0}
    study.picture(low)  # ... and now of that one
    assert set(kept) == {3.0}
    with Counted(pipeline.model.prior) as restored:
        study.latent(3.0)
    assert not restored


def test_latents_and_bounds_are_counted(pipeline: Pipeline) -> None:
    memory = StudyMemory()
    study = study_of(pipeline, memory=memory)
    assert memory.num_bytes == 0
    z_clean = study.z_clean
    assert memory.num_bytes == z_clean.nbytes
    study.latent(5.0)
    study.latent(2.0)
    assert memory.num_bytes == 3 * z_clean.nbytes
    study.bits_per_pixel()
    assert memory.num_bytes > 3 * z_clean.nbytes
    before = memory.num_bytes
    study.picture(NATIVE)
    assert memory.num_bytes == before + PICTURE_BYTES


@pytest.mark.gpu
def test_nothing_that_waits_is_on_the_device() -> None:
    study = study_of(Pipeline(tiny_model().to("cuda"), torch.device("cuda")))
    first = study.picture(Rung(2.0))
    study.bits_per_pixel()
    assert study.memory.encoded is not None
    kept = [*study.memory.latents.values(), study.memory.encoded[0]]
    assert {tensor.device.type for tensor in kept} == {"cpu"}
    assert study.latent(2.0).device.type == "cuda"
    study.memory.decodes.clear()
    assert np.array_equal(study.picture(Rung(2.0)), first)


# ---- the latent's ladder --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (13, 27)])
def test_the_native_rung_is_an_ordinary_reconstruction_to_the_bit(pipeline: Pipeline, size: tuple[int, int]) -> None:
    original = np.tile(PICTURE, (1, 1, 2, 1))[:, : size[0], : size[1]]
    study = study_of(pipeline, original, seed=7)
    z_0 = pipeline.native_latent(pipeline.encode(clip_from_array(original)), [7])
    wanted = pipeline.decode(z_0, [7], SAMPLING.decoder, crop_to=size)
    assert study.picture(NATIVE).shape == (1, *size, 3)
    assert np.array_equal(study.picture(NATIVE), array_from_clips(wanted)[0])


def test_all_rungs_of_a_draw_decode_with_the_same_noise(pipeline: Pipeline) -> None:
    """What the decoder is first given is pure noise at its noisiest level: the same for every rung of a draw."""
    study, begun = study_of(pipeline, seed=3), {}
    for draw in (0, 1):
        for level in (7.0, 5.0, 1.0, -3.0):
            with Counted(pipeline.model.decoder) as calls:
                study.picture(Rung(level), draw=draw)
            begun[draw, level] = calls.inputs[0][0]
    for draw in (0, 1):
        assert all(torch.equal(begun[draw, level], begun[draw, 5.0]) for level in (7.0, 1.0, -3.0))
    assert abs(float((begun[0, 5.0] * begun[1, 5.0]).mean())) < 0.15
    other = study_of(pipeline, seed=4)
    with Counted(pipeline.model.decoder) as calls:
        other.picture(NATIVE)
    assert not torch.equal(calls.inputs[0][0], begun[0, 5.0])


def test_equal_latents_give_equal_pictures(fresh: Pipeline) -> None:
    """The decoder of a fresh model sees no latent at all, so that every rung of a draw is one picture."""
    study = study_of(fresh)
    pictures = [study.picture(Rung(level)) for level in (9.0, 5.0, 0.0, -8.0)]
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)
    assert not np.array_equal(study.picture(NATIVE, draw=1), pictures[0])


def test_neighbouring_rungs_are_neighbours(fresh: Pipeline) -> None:
    """The latent's noise is shared as well: just above and just below the native level lies nearly z_0 itself."""
    study = study_of(fresh)
    for level in (5.0 + 1e-4, 5.0 - 1e-4):
        torch.testing.assert_close(study.latent(level), study.latent(5.0), atol=1e-2, rtol=0)


def test_the_ladder_loses_more_and_more_of_the_latent(fresh: Pipeline) -> None:
    """Unit Gaussian data: of z_clean about `alpha^2` is left."""
    study = study_of(fresh, np.tile(PICTURE, (1, 4, 4, 1)))
    z = study.z_clean
    levels = (5.0, 2.0, 0.0, -2.0, -5.0, -10.0)
    left = [float((study.latent(level) * z).mean() / z.square().mean()) for level in levels]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(1.0, abs=0.2)
    assert left[-1] == pytest.approx(0.0, abs=0.25)


def test_below_the_noisiest_level_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(ConfigError, match="below the noisiest level"):
        study_of(pipeline).picture(Rung(-10.5))
    with pytest.raises(ConfigError, match="below the noisiest level"):
        study_of(pipeline).picture(Rung(5.0, -12.0))


def test_which_levels_the_decoder_was_trained_on(pipeline: Pipeline) -> None:
    study = study_of(pipeline)
    assert study.native_logsnr == 5.0
    trained = [study.is_trained_level(rung) for rung in (Rung(5.01), NATIVE, Rung(-10.0), Rung(5.0, -3.0))]
    assert trained == [False, True, True, True]


# ---- the decoder's ladder -------------------------------------------------------------------------------------------


def test_from_the_cleanest_level_the_picture_comes_back(pipeline: Pipeline) -> None:
    study = study_of(pipeline)
    with Counted(pipeline.model.decoder) as calls:
        picture = study.picture(Rung(5.0, 10.0))
    assert len(calls) == 0
    sigma = math.sqrt(1 / (1 + math.exp(10.0)))
    assert psnr(study, picture) == pytest.approx(20 * math.log10(2 / sigma), abs=1.5)  # its noise and 8-bit rounding
    assert psnr(study, study.picture(Rung(5.0, 16.0))) > 55


def test_from_the_noisiest_level_it_is_an_ordinary_decode(pipeline: Pipeline) -> None:
    study = study_of(pipeline)
    level = picture_schedule_of(pipeline.config).logsnr_min
    with Counted(pipeline.model.decoder) as calls:
        started = study.picture(Rung(5.0, level))
    assert len(calls) == SAMPLING.decoder.num_steps
    ordinary = study.picture(NATIVE)
    difference = np.abs(started.astype(int) - ordinary)
    assert difference.mean() < 2.0
    assert np.abs(ordinary.astype(int) - study.original).mean() > 10 * difference.mean()


@pytest.mark.parametrize("name", [SamplerName.DDPM, SamplerName.DPMPP_2M])
def test_the_later_the_decoder_starts_the_nearer_it_stays(fresh: Pipeline, name: SamplerName) -> None:
    sampler = SamplerSettings(name=name, num_steps=24)
    study = study_of(fresh, sampling=SAMPLING.model_copy(update={"decoder": sampler}))
    levels = [-8.0, -5.0, -3.0, -1.0, 1.0, 3.0, 5.0, 7.0, 9.0, 10.0]
    figures = [psnr(study, study.picture(Rung(5.0, level))) for level in levels]
    assert figures == sorted(figures)
    assert figures[-1] > figures[0] + 30


def test_the_decoder_is_given_the_noised_picture(pipeline: Pipeline) -> None:
    """Its input at the first evaluation less the picture is noise of the level's variance, also where the picture was
    padded."""
    original = np.tile(PICTURE, (1, 2, 2, 1))[:, :30, :29]
    study, level = study_of(pipeline, original), torch.tensor(-1.0)
    with Counted(pipeline.model.decoder) as calls:
        study.picture(Rung(5.0, -1.0))
    x_t = calls.inputs[0][0] / unit_variance_scale(level, 0.5)
    noise = x_t[..., :30, :29] - torch.sigmoid(level).sqrt() * study.x
    assert x_t.shape == (1, 3, 1, 32, 32)
    assert float(noise.var()) == pytest.approx(float(torch.sigmoid(-level)), rel=0.06)


# ---- restorers ------------------------------------------------------------------------------------------------------


def test_prior_and_base_model_restore_and_count_by_themselves(pipeline: Pipeline) -> None:
    def traces(study: Study) -> tuple[int, int, bytes, float]:
        with Counted(pipeline.model.prior) as prior, Counted(pipeline.model.base) as base:
            picture = study.picture(Rung(0.0))
            bits = study.bits_per_pixel()
        return len(prior), len(base), picture.tobytes(), bits

    by_default, by_prior, by_base = (traces(study_of(pipeline, restorer=name)) for name in (None, "prior", "base"))
    assert by_default == by_prior
    assert by_prior[:2] == (1 + 4, 0)
    assert by_base[:2] == (0, 1 + 4)
    assert by_prior[2] != by_base[2]
    assert by_prior[3] != by_base[3]
    both = study_of(pipeline)
    assert float(both.bitrate().nats) == pytest.approx(by_prior[3] * math.log(2) * 256)
    assert float(both.bitrate(restorer="base").nats) == pytest.approx(by_base[3] * math.log(2) * 256)


def test_a_single_stage_model_is_restored_by_its_base_model() -> None:
    single = Pipeline(tiny_model(tiny_config(training="single-elbo")), CPU)
    study = study_of(single)
    assert study.restorer == "base"
    with Counted(single.model.base) as calls:
        study.picture(Rung(0.0))
        study.bits_per_pixel()
    assert len(calls) == 1 + 4
    with pytest.raises(CheckpointError, match="no prior"):
        study_of(single, restorer="prior").picture(Rung(0.0))


# ---- bits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [tiny_config(), clip_config(2)], ids=["picture", "clip"])
def test_bits_in_space_and_by_level_sum_to_the_whole(config: ModelConfig) -> None:
    pipeline = Pipeline(tiny_model(config), CPU)
    original = np.concatenate([np.tile(PICTURE, (1, 2, 1, 1))[:, :23]] * config.num_frames)
    study = study_of(pipeline, original, bitrate_times=16)
    total = float(study.bitrate().nats) / math.log(2)
    cells = study.bit_map()
    assert study.num_pixels == 23 * 16 * config.num_frames
    assert cells.shape == study.z_clean.shape[2:]
    assert cells.dtype == np.float32
    assert float(cells.sum(dtype=np.float64)) == pytest.approx(total, rel=1e-5)
    assert study.bits_per_pixel() * study.num_pixels == pytest.approx(total, rel=1e-5)
    assert study.bits_per_dim() * study.z_clean.numel() == pytest.approx(total, rel=1e-5)
    bands = study.band_bits()
    terminal = float(study.bitrate().terminal_nats) / math.log(2)
    assert sum(bits for _, _, bits in bands) + terminal == pytest.approx(total, rel=1e-5)
    assert (bands[0][0], bands[-1][1]) == (-10.0, 5.0)
    assert all(first[1] == second[0] for first, second in pairwise(bands))


def test_bits_of_a_normal_prior_are_exact_and_have_no_bands() -> None:
    prior = PriorConfig(kind="normal", width=32, num_blocks=2, head_channels=16)
    study = study_of(Pipeline(tiny_model(tiny_config(prior=prior)), CPU))
    assert float(study.bit_map().sum()) == pytest.approx(study.bits_per_pixel() * 256, rel=1e-5)
    assert study.band_bits() == [(-10.0, 5.0, 0.0)]


def test_counting_bits_can_be_watched(pipeline: Pipeline) -> None:
    steps: list[int] = []
    study = study_of(pipeline)
    study.bits_per_pixel(lambda: steps.append(1))
    study.bits_per_pixel(lambda: steps.append(1))
    assert len(steps) == 4


# ---- several decodes ------------------------------------------------------------------------------------------------


def test_the_spread_of_several_decodes(pipeline: Pipeline) -> None:
    study = study_of(pipeline)
    spread = study.spread(Rung(5.0, -2.0), 5)
    decodes = np.stack([study.picture(Rung(5.0, -2.0), draw=draw) for draw in range(5)]).astype(np.float64)
    assert len({decode.tobytes() for decode in decodes}) == 5
    assert spread.num_decodes == 5
    assert np.array_equal(spread.mean, np.rint(decodes.mean(0)))
    np.testing.assert_allclose(spread.deviation, np.sqrt(decodes.var(0, ddof=1).mean(-1)), rtol=1e-5)


def test_the_mean_scores_no_less_than_the_decodes_on_average(pipeline: Pipeline) -> None:
    """The squared error of a mean is at most the mean of the squared errors, and less by what they differ."""
    study = study_of(pipeline)
    spread = study.spread(NATIVE, 8)
    singles = [psnr(study, study.picture(NATIVE, draw=draw)) for draw in range(8)]
    assert psnr(study, spread.mean) > max(np.mean(singles), singles[0])


def test_decodes_of_one_latent_differ_only_in_the_decoder(pipeline: Pipeline) -> None:
    study, seen = study_of(pipeline), list[Tensor]()
    for draw in range(3):
        with Counted(pipeline.model.decoder) as calls:
            study.picture(NATIVE, draw=draw)
        seen.append(calls.inputs[0][2])
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])


# ---- clips ----------------------------------------------------------------------------------------------------------


def test_a_clip_of_any_length_and_size() -> None:
    """5 frames of 13 x 18 pixels under a model of 8 at once, 2 frames and 8 x 8 pixels to a cell."""
    pipeline = Pipeline(tiny_model(clip_config(2)), CPU)
    frames = np.random.default_rng(0).integers(0, 256, (5, 13, 18, 3), dtype=np.uint8)
    study = study_of(pipeline, frames)
    for rung in (NATIVE, Rung(1.0), Rung(5.0, 0.0)):
        assert study.picture(rung).shape == (5, 13, 18, 3)
    assert study.bit_map().shape == (3, 2, 3)
    assert study.spread(NATIVE, 2).deviation.shape == (5, 13, 18)
    assert psnr(study, study.picture(Rung(5.0, 10.0))) > 40
