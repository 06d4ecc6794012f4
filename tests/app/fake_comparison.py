"""What the fake engine sends of comparisons: the real messages, with gradients for pictures and made-up figures.

The picture of a rung gets darker as its level falls, so that a test can tell rungs apart by a pixel. ``frames`` of the
worker above 1 make every input a clip.
"""

import array
import time
from typing import TYPE_CHECKING

from ul_engine import protocol
from ul_engine.errors import Cancelled
from ul_engine.requests import CodecName, CodecRequest, MeasureRequest, ReconstructRequest

if TYPE_CHECKING:
    from tests.app.fake_worker import FakeWorker

NATIVE = 5.0
CELL_PX = 8
CHANNELS = 4
BITS = 0.125
BANDS = ((-10.0, -5.0, 1.0), (-5.0, 0.0, 3.0), (0.0, 5.0, 12.0))


def share_of(latent: float, decoder: float | None) -> float:
    """Brightness of a rung's picture, 0 to 1."""
    return 0.9 - 0.05 * (NATIVE - latent) if decoder is None else 0.5 + 0.02 * decoder


def reconstruct(worker: "FakeWorker", job_id: str, request: ReconstructRequest) -> None:
    """The original, the latent, every rung with its spread, and the bits: in the order of the real engine."""
    for number, source in enumerate(request.inputs):
        _original(worker, job_id, source, number, request)
        if request.want_latent:
            _latent(worker, job_id, source)
        rungs: list[tuple[float, float | None]] = [(level, None) for level in request.latent_logsnrs]
        rungs += [(NATIVE, level) for level in request.decoder_logsnrs]
        for step, (latent, decoder) in enumerate(rungs, 1):
            _step(worker, job_id, step, len(rungs))
            _rung(worker, job_id, source, (latent, decoder), request)
            if request.num_decodes > 1:
                _spread(worker, job_id, source, (latent, decoder), request.num_decodes)
        if request.want_bit_map:
            _bits(worker, job_id, source, request)


def codecs(worker: "FakeWorker", job_id: str, request: CodecRequest) -> None:
    """JPEG XL is missing; JPEG cannot go as low as asked; the others meet the rate."""
    for codec in request.codecs:
        if codec == "jpegxl":
            reason = "needs a package that is not here"
            worker.send(protocol.CodecMissing(job_id=job_id, codec=codec, label="JPEG XL", reason=reason))
            continue
        for source in request.inputs:
            for bits in request.bits_per_pixel:
                _codec(worker, job_id, source, (codec, bits), with_map=request.want_flip_map)
            if request.want_curve:
                _curve(worker, job_id, source, codec)


def measure(worker: "FakeWorker", job_id: str, request: MeasureRequest) -> None:
    """The first file is 30 dB away, the next 31."""
    for number, source in enumerate(request.inputs):
        _step(worker, job_id, number + 1, len(request.inputs))
        side = worker.side
        message = protocol.FileFigures(
            job_id=job_id,
            input=source,
            reference=request.reference,
            number=number,
            psnr_db=30.0 + number,
            ssim=0.9,
            ms_ssim=0.95,
            flip=0.1,
            missing_measures={"lpips": "its weights are not here"},
            has_flip_map=True,
            shape=(1, side, side),
        )
        worker.send(message, bytes(range(side)) * side)


def _step(worker: "FakeWorker", job_id: str, step: int, total: int) -> None:
    time.sleep(worker.step_s)
    if job_id in worker.cancelled and worker.mode != "hangs":
        raise Cancelled
    worker.misbehave(step)
    worker.send(
        protocol.JobProgress(
            job_id=job_id,
            phase="decoder",
            step=step,
            num_steps=total,
            first_index=0,
            batch_size=1,
            fraction=step / total,
        )
    )


def _frames(worker: "FakeWorker", share: float) -> bytes:
    return b"".join(worker.picture(10 * frame, share) for frame in range(worker.frames))


def _shape(worker: "FakeWorker") -> tuple[int, int, int, int]:
    return worker.frames, worker.side, worker.side, 3


def _original(worker: "FakeWorker", job_id: str, source: str, number: int, request: ReconstructRequest) -> None:
    message = protocol.OriginalResult(
        job_id=job_id,
        input=source,
        number=number,
        shape=_shape(worker),
        fps=8.0 if worker.frames > 1 else None,
        missing_measures={"lpips": "its weights are not here"} if "lpips" in request.measures else {},
    )
    worker.send(message, _frames(worker, 1.0))


