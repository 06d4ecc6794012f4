"""From the engine's messages to findings, each with a payload of the engine's own layout."""

import math
import struct

import pytest

from app.models.compare import findings as f
from app.models.compare.figures import Figures
from app.models.compare.levels import NATIVE, Ladder, Rung
from app.models.compare.messages import Filed, MissingCodec, filed, recipe_of
from ul_engine import protocol
from ul_engine.requests import CodecRequest, MeasureRequest, ReconstructRequest

ASKED = ReconstructRequest(model="/m", inputs=("a.png",), seed=3, restorer="base")
CODECS = CodecRequest(inputs=("a.png",), want_curve=True)


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def read(message: protocol.News, payload: bytes = b"", *, fps: float | None = None) -> f.Finding:
    found = filed(ASKED, message, payload, native=5.0, fps=fps)
    assert not isinstance(found, MissingCodec)
    assert found is not None
    return found.finding


def rung(latent: float = 5.0, decoder: float | None = None, **changes: object) -> protocol.ReconstructionResult:
    values = {"psnr_db": 20.0, "bits_per_pixel": 0.1, "bits_per_dim": 0.5, "shape": (1, 1, 2, 3)} | changes
    return protocol.ReconstructionResult(
        job_id="j",
        input="a.png",
        latent_logsnr=latent,
        decoder_logsnr=decoder,
        **values,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("message", "place"),
    [(rung(), NATIVE), (rung(2.0), Rung(Ladder.LATENT, 2.0)), (rung(5.0, -1.0), Rung(Ladder.DECODER, -1.0))],
)
def test_a_reconstruction_finds_its_place(message: protocol.ReconstructionResult, place: Rung) -> None:
    found = filed(ASKED, message, bytes(6), native=5.0)
    assert found is not None
    assert not isinstance(found, MissingCodec)
    assert found.key == f.RungKey("a.png", recipe_of(ASKED), place)
    assert recipe_of(ASKED) == f.Recipe("/m", "base", 3, ASKED.sampling)


def test_the_map_of_flip_errors_stands_behind_the_pixels() -> None:
    found = read(rung(has_flip_map=True, flip=0.25), bytes([1, 2, 3, 4, 5, 6, 70, 80]))
    assert isinstance(found, f.Reconstruction)
    assert found.flip_map is not None
    assert found.clip.poster.data == bytes([1, 2, 3, 4, 5, 6])
    assert found.flip_map.data == bytes([70, 80])
    assert found.figures.flip == 0.25
    assert found.figures.is_bound
    assert found.num_bytes == 8


def test_clips_keep_the_rate_of_their_input() -> None:
    message = rung(shape=(3, 1, 1, 3), psnr_db_per_frame=(1.0, 2.0, 3.0), flicker_per_frame=(4.0, 5.0))
    found = read(message, bytes(9), fps=12.0)
    assert isinstance(found, f.Reconstruction)
    assert (found.clip.fps, len(found.clip.frames)) == (12.0, 3)
    assert (found.frame_psnr_db, found.frame_flicker) == ((1.0, 2.0, 3.0), (4.0, 5.0))


def test_an_original_tells_which_measures_it_cannot_have() -> None:
    message = protocol.OriginalResult(
        job_id="j", input="a.png", shape=(1, 1, 1, 3), missing_measures={"lpips": "no weights"}
    )
    found = filed(ASKED, message, bytes(3), native=5.0)
    assert found is not None
    assert not isinstance(found, MissingCodec)
    assert found.key == f.OriginalKey("a.png")
    assert isinstance(found.finding, f.Original)
    assert found.finding.missing_measures == (("lpips", "no weights"),)


def test_a_spread() -> None:
    message = protocol.SpreadResult(
        job_id="j",
        input="a.png",
        latent_logsnr=5.0,
        num_decodes=4,
        mean_psnr_db=31.0,
        mean_deviation=2.0,
        shape=(1, 1, 2, 3),
    )
    found = filed(ASKED, message, bytes(6) + floats(1.5, 2.5), native=5.0)
    assert found is not None
    assert not isinstance(found, MissingCodec)
    assert found.key == f.SpreadKey("a.png", recipe_of(ASKED), NATIVE, 4)
    assert isinstance(found.finding, f.Spread)
    assert [found.finding.deviation.value(0, x, 0) for x in (0, 1)] == [1.5, 2.5]


def test_standard_errors_are_deviations_over_the_root_of_the_draws() -> None:
    message = protocol.BitMapResult(
        job_id="j",
        input="a.png",
        restorer="base",
        shape=(1, 1, 2),
        cell_px=8,
        bands=((-10.0, 5.0, 7.0),),
        band_deviations=(3.0,),
        num_draws=9,
        bits_per_pixel=0.1,
        bits_per_pixel_deviation=0.06,
    )
    found = read(message, floats(1.0, 6.0, 0.3, 0.6))
    assert isinstance(found, f.BitMap)
    assert found.cell_errors is not None
    assert found.cells.value(0, 1, 0) == 6.0
    assert found.cell_errors.value(0, 1, 0) == pytest.approx(0.2)
    assert found.bands == (f.Band(-10.0, 5.0, 7.0, 1.0),)
    assert found.bits_per_pixel_error == pytest.approx(0.02)


