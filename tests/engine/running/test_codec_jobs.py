"""Codecs as a job: floors, curves, what is missing, what is kept; and no model anywhere."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from tests.helpers.engine_process import EngineProcess
from tests.helpers.tiny import simple_pictures
from ul_engine import protocol as p
from ul_engine.data.image_files import write_picture
from ul_engine.data.pixels import Uint8Array, clip_from_array
from ul_engine.errors import Cancelled, DataError
from ul_engine.jobs import JobContext, Workbench, run_codecs
from ul_engine.metrics import codec_rates, codecs
from ul_engine.metrics.codecs import CODECS, available_codecs
from ul_engine.metrics.distortion import psnr_db
from ul_engine.metrics.flip import flip
from ul_engine.outputs import write_clip
from ul_engine.requests import CodecRequest

USABLE = [codec.name for codec in available_codecs() if codec.problem is None]


def _textured() -> Uint8Array:
    """Patches of colour under some noise: something to spend bits on."""
    generator = np.random.default_rng(0)
    patches = Image.fromarray(generator.integers(0, 256, (8, 12, 3), np.uint8)).resize(
        (96, 64), Image.Resampling.BICUBIC
    )
    return np.clip(np.asarray(patches) + generator.normal(0, 8, (64, 96, 3)), 0, 255).astype(np.uint8)


PICTURE = _textured()
Sent = list[tuple[p.News, bytes]]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_picture(tmp_path / "a.png", PICTURE)
    return tmp_path / "a.png"


def request_of(*inputs: Path, **fields: object) -> CodecRequest:
    options: dict[str, object] = {"bits_per_pixel": (1.0,)}
    return CodecRequest(inputs=tuple(map(str, inputs)), **(options | fields))


def ran(request: CodecRequest, workbench: Workbench | None = None) -> Sent:
    sent: Sent = []
    context = JobContext(
        "job", lambda news, payload: sent.append((news, payload)), lambda: False, workbench or Workbench()
    )
    run_codecs(request, context)
    return sent


def results(sent: Sent) -> list[tuple[p.CodecResult, Uint8Array, bytes]]:
    """Messages with their pixels, and what follows them."""
    found = []
    for news, payload in sent:
        if isinstance(news, p.CodecResult):
            count = int(np.prod(news.shape))
            found.append((news, np.frombuffer(payload[:count], np.uint8).reshape(news.shape), payload[count:]))
    return found


# ---- at a rate ----------------------------------------------------------------------------------------------------


def test_every_codec_at_a_rate(picture: Path) -> None:
    sent = ran(request_of(picture, bits_per_pixel=(1.5,), measures=("ssim", "flip"), want_flip_map=True))
    found = results(sent)
    assert [news.codec for news, *_ in found] == USABLE
    x = clip_from_array(PICTURE[None])
    for news, decoded, errors in found:
        assert not news.is_floor
        assert 0.5 < news.bits_per_pixel <= news.asked_bits_per_pixel == 1.5
        assert news.num_bytes == round(news.bits_per_pixel * 96 * 64 / 8)
        assert news.psnr_db == pytest.approx(float(psnr_db(x, clip_from_array(decoded))), abs=1e-4)
        wanted = flip(x, clip_from_array(decoded))
        assert news.flip == pytest.approx(float(wanted.mean), abs=1e-5)
        levels = np.frombuffer(errors, np.uint8).reshape(1, 64, 96)
        assert np.abs(levels / 255 - wanted.map[0, 0].numpy()).max() < 0.003
        assert news.ssim is not None
        assert news.ms_ssim is None
        assert news.label == CODECS[news.codec].label
        assert f"quality {news.quality:g}" in news.setting


def test_the_file_is_real(picture: Path) -> None:
    """The same picture through Pillow at the stated quality has the stated size and gives the stated pixels."""
    ((news, decoded, _),) = results(ran(request_of(picture, codecs=("webp",))))
    stream = io.BytesIO()
    Image.fromarray(PICTURE).save(stream, "WEBP", quality=news.quality, method=6)
    assert len(stream.getvalue()) == news.num_bytes
    assert np.array_equal(np.asarray(Image.open(stream).convert("RGB")), decoded[0])


def test_below_its_least_a_codec_stands_at_its_floor(picture: Path) -> None:
    for news, *_ in results(ran(request_of(picture, bits_per_pixel=(1e-4,)))):
        assert news.is_floor
        assert news.bits_per_pixel > 0.01
        assert news.quality == CODECS[news.codec].qualities[0]


def test_more_bits_bring_the_picture_nearer(picture: Path) -> None:
    rates = (0.8, 1.6, 3.2)
    found = results(ran(request_of(picture, bits_per_pixel=rates)))
    for name in USABLE:
        figures = [news.psnr_db for news, *_ in found if news.codec == name]
        assert figures == sorted(figures)
        assert len(figures) == 3


def test_the_original_comes_first_and_progress_to_the_end(picture: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "b.png", PICTURE[:40])
    sent = ran(request_of(picture, tmp_path / "b.png", codecs=("jpeg", "webp"), want_curve=True))
    originals = [(news.number, news.shape, payload) for news, payload in sent if isinstance(news, p.OriginalResult)]
    assert originals == [(0, (1, 64, 96, 3), PICTURE.tobytes()), (1, (1, 40, 96, 3), PICTURE[:40].tobytes())]
    assert isinstance(sent[0][0], p.OriginalResult)
    progress = [news for news, _ in sent if isinstance(news, p.JobProgress)]
    assert len(progress) == 2 * 2 * (1 + 9)
    fractions = [news.fraction for news in progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {news.phase for news in progress} == {"codecs"}


# ---- curves -------------------------------------------------------------------------------------------------------


def test_a_curve_of_every_codec(picture: Path) -> None:
    sent = ran(request_of(picture, bits_per_pixel=(), want_curve=True, measures=("ms-ssim",)))
    curves = [news for news, _ in sent if isinstance(news, p.CodecCurveResult)]
    assert [curve.codec for curve in curves] == USABLE
    for curve in curves:
        assert [point.quality for point in curve.points] == list(CODECS[curve.codec].ladder)
        bits = [point.bits_per_pixel for point in curve.points]
        assert bits[0] < bits[-1] / 3
        assert curve.points[-1].psnr_db > curve.points[0].psnr_db + 5
        assert all(point.ms_ssim is not None and point.flip is None for point in curve.points)


# ---- what is missing ----------------------------------------------------------------------------------------------


def test_a_missing_codec_is_reported_and_the_others_go_on(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = {"avif": "this build of Pillow has no AVIF; reinstall it"}
    known = codecs._problem
    monkeypatch.setattr(codecs, "_problem", lambda name: reasons.get(name) or known(name))
    sent = ran(request_of(picture))
    missing = [news for news, _ in sent if isinstance(news, p.CodecMissing)]
    assert [(news.label, news.reason) for news in missing if news.codec == "avif"] == [("AVIF", reasons["avif"])]
    assert [news.codec for news, *_ in results(sent)] == [name for name in USABLE if name != "avif"]


def test_nothing_usable_is_no_failure(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "_problem", lambda name: "not here")
    sent = ran(request_of(picture, codecs=("jpeg",)))
    assert [type(news).__name__ for news, _ in sent] == ["CodecMissing", "OriginalResult"]


def test_requests_that_ask_for_nothing() -> None:
    for fields, reason in (
        ({"bits_per_pixel": ()}, "at least one rate"),
        ({"bits_per_pixel": (0.0,)}, "above 0"),
        ({"codecs": ()}, "at least 1 item"),
        ({"codecs": ("bmp",)}, "Input should be"),
    ):
        with pytest.raises(ValidationError, match=reason):
            request_of(Path("a.png"), **fields)
    assert request_of(Path("a.png")).model == ""


def test_a_frame_of_a_film(tmp_path: Path) -> None:
    frames = simple_pictures(3, size_px=32)
    write_clip(tmp_path / "a.mkv", frames, 8)
    sent = ran(request_of(tmp_path / "a.mkv", frame=2, codecs=("jpeg",)))
    assert sent[0][1] == frames[2].tobytes()
    with pytest.raises(DataError, match="no frame 3"):
        ran(request_of(tmp_path / "a.mkv", frame=3))


def test_a_single_picture_is_its_own_frame(picture: Path) -> None:
    assert ran(request_of(picture, frame=7, codecs=("jpeg",)))[0][1] == PICTURE.tobytes()


# ---- stopping, and what is kept -------------------------------------------------------------------------------------


def test_stopping_between_encodings(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bisection takes about ten encodings: a stop is heard before each."""
    encoded: list[float] = []
    real = codec_rates.encode

    def counted(name: codecs.CodecName, pixels: Uint8Array, quality: float, **options: object) -> codecs.EncodedPicture:
        encoded.append(quality)
        return real(name, pixels, quality, **options)

    monkeypatch.setattr(codec_rates, "encode", counted)
    context = JobContext("job", lambda news, payload: None, lambda: len(encoded) >= 3)
    with pytest.raises(Cancelled):
        run_codecs(request_of(picture), context)
    assert len(encoded) == 3


