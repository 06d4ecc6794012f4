"""Reconstruction: every input on both noise ladders, with its figures, its bits in space, and what is invented."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from ul_engine import protocol
from ul_engine.comparison import Rung, Spread, Study, spread_of
from ul_engine.config import ModelConfig
from ul_engine.data.image_files import read_picture
from ul_engine.data.pixels import Uint8Array, clip_from_array
from ul_engine.errors import CheckpointError, ConfigError, DataError
from ul_engine.jobs.context import Batch, JobContext, report_steps
from ul_engine.media.reading import probe, read_clip
from ul_engine.media.sequences import is_sequence
from ul_engine.metrics.distortion import psnr_db, ssim
from ul_engine.model_folder import Manifest
from ul_engine.objectives import latent_schedule_of, picture_schedule_of
from ul_engine.pipelines import Pipeline
from ul_engine.requests import ReconstructRequest

MIN_SSIM_PX = 11
VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"))
ANIMATED_FORMATS = frozenset(("GIF", "PNG", "WEBP"))
"""Other formats hold several pictures too, but not to be played: pages (TIFF), layers (PSD), a phone's extra views."""


@dataclass(frozen=True)
class Reconstruction:
    """One reconstruction beside its original, uint8 `[T, H, W, 3]`, with its figures.

    `number` is the input's place among the inputs. `is_trained_level` is False above the latent's native log-SNR, where
    the decoder was never trained. `spread` is there where several decodes were asked for; `picture` and its figures are
    those of the first. `bit_map` is the input's bits per latent cell, float32 `[Tz, h, w]`, `band_bits` its bits per
    band of log-SNR as (low, high, bits); both are the same for all rungs.
    """

    source: str
    number: int
    rung: Rung
    original: Uint8Array
    picture: Uint8Array
    psnr_db: float
    ssim: float
    bits_per_pixel: float
    bits_per_dim: float
    is_trained_level: bool
    bit_map: npt.NDArray[np.float32]
    band_bits: tuple[tuple[float, float, float], ...]
    spread: Spread | None = None

    @property
    def mean_psnr_db(self) -> float | None:
        """PSNR of the mean of several decodes."""
        if self.spread is None:
            return None
        return float(psnr_db(clip_from_array(self.original), clip_from_array(self.spread.mean)))


def open_frames(path: str, max_frames: int) -> Uint8Array:
    """The picture, or the first frames of the video, at `path`: uint8 `[T, H, W, 3]`. Raises DataError."""
    kind = _kind(path)
    if kind == "picture":
        return read_picture(path)[None]
    try:
        return read_clip(path, num_frames=min(max_frames, probe(path).num_frames)).frames
    except DataError as error:
        if kind == "clip" or Path(path).suffix.lower() in VIDEO_SUFFIXES:
            raise
        reason = str(error).removeprefix(f"{path}: ")
        raise DataError(f"is no picture, and as a video it {reason}", path=path) from error


def _kind(path: str) -> Literal["picture", "clip", "unknown"]:
    """What `path` looks like; a file that no picture reader knows may be a film. What is wrong with a picture is for
    its reader to say."""
    if not Path(path).is_file():
        return "clip" if is_sequence(path) else "picture"
    try:
        with Image.open(path) as picture:
            return "clip" if picture.format in ANIMATED_FORMATS and getattr(picture, "n_frames", 1) > 1 else "picture"
    except UnidentifiedImageError:
        return "unknown"
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return "picture"


def reconstructions(
    pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, context: JobContext
) -> Iterator[Reconstruction]:
    """Each input at each rung. Raises Cancelled, DataError, CheckpointError."""
    for number, study in enumerate(_studies(pipeline, manifest, request)):
        yield from _of_one(study, number, request, context)


def _studies(pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest) -> Iterator[Study]:
    if not manifest.can_reconstruct:
        raise CheckpointError("has no encoder and cannot reconstruct", path=request.model)
    has_bound = manifest.model.prior.kind == "normal"
    restorer = request.restorer if manifest.model.training == "two-stage" else "base"
    if restorer not in manifest.networks and not (restorer == "prior" and has_bound):
        raise CheckpointError(
            f"has no {'prior' if restorer == 'prior' else 'base model'}, which the bitrate and the noise ladder need",
            path=request.model,
        )
    _require_levels(manifest.model, request)
    pipeline = replace(pipeline, tiling=request.tiling)
    for source in request.inputs:
        yield Study(
            pipeline,
            open_frames(source, request.max_frames if manifest.model.video is not None else 1),
            seed=request.seed,
            sampling=request.sampling,
            restorer=restorer,
            bitrate_times=request.bitrate_times,
        )


def _require_levels(config: ModelConfig, request: ReconstructRequest) -> None:
    """Raise ConfigError for a rung that there is none of, before the first one is computed."""
    if request.decoder_logsnrs and config.decoder_loss.kind == "mse":
        raise ConfigError("this model's decoder answers at once and starts from no picture", field="decoder_logsnrs")
    for field, levels, schedule in (
        ("latent_logsnrs", request.latent_logsnrs, latent_schedule_of(config)),
        ("decoder_logsnrs", request.decoder_logsnrs, picture_schedule_of(config)),
    ):
        if levels and min(levels) < schedule.logsnr_min:
            raise ConfigError(f"{min(levels):g} is below the noisiest level {schedule.logsnr_min:.4g}", field=field)


