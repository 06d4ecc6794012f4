"""Reconstruction as a job: both ladders, several decodes, bits in space, and any kind of file."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.desk import SAMPLING, Counted, Desk
from tests.helpers.tiny import simple_pictures, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine import protocol as p
from ul_engine.comparison import Rung, spread_of
from ul_engine.comparison.study import Study
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import clip_from_array
from ul_engine.errors import Cancelled, CheckpointError, ConfigError, DataError
from ul_engine.jobs import open_frames
from ul_engine.metrics.distortion import psnr_db
from ul_engine.objectives import latent_schedule_of, picture_schedule_of
from ul_engine.outputs import write_clip
from ul_engine.requests import ReconstructRequest


@pytest.fixture
def desk() -> Desk:
    return Desk(tiny_config())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_picture(tmp_path / "a.png", simple_pictures(1)[0])
    return tmp_path / "a.png"


def request_of(*inputs: Path, **fields: object) -> ReconstructRequest:
    options: dict[str, object] = {"model": "m", "sampling": SAMPLING, "bitrate_times": 4}
    return ReconstructRequest(inputs=tuple(map(str, inputs)), **(options | fields))


# ---- ladders --------------------------------------------------------------------------------------------------------


def test_both_ladders_one_after_the_other(desk: Desk, picture: Path) -> None:
    results = desk.reconstruct(picture, latent_logsnrs=(5.0, 1.0), decoder_logsnrs=(10.0, -2.0))
    assert [result.rung for result in results] == [Rung(5.0), Rung(1.0), Rung(5.0, 10.0), Rung(5.0, -2.0)]
    assert len({result.picture.tobytes() for result in results}) == 4
    assert results[2].psnr_db > 45
    study = Study(desk.pipeline, simple_pictures(1), sampling=SAMPLING)
    for result in results:
        assert np.array_equal(result.picture, study.picture(result.rung))


def test_the_decoders_ladder_alone(desk: Desk, picture: Path) -> None:
    (result,) = desk.reconstruct(picture, latent_logsnrs=(), decoder_logsnrs=(3.0,))
    assert result.rung == Rung(5.0, 3.0)
    assert result.is_trained_level


def test_a_level_asked_twice_is_computed_once(desk: Desk, picture: Path) -> None:
    with Counted(desk.pipeline.model.decoder) as calls:
        first, second = desk.reconstruct(picture, latent_logsnrs=(5.0, 5.0))
    assert len(calls) == SAMPLING.decoder.num_steps
    assert first.picture is second.picture


# Once: a level below the last one there is was found when its turn came, after all others had been computed.
@pytest.mark.parametrize("field", ["latent_logsnrs", "decoder_logsnrs"])
def test_a_level_that_there_is_none_of_is_found_before_the_work(desk: Desk, picture: Path, field: str) -> None:
    with Counted(desk.pipeline.model.prior) as calls, pytest.raises(ConfigError, match=f"{field}: -30 is below"):
        desk.reconstruct(picture, **{field: (5.0, -30.0)})
    assert len(calls) == 0
    lowest = {"latent_logsnrs": -10.0, "decoder_logsnrs": picture_schedule_of(desk.pipeline.config).logsnr_min}[field]
    assert desk.reconstruct(picture, **{field: (lowest,)})


# Once: a decoder that answers at once decoded every rung alike, as if it had begun at the picture.
def test_a_decoder_that_starts_nowhere_has_no_ladder(picture: Path) -> None:
    desk = Desk(tiny_config(decoder_loss={"kind": "mse"}))
    with pytest.raises(ConfigError, match="decoder_logsnrs: this model's decoder answers at once"):
        desk.reconstruct(picture, decoder_logsnrs=(1.0,))
    (result,) = desk.reconstruct(picture, num_decodes=2)
    assert result.spread is not None
    assert not result.spread.deviation.any()


def test_the_base_model_restores_if_asked(desk: Desk, picture: Path) -> None:
    by_prior, by_base = (
        desk.reconstruct(picture, latent_logsnrs=(0.0,), restorer=name)[0] for name in ("prior", "base")
    )
    assert not np.array_equal(by_prior.picture, by_base.picture)
    assert by_prior.bits_per_pixel != by_base.bits_per_pixel
    with pytest.raises(CheckpointError, match="no base model"):
        Desk(without=frozenset(("base",))).reconstruct(picture, restorer="base")
    assert Desk(without=frozenset(("base",))).reconstruct(picture)


# ---- several decodes ------------------------------------------------------------------------------------------------


# Once: the pictures of all decodes were kept at once, and beyond the cache's size each was decoded a second time.
def test_several_decodes_are_made_once_though_the_cache_is_small(
    desk: Desk, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wanted,) = desk.reconstruct(picture, num_decodes=5)
    monkeypatch.setattr(Study.__init__, "__kwdefaults__", Study.__init__.__kwdefaults__ | {"cache_bytes": 16 * 16 * 3})
    with Counted(desk.pipeline.model.decoder) as calls:
        (result,) = desk.reconstruct(picture, num_decodes=5)
    assert len(calls) == 5 * SAMPLING.decoder.num_steps
    assert result.spread is not None
    assert wanted.spread is not None
    assert np.array_equal(result.spread.deviation, wanted.spread.deviation)
    assert np.array_equal(result.picture, wanted.picture)


def test_the_spread_is_that_of_the_studys_draws(desk: Desk, picture: Path) -> None:
    (result,) = desk.reconstruct(picture, num_decodes=4)
    study = Study(desk.pipeline, simple_pictures(1), sampling=SAMPLING)
    draws = [study.picture(Rung(5.0), draw=draw) for draw in range(4)]
    spread = spread_of(draws)
    assert result.spread is not None
    assert np.array_equal(result.picture, draws[0])
    assert np.array_equal(result.spread.mean, spread.mean)
    assert np.array_equal(result.spread.deviation, spread.deviation)
    original, mean = clip_from_array(simple_pictures(1)), clip_from_array(spread.mean)
    assert result.mean_psnr_db == pytest.approx(float(psnr_db(original, mean)))
    singles = [float(psnr_db(original, clip_from_array(draw))) for draw in draws]
    assert result.mean_psnr_db > np.mean(singles)
    (plain,) = desk.reconstruct(picture)
    assert plain.spread is None
    assert plain.mean_psnr_db is None


@pytest.mark.parametrize("px", [16, 32, 64])
def test_levels_can_be_known_without_the_networks(px: int) -> None:
    """The window marks the trained range; it has no schedules, which need torch."""
    config = tiny_config(image_px=px, latent={"channels": 4, "logsnr_max": 4.0, "logsnr_min": -9.0})
    for levels, schedule in (
        (config.latent_levels, latent_schedule_of(config)),
        (config.picture_levels, picture_schedule_of(config)),
    ):
        assert levels.lowest == pytest.approx(schedule.logsnr_min, abs=1e-12)
        assert levels.highest == pytest.approx(schedule.logsnr_max, abs=1e-12)
        assert levels.holds(levels.lowest)
        assert levels.holds(levels.highest)
        assert not levels.holds(levels.highest + 0.01)
        assert not levels.holds(levels.lowest - 0.01)


# ---- what is sent ---------------------------------------------------------------------------------------------------


def test_what_is_sent_for_a_picture(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, latent_logsnrs=(5.0, 0.0), decoder_logsnrs=(0.0,), num_decodes=2))
    kinds = [type(news).__name__ for news, _ in desk.sent if not isinstance(news, p.JobProgress)]
    assert kinds == ["OriginalResult", *["ReconstructionResult", "SpreadResult"] * 3, "BitMapResult"]
    for news, payload in desk.sent:
        if isinstance(news, p.SpreadResult):
            assert news.shape == (1, 16, 16, 3)
            assert len(payload) == 16 * 16 * 3 + 16 * 16 * 4
            deviation = np.frombuffer(payload[16 * 16 * 3 :], np.float32)
            assert news.mean_deviation == pytest.approx(float(np.sqrt(np.square(deviation).mean())), rel=1e-5)
            assert news.num_decodes == 2
        if isinstance(news, p.BitMapResult):
            assert news.shape == (1, 4, 4)
            cells = np.frombuffer(payload, np.float32)
            assert cells.size == 16
            assert float(cells.sum()) == pytest.approx(news.bits_per_pixel * 256, rel=1e-4)
            assert sum(bits for *_, bits in news.bands) < float(cells.sum())
    levels = [(news.latent_logsnr, news.decoder_logsnr) for news in desk.news(p.SpreadResult)]
    assert levels == [(5.0, None), (0.0, None), (5.0, 0.0)]
    assert levels == [(news.latent_logsnr, news.decoder_logsnr) for news in desk.news(p.ReconstructionResult)]


def test_progress_over_inputs_rungs_and_decodes(desk: Desk, picture: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "b.png", simple_pictures(2)[1])
    desk.run(request_of(picture, tmp_path / "b.png", latent_logsnrs=(5.0, 0.0), decoder_logsnrs=(1.0,), num_decodes=3))
    progress = desk.news(p.JobProgress)
    fractions = [news.fraction for news in progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert {news.phase for news in progress} == {"bitrate", "base", "decoder"}


@pytest.mark.parametrize("stop_after", [2, 5, 11, 17])
def test_stopping_anywhere(desk: Desk, picture: Path, stop_after: int) -> None:
    request = request_of(picture, latent_logsnrs=(5.0, -2.0), decoder_logsnrs=(1.0,), num_decodes=2)
    with pytest.raises(Cancelled):
        desk.run(request, lambda: len(desk.sent) >= stop_after)
    assert len(desk.sent) == stop_after


# ---- files ----------------------------------------------------------------------------------------------------------


def test_a_clip_under_a_model_of_clips(tmp_path: Path) -> None:
    desk = Desk(clip_config(2))
    frames = np.concatenate([simple_pictures(11, seed=seed)[:, :14] for seed in (0,)])
    write_clip(tmp_path / "a.mkv", frames, 8)
    desk.run(request_of(tmp_path / "a.mkv", max_frames=5, num_decodes=2, decoder_logsnrs=(10.0,)))
    results = [(news, payload) for news, payload in desk.sent if isinstance(news, p.ReconstructionResult)]
    for news, payload in results:
        assert news.shape == (5, 14, 16, 3)
        assert len(payload) == 5 * 14 * 16 * 3
    assert results[1][0].psnr_db > 40
    ((original, payload),) = [(news, payload) for news, payload in desk.sent if isinstance(news, p.OriginalResult)]
    assert (original.shape, original.fps) == ((5, 14, 16, 3), 8.0)
    assert np.array_equal(np.frombuffer(payload, np.uint8).reshape(original.shape), frames[:5])
    (spread, *_), (bits,) = desk.news(p.SpreadResult), desk.news(p.BitMapResult)
    assert spread.shape == (5, 14, 16, 3)
    assert bits.shape == (3, 2, 2)
    (payload,) = [payload for news, payload in desk.sent if news is spread]
    assert len(payload) == 5 * 14 * 16 * (3 + 4)


def test_a_clip_under_a_model_of_pictures_is_its_first_frame(desk: Desk, tmp_path: Path) -> None:
    frames = simple_pictures(4)
    write_clip(tmp_path / "a.mkv", frames, 8)
    (result,) = desk.reconstruct(tmp_path / "a.mkv")
    assert np.array_equal(result.original, frames[:1])


def test_frames_of_every_kind_of_file(tmp_path: Path) -> None:
    frames = simple_pictures(6)
    for suffix in ("mkv", "webp", "png"):
        place = tmp_path / (f"folder/%03d.{suffix}" if suffix == "png" else f"a.{suffix}")
        write_clip(place, frames, 8, quality=100)
        for path in {place, place.parent if suffix == "png" else place}:
            assert np.array_equal(open_frames(str(path), 4), frames[:4])
            assert len(open_frames(str(path), 100)) == 6
    write_clip(tmp_path / "a.gif", frames, 8)
    assert open_frames(str(tmp_path / "a.gif"), 4).shape == (4, 16, 16, 3)
    one = Image.fromarray(frames[0])
    one.save(tmp_path / "one.gif")
    assert open_frames(str(tmp_path / "one.gif"), 4).shape == (1, 16, 16, 3)


# Once: photographs of phones (JPEGs with a second view inside) and scans of several pages were taken for clips, and
# then refused as "a single picture, no clip".
@pytest.mark.parametrize(("name", "options"), [("a.jpg", {"format": "MPO"}), ("a.tif", {})])
def test_files_of_several_pictures_that_do_not_play(
    desk: Desk, tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    first, second = (Image.fromarray(picture) for picture in simple_pictures(2))
    first.save(tmp_path / name, save_all=True, append_images=[second], **options)
    with Image.open(tmp_path / name) as saved:
        assert getattr(saved, "n_frames", 1) == 2
    assert open_frames(str(tmp_path / name), 8).shape == (1, 16, 16, 3)
    assert math.isfinite(desk.reconstruct(tmp_path / name)[0].psnr_db)


def test_broken_files_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text("text " * 300)
    (tmp_path / "text.mp4").write_text("text " * 300)
    (tmp_path / "empty.png").write_bytes(b"")
    for name, reason in (
        ("text.txt", "is no picture, and as a video it is no video"),
        ("text.mp4", r"text\.mp4: is no video"),
        ("empty.png", "is no picture, and as a video it is empty"),
        ("absent.png", "there is no such file"),
    ):
        with pytest.raises(DataError, match=reason) as caught:
            open_frames(str(tmp_path / name), 4)
        assert str(caught.value).count(str(tmp_path / name)) == 1
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match="no pictures"):
        open_frames(str(tmp_path / "nothing"), 4)
    write_picture(tmp_path / "large.png", simple_pictures(1, size_px=64)[0])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow itself refuses what has twice as many
    with pytest.raises(DataError, match=r"large\.png"):
        open_frames(str(tmp_path / "large.png"), 4)


def test_a_film_that_is_cut_short_gives_what_is_whole(tmp_path: Path) -> None:
    path, frames = tmp_path / "a.mkv", np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), np.uint8)
    write_clip(path, frames, 8)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found = open_frames(str(path), 64)
    assert 0 < len(found) < 20
    assert np.array_equal(found, frames[: len(found)])