def test_bits_of_one_draw_have_no_errors() -> None:
    message = protocol.BitMapResult(
        job_id="j", input="a.png", shape=(1, 1, 1), bands=((-10.0, 5.0, 7.0),), bits_per_pixel=0.1
    )
    found = read(message, floats(2.0))
    assert isinstance(found, f.BitMap)
    assert (found.cell_errors, found.bits_per_pixel_error, found.bands[0].error) == (None, None, None)


def test_a_latent() -> None:
    message = protocol.LatentResult(
        job_id="j",
        input="a.png",
        shape=(2, 1, 1, 2),
        cell_px=8,
        cell_frames=1,
        channel_means=(0.0, 0.0),
        channel_stds=(1.0, 2.0),
        principal_shares=(0.7, 0.2, 0.1),
        latent_std=1.0,
        alpha_0=math.sqrt(0.9933),
        sigma_0=math.sqrt(0.0067),
    )
    found = read(message, floats(1, 2, 3, 4) + floats(5, 6, 7, 8) + bytes(range(6)))
    assert isinstance(found, f.Latent)
    assert (found.clean, found.noisy) == (floats(1, 2, 3, 4), floats(5, 6, 7, 8))
    assert found.components == bytes(range(6))


def codec_result(**changes: object) -> protocol.CodecResult:
    values = {
        "psnr_db": 20.0,
        "bits_per_pixel": 0.4,
        "num_bytes": 9,
        "quality": 1.0,
        "setting": "quality 1",
        "is_floor": True,
        "shape": (1, 1, 1, 3),
    } | changes
    return protocol.CodecResult(
        job_id="j",
        input="a.png",
        codec="jpeg",
        label="JPEG",
        asked_bits_per_pixel=0.1,
        **values,  # type: ignore[arg-type]
    )


def test_a_codec_at_its_floor_says_so() -> None:
    found = filed(CODECS, codec_result(), bytes(3), native=5.0)
    assert found is not None
    assert not isinstance(found, MissingCodec)
    assert found.key == f.CodecKey("a.png", "jpeg", 0.1)
    assert isinstance(found.finding, f.Reconstruction)
    figures = found.finding.figures
    assert (figures.is_bound, figures.is_floor, figures.setting) == (False, True, "quality 1")


def test_a_curve_and_a_codec_that_is_missing() -> None:
    point = protocol.CodecPoint(psnr_db=20.0, bits_per_pixel=0.4, num_bytes=9, quality=1.0, setting="q1")
    curve = protocol.CodecCurveResult(job_id="j", input="a.png", codec="webp", label="WebP", points=(point,))
    found = filed(CODECS, curve, b"", native=5.0)
    assert found is not None
    assert not isinstance(found, MissingCodec)
    assert found.key == f.CurveKey("a.png", "webp")
    missing = protocol.CodecMissing(job_id="j", codec="avif", label="AVIF", reason="not here")
    assert filed(CODECS, missing, b"", native=5.0) == MissingCodec("avif", "AVIF", "not here")


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (rung(), bytes(5)),
        (rung(has_flip_map=True), bytes(6)),
        (
            protocol.BitMapResult(job_id="j", input="a", shape=(1, 1, 2), bands=(), bits_per_pixel=0.1, num_draws=2),
            floats(1.0, 2.0),
        ),
    ],
)
def test_a_payload_that_does_not_fit_is_refused(message: protocol.News, payload: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        filed(ASKED, message, payload, native=5.0)


def test_other_messages_are_nobodys_business() -> None:
    assert filed(ASKED, protocol.JobStarted(job_id="j"), b"", native=5.0) is None


# ---- files ----------------------------------------------------------------------------------------------------------

FILES = MeasureRequest(reference="a.png", inputs=("b.png",))


def file_figures(**fields: object) -> protocol.FileFigures:
    options: dict[str, object] = {"psnr_db": 30.0, "ssim": 0.9, "flip": 0.2, "shape": (1, 2, 3)}
    return protocol.FileFigures(job_id="j", input="b.png", reference="a.png", **(options | fields))


def test_a_file_against_another() -> None:
    message = file_figures(has_flip_map=True, missing_measures={"lpips": "no weights"})
    found = filed(FILES, message, bytes(range(6)), native=5.0)
    assert isinstance(found, Filed)
    assert found.key == f.FileKey("b.png", "a.png")
    assert isinstance(found.finding, f.FilePair)
    assert found.finding.figures == Figures(psnr_db=30.0, ssim=0.9, flip=0.2)
    assert found.finding.flip_map == f.ByteMap(1, 2, 3, bytes(range(6)))
    assert found.finding.missing_measures == (("lpips", "no weights"),)
    without = filed(FILES, file_figures(), b"", native=5.0)
    assert isinstance(without, Filed)
    assert without.finding == f.FilePair(Figures(psnr_db=30.0, ssim=0.9, flip=0.2))
    with pytest.raises(ValueError, match="cannot be a result"):
        filed(FILES, message, bytes(5), native=5.0)


def test_a_file_that_cannot_be_measured_is_told_in_a_sentence() -> None:
    message = protocol.FileUnlike(job_id="j", input="b.png", reference="a.png", reason="it is smaller")
    found = filed(FILES, message, b"", native=5.0)
    assert found == Filed(f.FileKey("b.png", "a.png"), f.FilePair(None, problem="It is smaller."))