def test_the_same_again_encodes_nothing(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workbench, request = Workbench(), request_of(picture, want_curve=True)
    first = ran(request, workbench)

    def fail(*given: object, **options: object) -> None:
        raise AssertionError("encoded again")

    for module in ("ul_engine.metrics.codec_rates.encode", "ul_engine.jobs.codecs.encode"):
        monkeypatch.setattr(module, fail)
    assert ran(request, workbench) == first
    more = ran(request_of(picture, measures=("flip",)), workbench)
    assert all(news.flip is not None and news.ssim is not None for news, *_ in results(more))
    with pytest.raises(AssertionError, match="encoded again"):
        ran(request_of(picture, bits_per_pixel=(2.0,)), workbench)


def test_other_measures_of_a_curve_are_taken(picture: Path) -> None:
    workbench = Workbench()
    ran(request_of(picture, bits_per_pixel=(), want_curve=True, codecs=("jpeg",)), workbench)
    sent = ran(request_of(picture, bits_per_pixel=(), want_curve=True, codecs=("jpeg",), measures=("flip",)), workbench)
    ((curve, _),) = [(news, payload) for news, payload in sent if isinstance(news, p.CodecCurveResult)]
    assert all(point.flip is not None for point in curve.points)


def test_a_worker_needs_no_model_for_it(picture: Path) -> None:
    with EngineProcess() as engine:
        engine.receive()
        received = engine.run(p.RunJob(job_id="codecs", request=request_of(picture, codecs=("jpeg", "webp"))))
        assert isinstance(received[-1][0], p.JobFinished)
        assert [news.codec for news, *_ in results(received)] == ["jpeg", "webp"]
        assert not [news for news, _ in received if isinstance(news, p.ModelLoading | p.ModelLoaded)]
        absent = request_of(picture.with_name("absent.png"))
        failed = engine.run(p.RunJob(job_id="absent", request=absent))[-1][0]
        assert isinstance(failed, p.JobFailed)
        assert failed.kind == "DataError"