def _rung(
    worker: "FakeWorker", job_id: str, source: str, rung: tuple[float, float | None], request: ReconstructRequest
) -> None:
    latent, decoder = rung
    frames = worker.frames
    message = protocol.ReconstructionResult(
        job_id=job_id,
        input=source,
        latent_logsnr=latent,
        decoder_logsnr=decoder,
        is_trained_level=latent <= NATIVE,
        psnr_db=25.0 + latent if decoder is None else 25.0 + decoder,
        ssim=0.9,
        ms_ssim=0.95 if "ms-ssim" in request.measures else None,
        flip=0.1 if "flip" in request.measures else None,
        psnr_db_per_frame=tuple(30.0 + frame for frame in range(frames)) if frames > 1 else (),
        flicker_per_frame=tuple(1.0 + frame for frame in range(frames - 1)) if frames > 1 else (),
        flicker_levels=2.0 if frames > 1 else None,
        bits_per_pixel=BITS,
        bits_per_dim=0.5,
        has_flip_map=request.want_flip_map,
        shape=_shape(worker),
    )
    flip_map = bytes(range(worker.side)) * worker.side * frames if request.want_flip_map else b""
    worker.send(message, _frames(worker, share_of(latent, decoder)) + flip_map)


def _spread(worker: "FakeWorker", job_id: str, source: str, rung: tuple[float, float | None], num_decodes: int) -> None:
    latent, decoder = rung
    cells = worker.side * worker.side * worker.frames
    message = protocol.SpreadResult(
        job_id=job_id,
        input=source,
        latent_logsnr=latent,
        decoder_logsnr=decoder,
        num_decodes=num_decodes,
        mean_psnr_db=32.0,
        mean_deviation=3.5,
        shape=_shape(worker),
    )
    deviation = array.array("f", [float(cell % worker.side) for cell in range(cells)])
    worker.send(message, _frames(worker, 0.25) + deviation.tobytes())


def _bits(worker: "FakeWorker", job_id: str, source: str, request: ReconstructRequest) -> None:
    side = -(-worker.side // CELL_PX)
    message = protocol.BitMapResult(
        job_id=job_id,
        input=source,
        restorer=request.restorer,
        shape=(1, side, side),
        cell_px=CELL_PX,
        bands=BANDS,
        band_deviations=(0.5, 1.0, 2.0) if request.bitrate_draws > 1 else (),
        num_draws=request.bitrate_draws,
        bits_per_pixel=BITS,
        bits_per_pixel_deviation=0.02 if request.bitrate_draws > 1 else None,
    )
    cells = array.array("f", [float(cell) for cell in range(side * side)])
    spread = array.array("f", [2.0] * (side * side)) if request.bitrate_draws > 1 else array.array("f")
    worker.send(message, cells.tobytes() + spread.tobytes())


def _latent(worker: "FakeWorker", job_id: str, source: str) -> None:
    side = -(-worker.side // CELL_PX)
    cells = side * side
    message = protocol.LatentResult(
        job_id=job_id,
        input=source,
        shape=(CHANNELS, 1, side, side),
        cell_px=CELL_PX,
        cell_frames=1,
        channel_means=(0.0,) * CHANNELS,
        channel_stds=tuple(0.1 * (channel + 1) for channel in range(CHANNELS)),
        principal_shares=(0.6, 0.3, 0.1),
        latent_std=0.4,
        alpha_0=0.9966,
        sigma_0=0.0818,
    )
    clean = array.array("f", [0.1 * (place % 7 - 3) for place in range(CHANNELS * cells)])
    worker.send(message, clean.tobytes() * 2 + bytes(range(3 * cells)))


def _codec(worker: "FakeWorker", job_id: str, source: str, wish: tuple[CodecName, float], *, with_map: bool) -> None:
    codec, bits = wish
    is_floor = codec == "jpeg"
    message = protocol.CodecResult(
        job_id=job_id,
        input=source,
        codec=codec,
        label=codec.upper(),
        asked_bits_per_pixel=bits,
        is_floor=is_floor,
        psnr_db=20.0,
        ssim=0.7,
        ms_ssim=0.8,
        flip=0.3,
        bits_per_pixel=4 * bits if is_floor else bits,
        num_bytes=100,
        quality=1.0,
        setting="quality 1",
        has_flip_map=with_map,
        shape=(1, worker.side, worker.side, 3),
    )
    flip_map = bytes(worker.side * worker.side) if with_map else b""
    worker.send(message, worker.picture(0, 0.6) + flip_map)


def _curve(worker: "FakeWorker", job_id: str, source: str, codec: CodecName) -> None:
    points = tuple(
        protocol.CodecPoint(
            psnr_db=20.0 + 3 * step,
            ssim=0.7,
            ms_ssim=0.8,
            flip=0.3,
            bits_per_pixel=0.5 * 2**step,
            num_bytes=100,
            quality=float(step),
            setting=f"quality {step}",
        )
        for step in range(4)
    )
    worker.send(protocol.CodecCurveResult(job_id=job_id, input=source, codec=codec, label=codec.upper(), points=points))