def rungs_of(request: ReconstructRequest, native_logsnr: float) -> list[Rung]:
    """Both ladders in the order asked for."""
    latent = [Rung(level) for level in request.latent_logsnrs]
    return latent + [Rung(native_logsnr, level) for level in request.decoder_logsnrs]


def _of_one(study: Study, number: int, request: ReconstructRequest, context: JobContext) -> Iterator[Reconstruction]:
    total = len(request.inputs)
    context.check()
    counted = _bitrate_progress(context, number / total, request.bitrate_times)
    bits_per_pixel, bits_per_dim = study.bits_per_pixel(counted), study.bits_per_dim()
    rungs = rungs_of(request, study.native_logsnr)
    loops = len(rungs) * request.num_decodes

    def decode(index: int, draw: int) -> Uint8Array:
        batch = Batch(number, 1, total, loops_done=index * request.num_decodes + draw, num_loops=loops)
        observe = report_steps(context, batch, request.sampling)
        return study.picture(rungs[index], draw=draw, observe=observe)

    for index, rung in enumerate(rungs):
        picture, spread = decode(index, 0), None
        if request.num_decodes > 1:
            later = (decode(index, draw) for draw in range(1, request.num_decodes))
            spread = spread_of(chain((picture,), later))
        decoded = clip_from_array(picture)
        has_ssim = min(study.original.shape[1:3]) >= MIN_SSIM_PX
        yield Reconstruction(
            source=request.inputs[number],
            number=number,
            rung=rung,
            original=study.original,
            picture=picture,
            psnr_db=float(psnr_db(study.x, decoded)),
            ssim=float(ssim(study.x, decoded)) if has_ssim else float("nan"),
            bits_per_pixel=bits_per_pixel,
            bits_per_dim=bits_per_dim,
            is_trained_level=study.is_trained_level(rung),
            bit_map=study.bit_map(),
            band_bits=tuple(study.band_bits()),
            spread=spread,
        )


def _bitrate_progress(context: JobContext, done: float, num_times: int) -> Callable[[], None]:
    step = 0

    def report() -> None:
        nonlocal step
        context.check()
        step += 1
        context.send(
            protocol.JobProgress(
                job_id=context.job_id,
                phase="bitrate",
                step=step,
                num_steps=num_times,
                first_index=0,
                batch_size=1,
                fraction=done,
            ),
            b"",
        )

    return report


def run_reconstruct(pipeline: Pipeline, manifest: Manifest, request: ReconstructRequest, context: JobContext) -> None:
    """Send every reconstruction with its original, the spread of several decodes, and each input's bits in space."""
    for number, study in enumerate(_studies(pipeline, manifest, request)):
        for result in _of_one(study, number, request, context):
            _send_reconstruction(context, result)
            if result.spread is not None and result.mean_psnr_db is not None:
                _send_spread(context, result, result.spread, mean_psnr_db=result.mean_psnr_db)
        _send_bits(context, study, request.inputs[number])


def _send_reconstruction(context: JobContext, result: Reconstruction) -> None:
    """Original and reconstruction, frame beside frame: the payload is `[2 T, H, W, 3]`, originals first."""
    pair = np.concatenate((result.original, result.picture))
    count, height, width, channels = pair.shape
    message = protocol.ReconstructionResult(
        job_id=context.job_id,
        input=result.source,
        latent_logsnr=result.rung.latent_logsnr,
        decoder_logsnr=result.rung.decoder_logsnr,
        psnr_db=result.psnr_db,
        ssim=result.ssim,
        bits_per_pixel=result.bits_per_pixel,
        bits_per_dim=result.bits_per_dim,
        shape=(count, height, width, channels),
    )
    context.send(message, pair.tobytes())


def _send_spread(context: JobContext, result: Reconstruction, spread: Spread, *, mean_psnr_db: float) -> None:
    frames, height, width, _ = spread.mean.shape
    message = protocol.SpreadResult(
        job_id=context.job_id,
        input=result.source,
        latent_logsnr=result.rung.latent_logsnr,
        decoder_logsnr=result.rung.decoder_logsnr,
        num_decodes=spread.num_decodes,
        mean_psnr_db=mean_psnr_db,
        mean_deviation=spread.mean_deviation,
        shape=(frames, height, width, 3),
    )
    context.send(message, spread.mean.tobytes() + spread.deviation.tobytes())


def _send_bits(context: JobContext, study: Study, source: str) -> None:
    cells = study.bit_map()
    frames, height, width = cells.shape
    message = protocol.BitMapResult(
        job_id=context.job_id,
        input=source,
        shape=(frames, height, width),
        bands=tuple(study.band_bits()),
        bits_per_pixel=study.bits_per_pixel(),
    )
    context.send(message, cells.tobytes())
