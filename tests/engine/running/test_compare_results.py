"""What Compare is sent beside the pictures: measures by choice, error maps, spreads of bits, latents."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.desk import SAMPLING, Desk
from tests.helpers.tiny import simple_pictures, text_conditioning, tiny_config
from tests.helpers.tiny_clips import clip_config
from ul_engine import protocol as p
from ul_engine.comparison import Study
from ul_engine.comparison.latents import principal_colours
from ul_engine.comparison.meter import Meter
from ul_engine.config import PriorConfig
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import clip_from_array
from ul_engine.metrics import lpips
from ul_engine.metrics.distortion import flicker, psnr_db_per_frame
from ul_engine.metrics.flip import flip
from ul_engine.metrics.ms_ssim import ms_ssim
from ul_engine.outputs import write_clip
from ul_engine.requests import ReconstructRequest

PICTURE = simple_pictures(1, size_px=32)


@pytest.fixture
def desk() -> Desk:
    return Desk(tiny_config(conditioning=text_conditioning()))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_picture(tmp_path / "a.png", PICTURE[0])
    return tmp_path / "a.png"


def request_of(*inputs: Path, **fields: object) -> ReconstructRequest:
    options: dict[str, object] = {"model": "m", "sampling": SAMPLING, "bitrate_times": 4, "want_bit_map": False}
    return ReconstructRequest(inputs=tuple(map(str, inputs)), **(options | fields))


def sent(desk: Desk, kind: type[p.Message]) -> list[tuple[p.News, bytes]]:
    return [(news, payload) for news, payload in desk.sent if isinstance(news, kind)]


# ---- measures -------------------------------------------------------------------------------------------------------


def test_only_what_is_asked_for_is_measured(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, measures=()))
    (news,) = desk.news(p.ReconstructionResult)
    assert isinstance(news, p.ReconstructionResult)
    assert math.isfinite(news.psnr_db)
    assert (news.ssim, news.ms_ssim, news.flip, news.lpips, news.has_flip_map) == (None, None, None, None, False)
    (original,) = desk.news(p.OriginalResult)
    assert isinstance(original, p.OriginalResult)
    assert original.missing_measures == {}


def test_every_measure_and_the_error_map(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, measures=("ssim", "ms-ssim", "flip"), want_flip_map=True))
    ((news, payload),) = sent(desk, p.ReconstructionResult)
    assert isinstance(news, p.ReconstructionResult)
    pixels = np.frombuffer(payload[: 32 * 32 * 3], np.uint8).reshape(1, 32, 32, 3)
    errors = np.frombuffer(payload[32 * 32 * 3 :], np.uint8).reshape(1, 32, 32)
    x, x_hat = clip_from_array(PICTURE), clip_from_array(pixels)
    wanted = flip(x, x_hat)
    assert news.has_flip_map
    assert news.flip == pytest.approx(float(wanted.mean), abs=1e-6)
    assert np.abs(errors / 255 - wanted.map[0, 0].numpy()).max() <= 0.5 / 255 + 1e-6
    assert (news.ms_ssim, news.ms_ssim_scales) == (pytest.approx(float(ms_ssim(x, x_hat).values)), 2)


def test_the_error_map_alone_brings_its_mean(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, measures=(), want_flip_map=True))
    ((news, payload),) = sent(desk, p.ReconstructionResult)
    assert isinstance(news, p.ReconstructionResult)
    assert news.flip is not None
    assert len(payload) == 32 * 32 * 4


def test_a_measure_without_weights_is_explained(
    desk: Desk, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lpips, "metrics_dir", lambda: tmp_path / "metrics")
    desk.run(request_of(picture, measures=("lpips", "ssim")))
    (original,), (news,) = desk.news(p.OriginalResult), desk.news(p.ReconstructionResult)
    assert isinstance(original, p.OriginalResult)
    assert list(original.missing_measures) == ["lpips"]
    assert "alexnet-owt-7be5be79" in original.missing_measures["lpips"]
    assert isinstance(news, p.ReconstructionResult)
    assert news.lpips is None
    assert news.ssim is not None


def test_weights_that_do_not_fit_are_a_reason_and_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lpips, "metrics_dir", lambda: tmp_path)
    (tmp_path / "alexnet-owt-7be5be79.safetensors").write_bytes(b"nothing")
    problems = Meter().problems(("lpips", "flip"), (64, 64))
    assert list(problems) == ["lpips"]
    assert str(tmp_path / "alexnet-owt-7be5be79.safetensors") in problems["lpips"]
    assert "31 pixels" in Meter().problems(("lpips",), (64, 20))["lpips"]


def test_lpips_where_its_weights_are(desk: Desk, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = lpips.Lpips().eval().requires_grad_(False)
    for layer in network.linear:
        layer.weight.abs_()
    monkeypatch.setattr("ul_engine.comparison.meter.lpips_problem", lambda: None)
    monkeypatch.setattr("ul_engine.comparison.meter.load_lpips", lambda device: network)
    desk.run(request_of(picture, measures=("lpips",)))
    ((news, payload),) = sent(desk, p.ReconstructionResult)
    assert isinstance(news, p.ReconstructionResult)
    pixels = np.frombuffer(payload, np.uint8).reshape(1, 32, 32, 3)
    assert news.lpips == pytest.approx(float(network(clip_from_array(PICTURE), clip_from_array(pixels))))


def test_clips_have_figures_for_every_frame(tmp_path: Path) -> None:
    desk = Desk(clip_config(2))
    frames = simple_pictures(5)
    write_clip(tmp_path / "a.mkv", frames, 8)
    desk.run(request_of(tmp_path / "a.mkv"))
    ((news, payload),) = sent(desk, p.ReconstructionResult)
    assert isinstance(news, p.ReconstructionResult)
    x, x_hat = clip_from_array(frames), clip_from_array(np.frombuffer(payload, np.uint8).reshape(5, 16, 16, 3))
    assert news.psnr_db_per_frame == pytest.approx(psnr_db_per_frame(x, x_hat)[0].tolist())
    assert len(news.flicker_per_frame) == 4
    assert news.flicker_levels == pytest.approx(127.5 * float(flicker(x, x_hat)), rel=1e-5)
    changes = (np.frombuffer(payload, np.uint8).reshape(frames.shape).astype(float) - frames).astype(float)
    assert news.flicker_per_frame[2] == pytest.approx(np.abs(changes[3] - changes[2]).mean(), rel=1e-4)


def test_pictures_have_none(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture))
    (news,) = desk.news(p.ReconstructionResult)
    assert isinstance(news, p.ReconstructionResult)
    assert (news.psnr_db_per_frame, news.flicker_per_frame, news.flicker_levels) == ((), (), None)


# ---- bits -----------------------------------------------------------------------------------------------------------


def test_the_spread_of_bits_over_draws(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, bitrate_draws=3, want_bit_map=True))
    ((news, payload),) = sent(desk, p.BitMapResult)
    assert isinstance(news, p.BitMapResult)
    cells, deviations = np.frombuffer(payload, np.float32).reshape(2, *news.shape)
    study = Study(desk.pipeline, PICTURE, sampling=SAMPLING, bitrate_times=4, bitrate_draws=3)
    draws = np.stack([draw.cell_nats[0].numpy() / math.log(2) for draw in study.bitrate_by_draw()])
    np.testing.assert_allclose(cells, draws.mean(0), rtol=1e-5)
    np.testing.assert_allclose(deviations, draws.std(0, ddof=1), rtol=1e-4, atol=1e-5)
    assert (deviations > 0).all()
    assert news.num_draws == 3
    bands = np.stack([draw.band_nats[0].numpy() / math.log(2) for draw in study.bitrate_by_draw()])
    np.testing.assert_allclose(news.band_deviations, bands.std(0, ddof=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose([bits for *_, bits in news.bands], bands.mean(0), rtol=1e-5)
    assert sum(bits for *_, bits in news.bands) + news.terminal_bits == pytest.approx(float(cells.sum()), rel=1e-4)
    assert news.bits_per_pixel_deviation == pytest.approx(draws.sum((1, 2, 3)).std(ddof=1) / 1024, rel=1e-3)
    (result,) = desk.news(p.ReconstructionResult)
    assert isinstance(result, p.ReconstructionResult)
    assert result.bits_per_pixel == pytest.approx(news.bits_per_pixel)


def test_one_draw_has_no_spread(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, want_bit_map=True))
    ((news, payload),) = sent(desk, p.BitMapResult)
    assert isinstance(news, p.BitMapResult)
    assert len(payload) == 4 * int(np.prod(news.shape))
    assert (news.band_deviations, news.bits_per_pixel_deviation, news.num_draws) == ((), None, 1)
    assert (news.cell_px, news.cell_frames) == (4, 1)


def test_more_draws_come_nearer_to_the_truth_of_many(desk: Desk, picture: Path) -> None:
    def total(draws: int, seed: int) -> float:
        return Study(desk.pipeline, PICTURE, seed=seed, bitrate_times=4, bitrate_draws=draws).bits_per_pixel()

    single = np.std([total(1, seed) for seed in range(12)])
    several = np.std([total(8, seed) for seed in range(12)])
    assert several < 0.7 * single


def test_bits_under_both_networks(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, bits_under="both", want_bit_map=True))
    (result,) = desk.news(p.ReconstructionResult)
    maps = desk.news(p.BitMapResult)
    assert isinstance(result, p.ReconstructionResult)
    assert all(isinstance(news, p.BitMapResult) for news in maps)
    assert [news.restorer for news in maps] == ["prior", "base"]
    assert [news.bits_per_pixel for news in maps] == [
        pytest.approx(result.bits_per_pixel_prior),
        pytest.approx(result.bits_per_pixel_base),
    ]
    assert result.bits_per_pixel == result.bits_per_pixel_prior != result.bits_per_pixel_base
    desk.run(request_of(picture, restorer="base"))
    (alone,) = desk.news(p.ReconstructionResult)
    assert isinstance(alone, p.ReconstructionResult)
    assert (alone.bits_per_pixel_prior, alone.bits_per_pixel) == (None, result.bits_per_pixel_base)


def test_both_means_what_there_is(picture: Path) -> None:
    for desk, wanted in (
        (Desk(without=frozenset(("base",))), ["prior"]),
        (Desk(tiny_config(training="single-elbo")), ["base"]),
        (Desk(tiny_config(prior=PriorConfig(kind="normal", width=32, num_blocks=2, head_channels=16))), None),
    ):
        desk.run(request_of(picture, bits_under="both", want_bit_map=True))
        found = [news.restorer for news in desk.news(p.BitMapResult) if isinstance(news, p.BitMapResult)]
        assert found == (wanted or ["prior", "base"])


# ---- latents --------------------------------------------------------------------------------------------------------


def test_the_latent_as_it_is_sent(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, want_latent=True))
    kinds = [type(news).__name__ for news, _ in desk.sent if not isinstance(news, p.JobProgress)]
    assert kinds == ["OriginalResult", "LatentResult", "ReconstructionResult"]
    ((news, payload),) = sent(desk, p.LatentResult)
    assert isinstance(news, p.LatentResult)
    count = int(np.prod(news.shape))
    z_clean, z_0 = np.frombuffer(payload[: 8 * count], np.float32).reshape(2, *news.shape)
    colours = np.frombuffer(payload[8 * count :], np.uint8).reshape(*news.shape[1:], 3)
    study = Study(desk.pipeline, PICTURE, sampling=SAMPLING)
    np.testing.assert_array_equal(z_clean, study.z_clean[0].numpy())
    np.testing.assert_array_equal(z_0, study.latent(5.0)[0].numpy())
    assert news.alpha_0**2 + news.sigma_0**2 == pytest.approx(1.0)
    assert news.alpha_0**2 / news.sigma_0**2 == pytest.approx(math.exp(5.0), rel=1e-4)
    noise = (z_0 - news.alpha_0 * z_clean) / news.sigma_0
    assert noise.std() == pytest.approx(1.0, abs=0.15)
    assert news.channel_means == pytest.approx(z_clean.mean((1, 2, 3)).tolist(), abs=1e-5)
    assert news.channel_stds == pytest.approx(z_clean.std((1, 2, 3)).tolist(), abs=1e-5)
    assert colours.shape == (1, 8, 8, 3)
    assert 0 < sum(news.principal_shares) <= 1.0 + 1e-6


def test_a_latent_alone_costs_no_decode(desk: Desk, picture: Path) -> None:
    desk.run(request_of(picture, latent_logsnrs=(), want_latent=True))
    assert [type(news).__name__ for news, _ in desk.sent] == ["OriginalResult", "LatentResult"]


def test_principal_components_of_what_has_them() -> None:
    """Three independent channels of falling variance, turned: each colour is one of them again, up to its sign."""
    generator = torch.Generator().manual_seed(0)
    sources = torch.randn(3, 400, generator=generator) * torch.tensor([[9.0], [3.0], [1.0]])
    turn, _ = torch.linalg.qr(torch.randn(6, 3, generator=generator))
    colours, shares = principal_colours((turn @ sources).view(6, 1, 20, 20))
    assert shares == pytest.approx([81 / 91, 9 / 91, 1 / 91], abs=0.02)
    for index in range(3):
        found = np.corrcoef(colours[..., index].ravel(), sources[index].numpy())[0, 1]
        assert abs(found) > 0.97
    again, _ = principal_colours((turn @ sources).view(6, 1, 20, 20))
    assert np.array_equal(colours, again)


def test_principal_components_of_little() -> None:
    colours, shares = principal_colours(torch.zeros(4, 1, 2, 2))
    assert (colours == 128).all()
    assert shares == (0.0, 0.0, 0.0)
    colours, shares = principal_colours(torch.arange(8.0).view(2, 1, 2, 2))
    assert len(shares) == 2
    assert (colours[..., 2] == 128).all()
    assert colours[..., 0].min() == 0
    assert colours[..., 0].max() == 255


def test_a_measure_whose_weights_come_later_is_taken_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was taken counts as taken; otherwise installing the weights would change nothing."""
    picture = np.zeros((1, 64, 64, 3), dtype=np.uint8)
    meter = Meter()
    monkeypatch.setattr(
        Meter, "problems", lambda _meter, measures, _size: dict.fromkeys(set(measures) & {"lpips"}, "no")
    )
    found = meter.measure(picture, picture, ("lpips", "flip"))
    assert found.taken == {"flip"}
