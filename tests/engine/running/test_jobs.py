"""Requests carried out in this process: sizes, conditions, results, news, and stopping in every phase."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.desk import SAMPLING, Desk
from tests.helpers.tiny import class_conditioning, simple_pictures, tiny_config
from ul_engine import protocol as p
from ul_engine.data.image_files import write_picture
from ul_engine.errors import Cancelled, CheckpointError, ConfigError, DataError
from ul_engine.jobs import reconstructions, run_generate, run_reconstruct
from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.requests import GenerateRequest, GuidanceSettings, ReconstructRequest, SamplerSettings


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_picture(tmp_path / "a.png", simple_pictures(1)[0])
    return tmp_path / "a.png"


# ---- generation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(None, None), (16, 24), (22, 18), (31, 16)])
def test_sizes(desk: Desk, width: int | None, height: int | None) -> None:
    (image,) = desk.generate(width_px=width, height_px=height)
    assert image.shape == (1, height or 16, width or 16, 3)


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_batch_size_changes_nothing(batch_size: int) -> None:
    whole = Desk().generate(prompt="a red cube", num_images=5, seed=3, batch_size=5)
    parts = Desk().generate(prompt="a red cube", num_images=5, seed=3, batch_size=batch_size)
    assert len(parts) == 5
    for first, second in zip(whole, parts, strict=True):
        assert np.abs(first.astype(int) - second).max() <= 1


def test_each_picture_can_be_made_again_alone() -> None:
    three = Desk().generate(prompt="a red cube", num_images=3, seed=10)
    (third,) = Desk().generate(prompt="a red cube", num_images=1, seed=12)
    assert np.abs(three[2].astype(int) - third).max() <= 1


def test_prompt_guidance_seed_and_solver_change_the_picture() -> None:
    def made(**fields: object) -> bytes:
        return Desk().generate(**({"prompt": "a red cube"} | fields))[0].tobytes()

    other_solver = SAMPLING.model_copy(update={"decoder": SamplerSettings(name="ddim", num_steps=4)})
    more_guidance = SAMPLING.model_copy(update={"guidance": GuidanceSettings(weight=6.0)})
    wider = SAMPLING.model_copy(update={"guidance": GuidanceSettings(weight=2.0, logsnr_low=-9.0, logsnr_high=4.9)})
    results = [
        made(),
        made(prompt="a green cube"),
        made(prompt=""),
        made(seed=1),
        made(sampling=other_solver),
        made(sampling=more_guidance),
        made(sampling=wider),
    ]
    assert len(set(results)) == len(results)
    assert made() == results[0]


def test_classes() -> None:
    config = tiny_config(conditioning=class_conditioning(2))
    pictures = [Desk(config).generate(class_label=label)[0].tobytes() for label in (0, 1, None)]
    assert len(set(pictures)) == 3
    with pytest.raises(ConfigError, match="classes 0 to 1"):
        Desk(config).generate(class_label=2)
    with pytest.raises(ConfigError, match="takes no prompt"):
        Desk(config).generate(prompt="red")


def test_what_a_model_cannot_take(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="takes no class"):
        desk.generate(class_label=0)
    with pytest.raises(ConfigError, match="takes no prompt"):
        Desk(tiny_config()).generate(prompt="red")
    with pytest.raises(CheckpointError, match="cannot generate"):
        Desk(without=frozenset(("base",))).generate()


def test_previews_come_while_working_if_asked(desk: Desk) -> None:
    long = SAMPLING.model_copy(update={"base": SamplerSettings(num_steps=200)})
    desk.generate(num_images=2, sampling=long, preview=True, width_px=18)
    previews = [(news, payload) for news, payload in desk.sent if isinstance(news, p.JobPreview)]
    assert previews
    for news, payload in previews:
        assert news.shape == (2, 16, 18, 3)
        assert len(payload) == 2 * 16 * 18 * 3
    without = Desk()
    without.generate()
    assert not any(isinstance(news, p.JobPreview) for news, _ in without.sent)


def test_previews_do_not_change_the_picture() -> None:
    assert np.array_equal(Desk().generate(preview=True)[0], Desk().generate(preview=False)[0])


@pytest.mark.parametrize("stop_after", [0, 2, 5])
def test_generation_stops_when_asked(desk: Desk, stop_after: int) -> None:
    request = GenerateRequest(model="m", sampling=SAMPLING, num_images=4, batch_size=1, preview=False)
    context = desk.context(lambda: len(desk.sent) >= stop_after)
    with pytest.raises(Cancelled):
        run_generate(desk.pipeline, desk.manifest, request, context)
    assert len(desk.sent) == stop_after


# ---- reconstruction -----------------------------------------------------------------------------------------------


def test_reconstructions_carry_true_figures(desk: Desk, picture: Path) -> None:
    (result,) = desk.reconstruct(picture)
    assert result.original.shape == result.picture.shape == (1, 16, 16, 3)
    x = torch.from_numpy(result.original.copy()).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    x_hat = torch.from_numpy(result.picture.copy()).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    assert result.psnr_db == pytest.approx(float(psnr_db(x, x_hat)), abs=0.05)
    assert result.ssim == pytest.approx(float(ssim(x, x_hat)), abs=0.01)
    nats = desk.pipeline.bitrate(desk.pipeline.encode(x), [0], num_times=4).nats
    assert result.bits_per_pixel == pytest.approx(float(nats) / math.log(2) / 256, rel=1e-3)
    assert result.bits_per_dim == pytest.approx(float(nats) / math.log(2) / 64, rel=1e-3)
    assert result.is_trained_level


def test_levels_of_the_ladder(desk: Desk, picture: Path) -> None:
    results = desk.reconstruct(picture, latent_logsnrs=(7.0, 5.0, 2.0, -6.0))
    assert [result.rung.latent_logsnr for result in results] == [7.0, 5.0, 2.0, -6.0]
    assert [result.is_trained_level for result in results] == [False, True, True, True]
    assert len({result.picture.tobytes() for result in results}) == 4
    assert len({result.bits_per_pixel for result in results}) == 1


@pytest.mark.parametrize(("height", "width"), [(13, 27), (16, 16), (40, 12)])
def test_any_size(desk: Desk, tmp_path: Path, height: int, width: int) -> None:
    source = np.tile(simple_pictures(1)[0], (3, 2, 1))[:height, :width]
    write_picture(tmp_path / "a.png", source)
    (result,) = desk.reconstruct(tmp_path / "a.png")
    assert result.picture.shape == (1, height, width, 3)
    assert np.array_equal(result.original[0], source)
    assert math.isfinite(result.ssim)


# Once: see test_protocol_frames. A picture under 11 pixels has no SSIM; the window cannot read the result.
def test_the_result_of_a_very_small_picture_can_be_read(desk: Desk, tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", simple_pictures(1)[0][:6, :9])
    request = ReconstructRequest(model="m", inputs=(str(tmp_path / "a.png"),), sampling=SAMPLING, bitrate_times=2)
    run_reconstruct(desk.pipeline, desk.manifest, request, desk.context())
    ((news, payload),) = [sent for sent in desk.sent if isinstance(sent[0], p.ReconstructionResult)]
    assert len(payload) == 6 * 9 * 3
    assert news.ssim is None
    assert p.decode_news(news.model_dump_json().encode()) == news
    (original,) = desk.news(p.OriginalResult)
    assert list(original.missing_measures) == ["ssim"]
    assert "11 pixels" in original.missing_measures["ssim"]


def test_reconstruction_needs_its_networks(picture: Path) -> None:
    for network, reason in (("encoder", "no encoder"), ("prior", "no prior")):
        with pytest.raises(CheckpointError, match=reason):
            Desk(without=frozenset((network,))).reconstruct(picture)


def test_a_missing_picture_is_named(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.png"):
        desk.reconstruct(tmp_path / "absent.png")


def test_progress_of_reconstructions(desk: Desk, picture: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "other.png", simple_pictures(2)[1])
    desk.reconstruct(picture, tmp_path / "other.png", latent_logsnrs=(5.0, 0.0))
    fractions = [news.fraction for news, _ in desk.sent if isinstance(news, p.JobProgress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert 0 <= fractions[0] < 0.3


# Once: the bitrate (up to 4096 evaluations of the prior) neither looks at the request to stop nor reports
# progress, though the protocol has the phase; everywhere else stopping takes effect within one evaluation.
def test_stopping_takes_effect_while_the_bitrate_is_measured(desk: Desk, picture: Path) -> None:
    evaluations = []
    hook = desk.pipeline.model.prior.register_forward_pre_hook(lambda module, inputs: evaluations.append(1))
    request = ReconstructRequest(model="m", inputs=(str(picture),), sampling=SAMPLING, bitrate_times=64)
    context = desk.context(lambda: len(evaluations) >= 3)
    with pytest.raises(Cancelled):
        list(reconstructions(desk.pipeline, desk.manifest, request, context))
    hook.remove()
    assert len(evaluations) <= 4
